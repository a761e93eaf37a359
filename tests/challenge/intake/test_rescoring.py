"""After a correction every accepted run is scored again, with the reason in the ledger."""

import hashlib
import json
import shutil

import pytest

from harness.challenge import administration
from harness.challenge.administration import read_state
from harness.challenge.corrections import parse_correction, read_correction
from harness.challenge.intake import Ranks, rescore
from harness.challenge.ledger import read_ledger
from harness.challenge.ledger_check import verify
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.files import canonical
from harness.scoring import score
from tests.baselines.conftest import CAT, DOG
from tests.challenge.intake.conftest import Organizers, day


def reason(line):
    """The organizers' own words in a line."""
    return parse_correction(line.why).why


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
    assert [(line.event, line.key, reason(line)) for line in report.lines] == [
        ("rescored", key, "label fixed") for key in ("a/1", "b/1", "c/1")
    ]
    document = score(scored.submissions / "a" / "1", benchmark, "train").document
    expected = hashlib.sha256(canonical(document)).hexdigest()
    version = read_state(scored.submissions).runs["a/1"].version
    assert version.scores_sha256 == expected != before
    assert version.gold_sha256 == benchmark.header.gold_sha256["train"]
    assert version.rescored == [("2026-01-03T12:00:00Z", report.lines[0].why)]
    assert read_state(scored.submissions).counted("a", "dev") == 1


def figures(correction):
    return {run.key: {each.metric: (each.old, each.new) for each in run.figures}
            for run in correction.runs}  # fmt: skip


def test_old_and_new_figures_stand_in_a_file_that_the_ledger_names(scored):
    runs = {key: scored.submissions / key for key in ("a/1", "b/1", "c/1")}
    metrics = lambda run: score(run, scored.read_benchmark(), "train").document["metrics"]["all"]  # noqa: E731
    before = {key: metrics(run) for key, run in runs.items()}
    fix_a_label(scored)
    after = {key: metrics(run) for key, run in runs.items()}

    def ranks(phase, results):
        return {key: Ranks(place, place, 3) for place, key in enumerate(sorted(results), start=1)}

    report = again(scored, ranks=ranks)
    sha256 = parse_correction(report.lines[0].why).sha256
    found = read_correction(scored.submissions, sha256)
    assert found.why == "label fixed"
    for key, moved in figures(found).items():
        for metric, (old, new) in moved.items():
            assert (old, new) == (before[key][metric]["value"], after[key][metric]["value"])
        assert moved["R@1"][0] != moved["R@1"][1]
    assert [run.ranks.old for run in found.runs] == [(1, 1, 3), (2, 2, 3), (3, 3, 3)]
    path = scored.submissions / f"correction-{sha256[:16]}.json"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(EnvironmentFailure, match="changed since the ledger named it"):
        read_correction(scored.submissions, sha256)
    path.unlink()
    with pytest.raises(EnvironmentFailure, match="put it back"):
        read_correction(scored.submissions, sha256)


def test_figures_of_results_that_are_gone_are_left_open(scored):
    shutil.rmtree(scored.settings.results)
    fix_a_label(scored)
    sha256 = parse_correction(again(scored).lines[0].why).sha256
    found = figures(read_correction(scored.submissions, sha256))["a/1"]
    assert found["R@1"][0] is None
    assert found["R@1"][1] is not None


def test_hidden_labels_leave_no_figure_to_compare(tmp_path):
    hidden = Organizers(tmp_path, labels="hidden")
    hidden.put("a/1", split="test")
    hidden.intake(day(16))
    fix_a_label(hidden, "test")
    sha256 = parse_correction(again(hidden, 17).lines[0].why).sha256
    (run,) = read_correction(hidden.submissions, sha256).runs
    assert (run.figures, run.ranks) == ((), None)


def test_what_is_up_to_date_is_not_scored_again(scored):
    assert again(scored) == ((), 3, ())
    fix_a_label(scored)
    again(scored)
    assert again(scored, 4) == ((), 3, ())


def test_another_scorer_scores_all_again(scored, monkeypatch):
    monkeypatch.setattr("harness.results.key.scorer_line", lambda: "9.9.9")
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
        found = read_ledger(scored.submissions).lines[before:]
        assert [(line.key, reason(line)) for line in found] == [
            (key, "label fixed") for key in ("a/1", "b/1", "c/1")
        ]


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
