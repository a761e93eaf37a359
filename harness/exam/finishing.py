"""From an exam to a run of the challenge: the ledger's lines, a submission folder, scores.

Every step may be repeated: a server that was killed in between begins again and ends with the same.
"""

from __future__ import annotations

from pathlib import Path

from harness.benchmark import Benchmark
from harness.challenge.ledger import writing
from harness.challenge.ledger_lines import EventName, LedgerEvent
from harness.challenge.reasons import phase_reason
from harness.challenge.state import ChallengeState, replay
from harness.errors import EnvironmentFailure
from harness.exam.receipts import prediction_of
from harness.exam.service import FinishedExam
from harness.exam.storage.store import StoredExam
from harness.records import Prediction
from harness.results import Scored, score_all, scorer_line, submission_sha256
from harness.submission import write


def exam_predictions(finished: FinishedExam, benchmark: Benchmark) -> list[Prediction]:
    """The answers of an exam as predictions, in the order of the split."""
    found = {
        (each.dialogue_id, each.turn): prediction_of(
            each.dialogue_id, each.turn, bytes(each.answer)
        )
        for each in finished.answers
    }
    return [found[turn.key] for turn in benchmark.split(finished.exam.split).turns]


def write_exam(finished: FinishedExam, benchmark: Benchmark, folder: Path) -> None:
    """Write the submission of a finished exam; the same bytes each time."""
    write(folder, finished.card, exam_predictions(finished, benchmark))


class ExamRecords:
    """The exams of a challenge in its ledger, among its submissions and its results."""

    def __init__(self, submissions: Path, benchmark: Benchmark, results: Path) -> None:
        """`results`: the organizers' results folder, outside `submissions`."""
        self._submissions, self._benchmark, self._results = submissions, benchmark, results

    def record_opening(self, exam: StoredExam) -> None:
        """Tell the ledger that an exam was opened."""
        self._tell(exam, ("exam-opened",))

    def record_end(self, exam: StoredExam) -> None:
        """Tell the ledger that an exam expired or was voided."""
        self._tell(exam, ("exam-voided" if exam.state == "voided" else "exam-expired",))

    def record_run(self, finished: FinishedExam) -> None:
        """Write the submission, score it, and tell the ledger what it does not have yet.

        Raises EnvironmentFailure if it cannot be scored through a fault of the server.
        """
        exam = finished.exam
        folder = self._submissions / exam.team / exam.run
        write_exam(finished, self._benchmark, folder)
        sha256 = submission_sha256(folder, len(self._benchmark.split(exam.split).turns))
        self._tell(exam, ("exam-finished", "accepted"), sha256)
        (outcome,) = score_all(
            [folder], self._benchmark.folder, exam.split, self._results, processes=1
        )
        if not isinstance(outcome, Scored):
            raise EnvironmentFailure(f"{exam.team}/{exam.run}: not scored: {outcome.reason}")
        self._tell(exam, ("scored",), sha256, outcome)

    def _tell(
        self,
        exam: StoredExam,
        events: tuple[EventName, ...],
        sha256: str | None = None,
        scored: Scored | None = None,
    ) -> None:
        header = self._benchmark.header
        with writing(self._submissions) as ledger:
            lines = ledger.read()
            state = replay(lines.lines, lines.head)
            ledger.append(
                LedgerEvent(
                    event=event,
                    team=exam.team,
                    run=exam.run,
                    submission_sha256=sha256,
                    scores_sha256=None if scored is None else scored.scores_sha256,
                    fingerprint=header.fingerprint,
                    gold_sha256=None if scored is None else header.gold_sha256[exam.split],
                    scorer=None if scored is None else scorer_line(),
                    why=_why(event, exam),
                )
                for event in events
                if not _is_told(event, f"{exam.team}/{exam.run}", state)
            )


def _why(event: EventName, exam: StoredExam) -> str | None:
    if event == "exam-voided":
        return exam.why
    return None if event == "scored" else phase_reason(exam.phase)


def _is_told(event: EventName, key: str, state: ChallengeState) -> bool:
    if event.startswith("exam-"):
        last = state.exams.get(key)
        return last is not None and (event == "exam-opened" or last.event == event)
    version = run.version if (run := state.runs.get(key)) is not None else None
    return version is not None and (event == "accepted" or version.scored_at is not None)
