"""One SHA-256 of a submission: of the checker, of the board, and of the ordinary tools."""

import hashlib
import subprocess
import sys

import pytest

from harness.benchmark import Benchmark
from harness.errors import SubmissionError
from harness.untrusted import open_input
from harness.validation import check
from leaderboard.results.board_split import BoardSplit
from tests.baselines.conftest import imported


@pytest.fixture
def run(tmp_path):
    """A benchmark and a submission of BM25 on it."""
    benchmark = imported(tmp_path).folder
    out = tmp_path / "run"
    command = [sys.executable, "-c", "from harness.cli import main; main()", "baseline", "run"]
    what = ["bm25", "--benchmark", str(benchmark), "--history", "none", "--out", str(out)]
    subprocess.run([*command, *what], check=True, capture_output=True)
    return Benchmark(benchmark), out


def test_all_ways_to_the_hash_agree(run):
    benchmark, folder = run
    with open_input(folder / "predictions.jsonl.zst") as stream:
        text = stream.read()
    by_hand = hashlib.sha256((folder / "card.toml").read_bytes() + text).hexdigest()
    lean = check(folder, benchmark, keep=False, hashed=True)
    assert (lean.sha256, lean.predictions) == (by_hand, ())
    assert BoardSplit(benchmark.folder).sha256(folder) == check(folder, benchmark).sha256 == by_hand


def test_a_changed_card_changes_it_and_a_missing_file_is_refused(run):
    benchmark, folder = run
    sha256 = BoardSplit(benchmark.folder).sha256
    before = sha256(folder)
    card = folder / "card.toml"
    card.write_text(card.read_text("utf-8") + "# later\n", "utf-8")
    assert sha256(folder) != before
    card.unlink()
    with pytest.raises(SubmissionError, match=r"card\.toml: missing"):
        sha256(folder)
