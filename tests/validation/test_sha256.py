"""One SHA-256 of a submission: of the checker, of results, and of the ordinary tools; no byte
moves from one file to another under the same hash."""

import hashlib
import subprocess
import sys

import pytest

from harness.benchmark import Benchmark
from harness.errors import SubmissionError
from harness.results import submission_sha256
from harness.submission import SubmissionDigest
from harness.untrusted import open_input
from harness.validation import check, inspection
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


def test_all_ways_to_the_hash_agree(run, tmp_path):
    benchmark, folder = run
    with open_input(folder / "predictions.jsonl.zst") as stream:
        text = stream.read()
    by_hand = by_ordinary_tools(tmp_path, (folder / "card.toml").read_bytes(), text)
    lean = check(folder, benchmark, keep=False, hashed=True)
    assert (lean.sha256, lean.predictions) == (by_hand, ())
    assert submission_sha256(folder, 9) == check(folder, benchmark).sha256 == by_hand
    assert inspection.summarise(folder).sha256 == by_hand


def by_ordinary_tools(folder, card, predictions):
    """The hash as wc and sha256sum make it of the two files."""
    lines = ""
    for name, data in (("card.toml", card), ("predictions.jsonl", predictions)):
        (folder / name).write_bytes(data)
        length, sha256 = (
            subprocess.run([*tool, name], cwd=folder, check=True, capture_output=True, text=True)
            for tool in (["wc", "-c"], ["sha256sum"])
        )
        lines += f"{name} {length.stdout.split()[0]} {sha256.stdout.split()[0]}\n"
    return hashlib.sha256(lines.encode()).hexdigest()


def test_a_line_that_moves_from_the_card_into_the_predictions_changes_it(run):
    _, folder = run
    card = folder / "card.toml"
    with open_input(folder / "predictions.jsonl.zst") as stream:
        text = stream.read()
    whole = card.read_bytes() + b"#\n"
    hashes = set()
    for cut in (0, 2):  # the last line stands in the card, then before the first answer
        card.write_bytes(whole[: len(whole) - cut])
        (folder / "predictions.jsonl.zst").unlink(missing_ok=True)
        (folder / "predictions.jsonl").write_bytes(whole[len(whole) - cut :] + text)
        hashes.add(inspection.summarise(folder).sha256)
    assert len(hashes) == 2


def digest_of(**files):
    digest = SubmissionDigest()
    for name, data in files.items():
        digest.file(name).update(data)
    return digest.hexdigest()


def test_names_and_lengths_are_part_of_it_and_portions_are_not():
    whole = digest_of(one=b"ab", two=b"c")
    others = [digest_of(one=b"a", two=b"bc"), digest_of(on=b"ab", etwo=b"c"),
              digest_of(one=b"abc"), digest_of(one=b"ab", two=b"c", three=b"")]  # fmt: skip
    assert len({whole, *others}) == 5
    digest = SubmissionDigest()
    for name, part in (("one", b"a"), ("one", b"b"), ("two", b"c")):
        digest.file(name).update(part)
    assert digest.hexdigest() == whole


def test_a_changed_card_changes_it_and_a_missing_file_is_refused(run):
    _, folder = run
    before = submission_sha256(folder, 9)
    card = folder / "card.toml"
    card.write_text(card.read_text("utf-8") + "# later\n", "utf-8")
    assert submission_sha256(folder, 9) != before
    card.unlink()
    with pytest.raises(SubmissionError, match="missing; write one"):
        submission_sha256(folder, 9)
