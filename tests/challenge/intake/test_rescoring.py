"""After a correction every accepted run is scored again, with the reason in the ledger."""

import hashlib
import json
import shutil

import pytest

from harness.challenge import administration
from harness.challenge.administration import read_state
from harness.challenge.intake import rescore
from harness.challenge.ledger import read_ledger
from harness.challenge.ledger_check import verify
from harness.errors import WrongUsageError
from harness.files import canonical
from harness.scoring import score
from tests.baselines.conftest import CAT, DOG
from tests.challenge.intake.conftest import day


def fix_a_label(organizers, split="train"):
    """Another gold video in the first turn of a split, as a corrected import has it."""
    folder = organizers.benchmark.folder
    path = folder / split / "gold.jsonl"
    first, *rest = path.read_bytes().splitlines(True)
    old, new = (CAT, DOG) if f'"video_id":"{CAT}"'.encode() in first else (DOG, CAT)
    changed = first.replace(f'"video_id":"{old}"'.encode(), f'"video_id":"{new}"'.encode())
    assert changed != first
    path.write_bytes(b"".join([changed, *rest]))
    header = json.loads((folder / "benchmark.json").read_text())
    header["gold_sha256"][split] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "benchmark.json").write_text(json.dumps(header))
    return organizers.read_benchmark()


@pytest.fixture
def scored(organizers):
    for key in ("a/1", "b/1", "c/1"):
        organizers.put(key, seed=int(hashlib.sha256(key.encode()).hexdigest()[:4], 16))
    organizers.intake(day(2))
    return organizers


def again(organizers, number=3, **settings):
    report = rescore(organizers.settings._replace(**settings), "label fixed", now=day(number))
    assert verify(organizers.submissions, read_ledger(organizers.submissions).head).problems == ()
    return report


def test_every_accepted_run_is_scored_again_after_a_label_was_fixed(scored):
    before = read_state(scored.submissions).runs["a/1"].version.scores_sha256
    benchmark = fix_a_label(scored)
    report = again(scored)
    assert [(line.event, line.key, line.why) for line in report.lines] == [
        ("rescored", key, "label fixed") for key in ("a/1", "b/1", "c/1")
    ]
    document = score(scored.submissions / "a" / "1", benchmark, "train").document
    expected = hashlib.sha256(canonical(document)).hexdigest()
    version = read_state(scored.submissions).runs["a/1"].version
    assert version.scores_sha256 == expected != before
    assert version.gold_sha256 == benchmark.header.gold_sha256["train"]
    assert version.rescored == [("2026-01-03T12:00:00Z", "label fixed")]
    assert read_state(scored.submissions).counted("a", "dev") == 1


def test_what_is_up_to_date_is_not_scored_again(scored):
    assert again(scored) == ((), 3, ())
    fix_a_label(scored)
    again(scored)
    assert again(scored, 4) == ((), 3, ())


def test_another_scorer_scores_all_again(scored, monkeypatch):
    monkeypatch.setattr("harness.challenge.intake.rescoring.scorer_line", lambda: "9.9.9")
    report = again(scored)
    assert {line.scorer for line in report.lines} == {"9.9.9"}
    assert len(report.lines) == 3


def test_a_killed_rescoring_is_made_whole_by_the_next(scored):
    fix_a_label(scored)
    path = scored.submissions / "ledger.jsonl"
    before = path.read_bytes().count(b"\n")
    again(scored)
    whole = path.read_bytes()
    for lines in range(3):
        path.write_bytes(b"".join(whole.splitlines(True)[: before + lines]) + b"{")
        assert len(again(scored).lines) == 3 - lines
        assert path.read_bytes() == whole


def test_runs_that_are_gone_changed_withdrawn_or_unfit_keep_their_scores(scored):
    administration.withdraw(scored.submissions, "a/1", "asked to", now=day(3))
    shutil.rmtree(scored.submissions / "b")
    scored.put("c/1", seed=99)
    fix_a_label(scored)
    before = read_ledger(scored.submissions).head
    report = again(scored)
    assert report.lines == ()
    assert read_ledger(scored.submissions).head == before
    assert report.notes == (
        "b/1: keeps its old scores: its folder is gone",
        "c/1: keeps its old scores: its folder has changed",
    )


def test_a_dry_run_writes_no_line(scored):
    fix_a_label(scored)
    before = read_ledger(scored.submissions).head
    assert again(scored, dry_run=True).lines == ()
    assert read_ledger(scored.submissions).head == before


def test_a_reason_is_needed(scored):
    with pytest.raises(WrongUsageError, match="--why"):
        rescore(scored.settings, " ", now=day(3))
