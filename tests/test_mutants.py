"""The planted bugs: each still has its place in the code, and a stale one stops the script."""

import time

import pytest

from tests.mutants.planting import MUTANTS, REPOSITORY, Mutant, copied, planted, verdicts
from tests.mutants.scoring import SCORING

PARTS = 2  # one for each process of `make test-long`
BUDGET = 900  # seconds a part: as many bugs as fit
BUGS = (
    "rank off by one",
    "> for >=",
    "abstentions dropped",
    "turns resampled instead of units",
    "wrong denominator",
    "history swapped",
    "float instead of integer time",
    "chat turn counted as failure",
    "type 7 in dialogue metrics",
    "unseeded draw",
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.bug for mutant in MUTANTS])
def test_every_bug_has_its_place_and_its_tests(mutant):
    text = (REPOSITORY / mutant.file).read_text("utf-8")
    assert planted(mutant, text) != text
    for test in mutant.tests:
        file, _, name = test.partition("::")
        assert not name or f"\ndef {name}(" in (REPOSITORY / file).read_text("utf-8")
        assert (REPOSITORY / file).exists()


def test_all_ten_kinds_are_planted():
    assert all(any(row[0].startswith(bug) for row in SCORING) for bug in BUGS)
    assert all(row[0].startswith(BUGS) for row in SCORING)
    assert len({mutant.bug for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("text", ["", "twice\ntwice\n"])
def test_a_bug_without_its_one_place_stops_the_script(text):
    with pytest.raises(SystemExit, match="bring the mutant 'rank'"):
        planted(Mutant("rank", "a.py", "twice", "once", ()), text)


@pytest.mark.slow
def test_a_planted_bug_is_noticed_and_taken_out_again(tmp_path):
    tree = copied(tmp_path)
    [chosen] = [mutant for mutant in MUTANTS if mutant.bug == "turns resampled instead of units"]
    harmless = chosen._replace(old="numbered from 0: its dialogue", new="counted from 0: its own")
    sound = (tree / chosen.file).read_text("utf-8")
    units = ("tests/statistics/test_units.py",)
    noticed, unnoticed = verdicts(tree, [each._replace(tests=units) for each in (chosen, harmless)])
    assert noticed.caught
    assert noticed.what.startswith("tests/statistics/test_units.py::")
    assert (unnoticed.caught, unnoticed.what) == (False, "pytest ended with 0")
    assert (tree / chosen.file).read_text("utf-8") == sound


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_planted_bugs_are_noticed(part, tmp_path):
    tree, began = copied(tmp_path), time.monotonic()
    mutants = MUTANTS[part::PARTS]
    unnoticed, tried = [], 0
    for verdict in verdicts(tree, mutants):
        tried += 1
        if not verdict.caught:
            unnoticed.append(f"{verdict.mutant.bug}: {verdict.what}")
        if time.monotonic() - began > BUDGET:
            break
    print(f"{tried} of {len(mutants)} bugs planted")
    assert unnoticed == []
