"""One thing changes at a time; each build that goes on gives what one from nothing gives."""

import shutil
from datetime import timedelta

import pytest

from harness.challenge.reasons import NEW_VERSION, phase_reason
from leaderboard.site.frozen.freezing import freeze
from leaderboard.site.publish import build_site
from tests.baselines.conftest import CAT, DOG
from tests.challenge.lines import NOON
from tests.leaderboard.site.test_builder import tree
from tests.leaderboard.test_challenge_board import CHALLENGE, challenge

__all__ = ["challenge"]


def accept(it, key, days=0, phase="dev"):
    it.tell("accepted", key, phase_reason(phase), now=NOON + timedelta(days=days))


def replace(it, key, days):
    it.tell("replaced", key, NEW_VERSION, now=NOON + timedelta(days=days))
    accept(it, key, days)


def card_lines(it, key, *lines):
    card = it.submissions / key / "card.toml"
    card.write_text("\n".join([card.read_text(), *lines]) + "\n")


def team(it, name, text):
    (it.submissions / name / "team.toml").write_text(text)


def about(it, text):
    (it.submissions / "challenge.toml").write_text(
        text + CHALLENGE.replace('title = "Find it"', "")
    )


def new_card(it):
    card_lines(
        it, "one/run", 'code = "https://example.org/one"', 'cost = "3 GPU hours"',
        'languages = ["en"]', 'weights = "open"', 'date = "2026-01-01"',
    )  # fmt: skip
    replace(it, "one/run", 3)


def new_answers(it):
    it.put("two/run", videos=(CAT, DOG))
    replace(it, "two/run", 4)


STEPS = {
    "a run more": lambda it: (it.put("two/more", (DOG, CAT)), accept(it, "two/more", 2)),
    "another card": new_card,
    "other answers": new_answers,
    "a team's name": lambda it: team(it, "one", 'name = "The First"\n'),
    "a team goes anonymous": lambda it: team(
        it, "one", 'name = "The First"\nanonymous = true\nmembers = ["Ann"]\n'
    ),
    "and is revealed": lambda it: (
        team(it, "one", 'name = "Ann & Co"\nmembers = ["Ann"]\n'),
        it.tell("revealed", "one", "a paper", now=NOON + timedelta(days=5)),
    ),
    "a run is withdrawn": lambda it: it.tell(
        "withdrawn", "two/more", "a fault", now=NOON + timedelta(days=6)
    ),
    "a frozen board": lambda it: freeze(it.site, "first"),
    "a title": lambda it: about(it, 'title = "Find <b>it</b>"\n'),
    "who organizes": lambda it: about(
        it, 'title = "Find it"\norganizers = ["A & B"]\ncontact = "x@example.org"\n'
    ),
    "a licence": lambda it: about(it, 'title = "Find it"\nlicence = "CC0"\ncitation = "X"\n'),
    "own runs": lambda it: it.organizers.append("two"),
    "a phase is closed": lambda it: it.tell(
        "phase-closed", "", phase_reason("dev"), now=NOON + timedelta(days=7)
    ),
    "another frozen board": lambda it: freeze(it.site, "second"),
    "a frozen board goes": lambda it: shutil.rmtree(it.site / "frozen" / "first"),
    "no challenge any more": lambda it: (it.submissions / "challenge.toml").unlink(),
}


def built(it, site):
    build_site(
        it.submissions, it.benchmark, site, results=site.parent / "results",
        organizers=it.organizers, processes=1,
    )  # fmt: skip
    return tree(site)


@pytest.mark.parametrize("challenge", ["public", "hidden"], indirect=True)
def test_after_each_change_a_build_gives_what_one_from_nothing_gives(challenge, tmp_path):
    challenge.organizers = []
    challenge.put("two/run", videos=(DOG, CAT))
    accept(challenge, "one/run")
    accept(challenge, "two/run", 1)
    built(challenge, challenge.site)
    for number, (name, change) in enumerate(STEPS.items()):
        change(challenge)
        found = built(challenge, challenge.site)
        fresh = tmp_path / str(number) / "site"
        if (challenge.site / "frozen").exists():
            shutil.copytree(challenge.site / "frozen", fresh / "frozen")
        expected = built(challenge, fresh)
        differing = [path for path in {*found, *expected} if found.get(path) != expected.get(path)]
        assert not differing, name
