"""One SHA-256 of a submission: of the checker, of the board, and of the ordinary tools."""

import hashlib
import subprocess
import sys

import pytest

from harness.benchmark import Benchmark
from harness.errors import SubmissionError
from harness.untrusted import open_input
from harness.validation import check
from harness.validation.reading.folder import sha256
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
    turns = len(benchmark.split().turns)
    assert sha256(folder, turns) == check(folder, benchmark).sha256 == by_hand


def test_a_changed_card_changes_it_and_a_missing_file_is_refused(run):
    _, folder = run
    before = sha256(folder, 10)
    card = folder / "card.toml"
    card.write_text(card.read_text("utf-8") + "# later\n", "utf-8")
    assert sha256(folder, 10) != before
    card.unlink()
    with pytest.raises(SubmissionError, match=r"card\.toml: cannot be read"):
        sha256(folder, 10)
