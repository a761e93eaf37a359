"""Results: each computed once, whole or not there, and nothing of what lies in a submission."""

import json
import multiprocessing
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.errors import EnvironmentFailure, WrongUsageError
from harness.files import canonical
from harness.records import Card
from harness.results import (
    Invalid,
    ResultsFolder,
    Scored,
    ScoringFault,
    batch,
    result_key,
    score_all,
    submission_sha256,
)
from harness.scoring import document, score
from harness.submission import write
from harness.validation import check
from tests.answers import same_videos
from tests.baselines.conftest import CAT, DOG, imported
from tests.conftest import WAIT


def put(folder, benchmark, seed, videos=(CAT, DOG)):
    """A run that ranks the same videos in every turn."""
    given = same_videos(benchmark.split().turns, videos)
    folder.parent.mkdir(parents=True, exist_ok=True)
    write(folder, Card(1, "team", "cat first", "none", "unused", seed=seed), given)
    return folder


@pytest.fixture
def benchmark(tmp_path):
    return imported(tmp_path)


@pytest.fixture
def runs(tmp_path, benchmark):
    return [put(tmp_path / "team" / f"run-{seed}", benchmark, seed) for seed in range(6)]


def flip(path):
    """Damage a file without a change of its size."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def outcomes(runs, benchmark, results, **settings):
    found = score_all(runs, benchmark.folder, "test", results, **settings)
    return {outcome.folder: outcome for outcome in found}


@pytest.mark.parametrize("processes", [1, 2])
def test_results_are_those_of_scoring_one_by_one(runs, benchmark, tmp_path, processes):
    found = outcomes(runs, benchmark, tmp_path / "results", processes=processes)
    assert list(map(type, found.values())) == [Scored] * len(runs)
    store = ResultsFolder(tmp_path / "results")
    for run in runs:
        scored = score(run, benchmark)
        stored = store.find(found[run].key)
        assert stored.scores == canonical(scored.document)
        assert found[run].submission_sha256 == check(run, benchmark).sha256
        assert found[run].submission_sha256 == submission_sha256(run, 9)


def test_what_lies_beside_a_submission_counts_for_nothing(runs, benchmark, tmp_path):
    before = outcomes(runs[:1], benchmark, tmp_path / "one")[runs[0]]
    forged = json.loads(canonical(score(runs[0], benchmark).document))
    forged["metrics"]["all"]["R@1"]["value"] = 0.9
    (runs[0] / "scores.json").write_text(json.dumps(forged))
    (runs[0] / "scores.outcomes.npz").write_bytes(b"PK")
    assert outcomes(runs[:1], benchmark, tmp_path / "two")[runs[0]] == before


def test_what_is_there_is_not_computed_again(runs, benchmark, tmp_path, monkeypatch):
    before = outcomes(runs, benchmark, tmp_path / "results", processes=1)
    monkeypatch.setattr(batch.SplitScorer, "score_checked", None)
    assert outcomes(runs, benchmark, tmp_path / "results", processes=1) == before


@pytest.mark.parametrize(
    "spoil",
    [
        lambda place: (place / "scores.json").write_bytes(b"{}"),
        lambda place: (place / "scores.outcomes.npz").write_bytes(b""),
        lambda place: flip(place / "scores.outcomes.npz"),
        lambda place: (place / "result.json").write_bytes(b"{"),
        lambda place: (place / "result.json").unlink(),
    ],
)
def test_a_damaged_result_is_made_again(runs, benchmark, tmp_path, spoil):
    before = outcomes(runs[:1], benchmark, tmp_path / "results")
    key, store = before[runs[0]].key, ResultsFolder(tmp_path / "results")
    whole = {path.name: path.read_bytes() for path in store.place(key).iterdir()}
    spoil(store.place(key))
    assert store.find(key) is None
    assert outcomes(runs[:1], benchmark, tmp_path / "results") == before
    assert {path.name: path.read_bytes() for path in store.place(key).iterdir()} == whole


def test_another_scorer_has_results_of_its_own(runs, benchmark, monkeypatch):
    from harness.results import key

    first = result_key("0" * 64, benchmark, "test")
    key.scorer_line.cache_clear()
    monkeypatch.setattr(key, "SCORER", "9.9.9")
    try:
        assert result_key("0" * 64, benchmark, "test") != first
    finally:
        key.scorer_line.cache_clear()


def test_the_signature_names_the_scorer_and_not_the_release(runs, benchmark):
    signature = score(runs[0], benchmark).document["signature"]
    assert f"|v:{document.SCORER}|" in signature


def test_an_invalid_submission_stops_no_other(runs, benchmark, tmp_path):
    (runs[1] / "predictions.jsonl.zst").unlink()
    (runs[1] / "predictions.jsonl").write_bytes(b"{}\n")
    (runs[2] / "card.toml").unlink()
    found = outcomes(runs, benchmark, tmp_path / "results", processes=2)
    kinds = [type(found[run]) for run in runs]
    assert kinds == [Scored, Invalid, Invalid, Scored, Scored, Scored]
    assert "`ivcr validate` lists them all" in found[runs[1]].reason
    # The reason stands on a page: no place of the organizers' machine is in it.
    assert not any(str(tmp_path) in found[run].reason for run in runs[1:3])


def fail_at(name):
    """Stand in for the scorer: raise, or end the process, at one run."""
    whole = batch.SplitScorer.score_checked

    def score_or_fail(self, folder, checked):
        if folder.name == name:
            raise RuntimeError("a fault of ours")
        return whole(self, folder, checked)

    return score_or_fail


def test_a_fault_of_ours_is_told_apart(runs, benchmark, tmp_path, monkeypatch):
    monkeypatch.setattr(batch.SplitScorer, "score_checked", fail_at("run-3"))
    found = outcomes(runs, benchmark, tmp_path / "results", processes=1)
    assert [type(found[run]) for run in runs].count(Scored) == 5
    assert isinstance(found[runs[3]], ScoringFault)
    assert "RuntimeError: a fault of ours" in found[runs[3]].reason


DYING = """
import os, sys
from pathlib import Path
from harness.results import batch, score_all
whole = batch.SplitScorer.score_checked
def score(self, folder, checked):
    if folder.name == "run-2":
        os._exit(9)
    return whole(self, folder, checked)
batch.SplitScorer.score_checked = score
if __name__ == "__main__":
    runs, benchmark, results = sorted(Path(sys.argv[1]).iterdir()), *map(Path, sys.argv[2:])
    for found in score_all(runs, benchmark, "test", results, processes=2):
        # At once: others write too.
        sys.stdout.write(f"{found.folder.name} {type(found).__name__}\\n")
        sys.stdout.flush()
"""


def test_a_process_that_dies_takes_no_other_submission_with_it(runs, benchmark, tmp_path):
    script = tmp_path / "dying.py"
    script.write_text(DYING)
    arguments = [runs[0].parent, benchmark.folder, tmp_path / "results"]
    done = subprocess.run(
        [sys.executable, str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
    )
    expected = {f"run-{n} {'ScoringFault' if n == 2 else 'Scored'}" for n in range(6)}
    assert set(done.stdout.splitlines()) == expected


WAITING = "sys.stdout.write('waiting\\n'); sys.stdout.flush(); import time; time.sleep(600)"
SLOW = DYING.replace("os._exit(9)", WAITING)


def test_a_killed_batch_keeps_what_is_done_and_leaves_no_process(runs, benchmark, tmp_path):
    script, results = tmp_path / "slow.py", tmp_path / "results"
    script.write_text(SLOW)
    process = subprocess.Popen(
        [sys.executable, str(script), str(runs[0].parent), str(benchmark.folder), str(results)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    lines = [process.stdout.readline() for _ in range(6)]
    assert "waiting\n" in lines
    process.kill()
    process.wait()
    end = time.monotonic() + WAIT
    while alive(process.pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive(process.pid)
    process.stdout.close()
    assert len(list(results.glob("??/*/result.json"))) == 5
    found = outcomes(runs, benchmark, results, processes=1)
    assert [type(found[run]) for run in runs] == [Scored] * 6


def alive(group):
    """Whether a process of the group is left that is no zombie."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, found = stat.read_text().rsplit(")", 1)[1].split()[:3]
        except OSError:  # it has ended
            continue
        if int(found) == group and state != "Z":
            return True
    return False


def test_a_results_folder_is_for_its_owner(tmp_path):
    assert ResultsFolder(tmp_path / "new").folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_of_other_things_is_refused(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"")
    with pytest.raises(WrongUsageError, match="name another --results"):
        ResultsFolder(tmp_path)
    with pytest.raises(WrongUsageError, match="expected a folder"):
        ResultsFolder(tmp_path / "photo.jpg")


def test_an_absent_benchmark_ends_the_batch(runs, tmp_path):
    for processes in (1, 2):
        with pytest.raises(EnvironmentFailure, match="found no benchmark"):
            list(score_all(runs, tmp_path / "none", "test", tmp_path / "r", processes=processes))


def test_progress_counts_to_the_end(runs, benchmark, tmp_path):
    told = []
    outcomes(runs, benchmark, tmp_path / "results", processes=2, progress=lambda *n: told.append(n))
    assert told == [(n, 6) for n in range(1, 7)]


def test_signals_of_the_terminal_are_left_to_the_parent():
    from harness.workers.spawning import prepare_process, spawned

    assert spawned().get_start_method() == "spawn"
    process = multiprocessing.get_context("fork").Process(target=_heeds, args=(prepare_process,))
    process.start()
    process.join(WAIT)
    assert process.exitcode == 0


def _heeds(prepare):
    prepare()
    sys.exit(signal.getsignal(signal.SIGINT) is not signal.SIG_IGN)
