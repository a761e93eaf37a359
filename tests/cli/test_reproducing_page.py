"""Every command that docs/reproducing.md shows runs, with a toy benchmark under the name mini."""

import re
import shutil
import subprocess

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
    (tmp_path / "rows").mkdir()  # a clone that has the rows alone
    shutil.copytree(tmp_path / "submissions", tmp_path / "rows" / "submissions")
    return tmp_path


def test_the_commands_of_the_page_run(ivcr, place):
    shown = [words for words in commands(PAGE) if "trained/tan2d-0" not in words]
    assert [words[0] for words in shown] == [
        "leaderboard", "reproduce", "reproduce", "attest", "attest", "attest",
    ]  # fmt: skip
    for words in shown:
        code, _, err = ivcr(*words)
        assert code == 0, (words, err)


def test_a_trained_row_is_asked_for_as_the_page_says(ivcr, place):
    [words] = [words for words in commands(PAGE) if "trained/tan2d-0" in words]
    code, _, err = ivcr(*words)
    assert (code, "expected the folder of a run, found none" in err) == (2, True)


def made(target):
    """What make would do for a target if nothing was there yet, a line each."""
    command = ["make", "--dry-run", "--always-make", target]
    found = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    return found.stdout.splitlines()


def test_make_rows_makes_what_the_page_says():
    lines = "\n".join(made("rows"))
    assert "git status --porcelain -- baselines harness" in lines
    assert "baseline run --floors" in lines
    assert (
        "baseline run bm25 --history own --benchmark mini --out submissions/ivcr-harness/bm25"
        in lines
    )
    assert "ivcr score submissions/ivcr-harness/bm25" in lines


def test_make_trained_rows_trains_what_each_row_runs():
    """No row reads a folder that nothing makes, and every row is scored."""
    lines = made("trained-rows")
    assert any("git status --porcelain -- baselines harness" in line for line in lines)
    trained = {words[-1] for line in lines if "--out trained/" in line for words in [line.split()]}
    read = {name for line in lines if "baseline run" in line
            for name in re.findall(r"checkpoint=(trained/[\w-]+)", line)}  # fmt: skip
    for name in re.findall(r"--config (docs/rows/\w+\.toml)", "\n".join(lines)):
        text = (REPOSITORY / name).read_text("utf-8")
        read |= set(re.findall(r'"\.\./\.\./(trained/[\w-]+)"', text))
    assert read <= trained
    assert len(read) >= 6
    scored = [line.split()[2] for line in lines if " score " in line]
    assert [line.split()[-1] for line in lines if "baseline run" in line] == scored
