"""Baselines in an exam: the same bytes as in a run over files, and after any cut."""

import pytest

from baselines.registry import find
from baselines.running.run import run_baseline
from baselines.running.run_config import RunConfig, RunContext
from harness.api.exams import ExamPlace, run_exam
from harness.benchmark import Benchmark
from harness.errors import EnvironmentFailure, SubmissionError, WrongUsageError
from harness.exam.client import ExamClient
from harness.public_copy import publish


def quiet(done, total):
    """Show nothing."""


@pytest.fixture
def public(tmp_path, benchmark):
    return Benchmark(publish(benchmark, tmp_path / "public", exam=["test"]).folder)


def config(name="bm25", history="own", **more):
    return RunConfig(find(name), history, card={"team": "one"}, **more)


def submission(folder):
    return {name: (folder / name).read_bytes() for name in ("card.toml", "predictions.jsonl.zst")}


@pytest.mark.parametrize("history", ["none", "own", "reference"])
@pytest.mark.parametrize("name", ["bm25", "random", "copy_previous", "whole_video", "hybrid"])
def test_an_exam_ends_with_the_bytes_of_a_run_over_files(
    served, public, benchmark, tmp_path, name, history
):
    entry = find(name)
    if history not in entry.about.histories:
        pytest.skip("the baseline has no such history")
    if name == "hybrid" and history == "none":
        pytest.skip("its default reads earlier utterances")
    place = ExamPlace(served.url, served.team("one"), history)
    status = run_exam(config(name, history), public, place, tmp_path / "exam",
                      context=RunContext(), progress=quiet)  # fmt: skip
    assert status["state"] == "finished"
    run_baseline(config(name, history), benchmark, tmp_path / "files")
    assert submission(tmp_path / "exam") == submission(tmp_path / "files")
    assert served.keeper.look() == 0
    assert submission(served.submissions / "one" / status["run"]) == submission(tmp_path / "files")


class CutError(Exception):
    """Stands for a killed process."""


@pytest.mark.parametrize("after", [0, 1, 2, 5])
def test_a_run_that_was_cut_off_goes_on_without_its_disk(
    served, public, tmp_path, monkeypatch, benchmark, after
):
    place, left, answer = (
        ExamPlace(served.url, served.team("one"), "own"),
        [after],
        ExamClient.answer,
    )

    def cut(*arguments):
        if not left[0]:
            raise CutError
        left[0] -= 1
        return answer(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(ExamClient, "answer", cut)
        with pytest.raises(CutError):
            run_exam(config(), public, place, tmp_path / "a", context=RunContext(), progress=quiet)
    status = run_exam(config(), public, place, tmp_path / "b", context=RunContext(), progress=quiet)
    assert status["answered"] == len(benchmark.split("test").turns)
    run_baseline(config(), benchmark, tmp_path / "files")
    assert submission(tmp_path / "b") == submission(tmp_path / "files")
    again = run_exam(config(), public, place, tmp_path / "c", context=RunContext(), progress=quiet)
    assert again == status


def test_a_copy_with_turns_is_refused(served, benchmark, tmp_path):
    place = ExamPlace(served.url, served.team("one"), "own")
    with pytest.raises(WrongUsageError, match="expected a copy for exams on test"):
        run_exam(config(), benchmark, place, tmp_path / "a", context=RunContext(), progress=quiet)


def test_what_the_server_refuses_is_said_in_its_words(served, public, tmp_path):
    where = ExamPlace(served.url, "ivcr_wrong", "own")
    with pytest.raises(SubmissionError, match="expected a token of this server"):
        run_exam(config(), public, where, tmp_path / "a", context=RunContext(), progress=quiet)
    where = ExamPlace(served.url, served.team("one"), "reference")
    with pytest.raises(SubmissionError, match=r"card.history: phase reference is about reference"):
        run_exam(config(), public, where, tmp_path / "a", context=RunContext(), progress=quiet)


def test_receipts_that_do_not_follow_are_a_failure(served, public, tmp_path, monkeypatch):
    place, answers = ExamPlace(served.url, served.team("one"), "own"), ExamClient.answers
    run_exam(config(), public, place, tmp_path / "a", context=RunContext(), progress=quiet)
    monkeypatch.setattr(ExamClient, "answers",
                        lambda client, exam: list(answers(client, exam))[:-1])  # fmt: skip
    with pytest.raises(EnvironmentFailure, match="answers are missing at its end"):
        run_exam(config(), public, place, tmp_path / "b", context=RunContext(), progress=quiet)
