"""A baseline in an exam: the server's turns as the runner takes them, and the answers to it."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from harness.benchmark import Benchmark
from harness.errors import EnvironmentFailure, SubmissionError, WrongUsageError
from harness.exam.client import ExamClient, ExamError, check_receipts
from harness.records import Moment, Prediction, Turn
from harness.submission import toml_card, write

if TYPE_CHECKING:
    from baselines.running.exam_run import AnsweredTurn, ShownTurn
    from baselines.running.run_config import RunConfig, RunContext
    from baselines.running.runner import Progress


T = TypeVar("T")


class ExamPlace(NamedTuple):
    """Where an exam is: the server's address, a team's token, a phase; `attempt`: from 1."""

    url: str
    token: str
    phase: str
    attempt: int = 1


class ServerTurns:
    """The turns of one exam, as `baselines.running.exam_run.TurnSource` has them."""

    def __init__(self, client: ExamClient, exam: str) -> None:
        """`exam`: its id."""
        self._client, self._exam = client, exam

    def answered(self) -> Iterator[AnsweredTurn]:
        """The answers so far. Raises EnvironmentFailure or SubmissionError as all methods do."""
        from baselines.running.exam_run import AnsweredTurn

        for line in _reply_to(lambda: list(self._client.answers(self._exam))):
            shown = _shown(line)
            yield AnsweredTurn(shown, _prediction(shown.turn, line["answer"]))

    def open_turns(self) -> Sequence[ShownTurn]:
        """The open turns, by number."""
        return [_shown(line) for line in _reply_to(lambda: self._client.turns(self._exam))]

    def put(self, prediction: Prediction) -> None:
        """Hand an answer in."""
        values: dict[str, Any] = {
            name: list(value)
            for name in ("videos", "choice")
            if (value := getattr(prediction, name)) is not None
        }
        if prediction.response is not None:
            values["response"] = prediction.response
        if prediction.moments is not None:
            values["moments"] = [
                {"video_id": each.video_id, "start": each.start / 1000, "end": each.end / 1000}
                for each in prediction.moments
            ]
        place = (self._exam, prediction.dialogue_id, prediction.turn)
        _reply_to(lambda: self._client.answer(*place, values))


def run_exam(
    config: RunConfig,
    benchmark: Benchmark,
    place: ExamPlace,
    out: Path,
    *,
    context: RunContext,
    progress: Progress,
) -> dict[str, Any]:
    """Answer an exam with a baseline and write what was handed in to `out`; its final state.

    `benchmark`: the copy for exams. The same call goes on with an exam that was cut off. Raises
    WrongUsageError at a benchmark with turns, an address that is none or a baseline that does not
    fit, SubmissionError at what the server refuses, EnvironmentFailure if no reply comes or
    receipts do not fit.
    """
    from baselines.provenance.threads import computing_with
    from baselines.running.exam_run import answer_exam, start_exam
    from baselines.running.provenance import run_key

    about = benchmark.header.exam
    if about is None or config.split not in about.splits:
        raise WrongUsageError(
            f"{benchmark.folder}: expected a copy for exams on {config.split}, found none; the "
            "organizers make one by `ivcr data publish --exam`"
        )
    try:
        client = ExamClient(place.url, place.token)
    except ValueError as error:
        raise WrongUsageError(f"--exam: {error}") from error
    with closing(client), computing_with(config.threads):
        run = start_exam(config, benchmark, context)
        card = tomllib.loads(toml_card(run.card)) | {"kind": "predictions"}
        key = run_key(run.card, run.record, {f"phase {place.phase}, attempt": place.attempt})
        found = _reply_to(lambda: client.open(place.phase, card, key))
        exam = found["exam"]
        context.note(f"exam {exam}: {found['turns']:,} turns, until {found['closes']}")
        if _reply_to(lambda: client.status(exam))["state"] == "open":
            answer_exam(run, ServerTurns(client, exam), found["turns"], progress)
            _reply_to(lambda: client.finish(exam))
        answers = _reply_to(lambda: list(client.answers(exam)))
        status = _reply_to(lambda: client.status(exam))
    try:
        head = check_receipts(exam, about.of, card, answers)
    except ValueError as error:
        raise EnvironmentFailure(
            f"{place.url}: exam {exam}: {error}; ask the organizers"
        ) from error
    if head != status["head"]:
        raise EnvironmentFailure(f"{place.url}: exam {exam}: answers are missing at its end")
    write(out, run.card, _in_file_order(answers))
    return status


def _in_file_order(answers: Sequence[Mapping[str, Any]]) -> list[Prediction]:
    """Predictions by dialogue and turn: first turns are shown in the order of the file."""
    dialogues = [line["dialogue_id"] for line in answers if line["turn"] == 1]
    places = {name: place for place, name in enumerate(dialogues)}
    ordered = sorted(answers, key=lambda line: (places[line["dialogue_id"]], line["turn"]))
    return [_prediction(_shown(line).turn, line["answer"]) for line in ordered]


def _shown(line: Mapping[str, Any]) -> ShownTurn:
    from baselines.base import Exchange
    from baselines.running.exam_run import ShownTurn

    names = Turn.__struct_fields__
    return ShownTurn(
        Turn(**{name: line[name] for name in names}),
        tuple(line.get("candidates", ())),
        line.get("video_id"),
        tuple(
            Exchange(
                each["task"],
                each["utterance"],
                each["answer"],
                each["video_id"],
                tuple(each.get("candidates", ())),
            )
            for each in line.get("history", ())
        ),
    )


def _prediction(turn: Turn, answer: Mapping[str, Any]) -> Prediction:
    moments = answer.get("moments")
    return Prediction(
        turn.dialogue_id,
        turn.turn,
        answer.get("videos"),
        None if moments is None else tuple(Moment(**each) for each in moments),
        answer.get("choice"),
        answer.get("response"),
    )


def _reply_to(call: Callable[[], T]) -> T:
    """A reply of the server; what it refuses is the submission's, no reply the environment's."""
    try:
        return call()
    except ExamError as error:
        kind = SubmissionError if 400 <= error.status < 500 else EnvironmentFailure
        raise kind(str(error)) from error
