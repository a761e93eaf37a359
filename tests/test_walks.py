"""The walks that `.ci/packages` goes from a wheel alone: what they read out of the pages."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.walks.walking import INSTALLING, WALKS, Step, Walk, carry_out, go, steps

DOCS = REPOSITORY / "docs"
PARTICIPANT, ORGANIZER, REPRODUCER = WALKS


def of(walk):
    return steps((DOCS / walk.page).read_text("utf-8"), walk)


def commands(walk):
    text = "".join(step.text for step in of(walk) if step.by == "bash")
    return [line.split()[1:3] for line in text.splitlines() if line.startswith("ivcr ")]


def test_a_participant_goes_from_nothing_to_a_valid_submission():
    assert commands(PARTICIPANT) == [
        ["data", "mini"], ["data", "info"], ["baseline", "run"], ["validate", "bm25"],
        ["score", "bm25"], ["submission", "init"], ["validate", "my-run"], ["validate", "my-run"],
        ["score", "my-run"], ["compare", "my-run"], ["submission", "info"],
    ]  # fmt: skip
    assert [step.by for step in of(PARTICIPANT)].count("python") == 1


def test_an_organizer_goes_from_a_challenge_to_a_frozen_board():
    assert commands(ORGANIZER) == [
        ["baseline", "run"], ["intake", "submissions"], ["leaderboard", "build"],
        ["leaderboard", "freeze"], ["leaderboard", "build"], ["leaderboard", "verify-frozen"],
        ["ledger", "verify"],
    ]  # fmt: skip
    assert "[[phase]]" in "".join(step.text for step in of(ORGANIZER))


def test_a_reproducer_needs_the_rows_alone():
    assert commands(REPRODUCER) == [["reproduce", "ivcr-harness/bm25"]]
    (step,) = of(REPRODUCER)
    assert "checkout HEAD -- submissions" in step.text


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.page)
def test_every_block_is_sound_and_makes_no_environment(walk):
    for step in of(walk):
        assert not [line for line in step.text.splitlines() if line.startswith(INSTALLING)]
        if step.by == "bash":
            subprocess.run(["bash", "-n"], input=step.text, text=True, check=True)
        else:
            compile(step.text, walk.page, "exec")


def test_the_walker_knows_nothing_of_the_project():
    """It runs beside an installed wheel, and must not find the code of a checkout."""
    source = (REPOSITORY / "tests/walks/walking.py").read_text("utf-8")
    named = set(re.findall(r"^(?:import|from) (\w+)", source, re.MULTILINE))
    assert named - {"__future__"} <= set(sys.stdlib_module_names)
    assert "tests/walks/walking.py" in (REPOSITORY / ".ci/packages").read_text("utf-8")


def test_a_step_that_fails_and_an_end_that_differs_stop_a_walk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "page.md").write_text("## A\n\n    echo one > made\n    cat made\n\n## B\n")
    walk = Walk("nobody", "page.md", "## A\n", "## B\n", ("one",), ("made",))
    go(walk, tmp_path, "")
    assert Path("made").read_text() == "one\n"
    with pytest.raises(SystemExit, match="expected \\['two'\\]"):
        go(walk._replace(printed=("two",)), tmp_path, "")
    with pytest.raises(SystemExit, match="expected the files \\['absent'\\]"):
        go(walk._replace(made=("absent",)), tmp_path, "")
    with pytest.raises(SystemExit, match="ended with 1"):
        carry_out(Step("bash", "false\ntrue\n"), "")
    with pytest.raises(SystemExit, match="ended with 1"):
        carry_out(Step("python", "raise ValueError"), "")
