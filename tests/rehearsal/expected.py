"""The events of the rehearsal, written by hand: event, run, and the phase or the ground."""

from tests.rehearsal.teams import HONEST


def in_order(text):
    """Lines as (event, run, rest); `ok RUN PHASE` is accepted and scored."""
    found = []
    for line in filter(None, text.splitlines()):
        event, run, *rest = line.split()
        if event == "ok":
            found += [("accepted", run, rest[0]), ("scored", run, "")]
        else:
            found.append((event, "" if run == "-" else run, " ".join(rest)))
    return found


OPENING = """
labels-committed - test
phase-opened - dev
"""

FIRST = """
ok amber/main dev
ok birch/main dev
refused bomber/main content
ok cedar/main dev
refused copycat/main team
ok delta/main dev
ok ember/main dev
ok fjord/main dev
ok forger/main dev
ok greedy/1 dev
ok greedy/2 dev
refused greedy/3 quota
refused greedy/4 quota
refused greedy/5 quota
ok grove/main dev
ok heron/main dev
refused impostor/main team
ok iris/main dev
ok jade/main dev
ok koala/main dev
ok leaver/main dev
ok leaver/second dev
refused linker/main content
ok lotus/main dev
ok maple/main dev
ok newer/main dev
ok north/main dev
refused noterms/main terms
refused omits/main content
ok q7x/main dev
refused splits/main phase
ok twice/main dev
refused twice/same team
"""

SECOND = """
ok copycat/own dev
ok greedy/3 dev
refused greedy/4 quota
refused greedy/5 quota
refused lookalike/main team
replaced newer/main new version
ok newer/main dev
ok noterms/main dev
ok omits/main dev
ok splits/main dev
refused twice/again team
ok vandal/main dev
"""

WITHDRAWAL = """
withdrawn leaver at their wish
"""

CORRECTION = """
rescored amber/main
rescored birch/main
rescored cedar/main
rescored copycat/own
rescored delta/main
rescored ember/main
rescored fjord/main
rescored forger/main
rescored greedy/1
rescored greedy/2
rescored greedy/3
rescored grove/main
rescored heron/main
rescored iris/main
rescored jade/main
rescored koala/main
rescored lotus/main
rescored maple/main
rescored newer/main
rescored north/main
rescored noterms/main
rescored omits/main
rescored q7x/main
rescored splits/main
rescored twice/main
rescored vandal/main
"""

FINAL = """
phase-closed - dev
phase-opened - final
ok amber/final final
ok birch/final final
ok cedar/final final
ok delta/final final
ok ember/final final
ok fjord/final final
refused greedy/4 phase
refused greedy/5 phase
ok greedy/final1 final
refused greedy/final2 quota
ok grove/final final
ok heron/final final
ok iris/final final
ok jade/final final
ok koala/final final
ok lotus/final final
ok maple/final final
ok north/final final
ok q7x/final final
refused splits/final phase
"""

# A refusal for the phase comes before a look at what could not be read, so those are told anew.
LATE = """
phase-closed - final
refused bomber/main phase
refused greedy/final2 phase
refused linker/main phase
refused tardy/main phase
accepted tardy/main final; admitted late: their upload failed
scored tardy/main
"""

ENDING = """
labels-opened - test
revealed q7x
"""

EVENTS = in_order(OPENING + FIRST + SECOND + WITHDRAWAL + CORRECTION + FINAL + LATE + ENDING)
# Submissions that count against a quota, by team and phase; all others: 1 of dev, for those of
# HONEST 1 of final too.
COUNTED = {
    ("greedy", "dev"): 3, ("greedy", "final"): 1, ("leaver", "dev"): 2, ("newer", "dev"): 2,
    ("tardy", "final"): 0, ("bomber", "dev"): 0, ("impostor", "dev"): 0, ("linker", "dev"): 0,
    ("lookalike", "dev"): 0, ("tardy", "dev"): 0, ("twice", "dev"): 1, ("q7x", "final"): 1,
}  # fmt: skip
SHOWN = {
    "val": {*HONEST, "copycat", "forger", "greedy", "newer", "noterms", "omits", "q7x", "splits",
            "twice", "vandal"},
    "test": {*HONEST, "greedy", "q7x", "tardy"},
}  # fmt: skip
