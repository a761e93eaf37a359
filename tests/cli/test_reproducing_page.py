"""Every command that docs/reproducing.md shows runs, with a toy benchmark under the name mini."""

import shutil

import pytest

from baselines.registry import find
from baselines.running.run import run_baseline
from baselines.running.run_config import RunConfig
from harness.scoring import score_to_files
from tests.baselines.conftest import imported
from tests.cli.test_pages import commands
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "reproducing.md").read_text("utf-8")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with what the page names; it is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IVCR_CACHE", str(tmp_path / "cache"))
    toy = imported(tmp_path, name="mini")
    row = tmp_path / "submissions" / "ivcr-harness" / "bm25"
    run_baseline(RunConfig(find("bm25"), "own"), toy, row)
    score_to_files(row, toy)
    shutil.copytree(row, tmp_path / "my-run")
    return tmp_path


def test_the_commands_of_the_page_run(ivcr, place):
    shown = [words for words in commands(PAGE) if "tan2d-0" not in words]
    assert [words[0] for words in shown] == [
        "leaderboard", "reproduce", "attest", "attest", "attest",
    ]  # fmt: skip
    for words in shown:
        code, _, err = ivcr(*words)
        assert code == 0, (words, err)


def test_a_trained_row_is_asked_for_as_the_page_says(ivcr, place):
    [words] = [words for words in commands(PAGE) if "tan2d-0" in words]
    code, _, err = ivcr(*words)
    assert (code, "expected the folder of a run, found none" in err) == (2, True)


def test_make_rows_makes_what_the_page_says():
    rows = (REPOSITORY / "Makefile").read_text("utf-8").split("\nrows:")[1].split("\n\n")[0]
    assert "baseline run --floors" in rows
    assert "--out submissions/ivcr-harness/bm25" in rows
    assert "git status --porcelain -- baselines harness" in rows
