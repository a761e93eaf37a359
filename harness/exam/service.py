"""Exams without HTTP: opened, shown turn by turn, answered, finished; each request of one team."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
from sqlalchemy import Connection

from harness.benchmark import Benchmark
from harness.challenge.challenge_file import Phase, require_challenge
from harness.challenge.ledger_lines import time_text
from harness.errors import IvcrError, WrongUsageError
from harness.exam.exam_split import ExamSplit
from harness.exam.receipts import canonical_answer, first_receipt
from harness.exam.refusals import (
    ConflictError,
    ExamRefusal,
    ForbiddenError,
)
from harness.exam.storage import store
from harness.exam.storage.database import Database
from harness.exam.storage.group_commit import GroupCommit
from harness.exam.storage.store import AnswerTime, StoredAnswer, StoredExam
from harness.files import canonical, shown
from harness.records import CandidateUse, Card, History
from harness.schemas.documents import require
from harness.submission import toml_card
from harness.teams.team_file import read_team, team_problem
from harness.validation.rules.card import CARD_LIMIT

MOST_TURNS = 1_000  # of one reply
MOST_ANSWER_BYTES = 8 << 20  # of the answers of one reply, past which it ends
MOST_UNANSWERED = 10  # open exams of a team without an answer: each deals a whole split
LAST_FIELDS = ("cost", "hardware")  # of the card, known only at the end
Clock = Callable[[], datetime]
T = TypeVar("T")


class FinishedExam(NamedTuple):
    """An exam of which all turns are answered: what a submission is written from."""

    exam: StoredExam
    card: Card
    answers: tuple[StoredAnswer, ...]


class ExamService:
    """The exams of one challenge."""

    def __init__(
        self,
        submissions: Path,
        benchmark: Benchmark,
        database: Database,
        *,
        clock: Clock = lambda: datetime.now(UTC),
        practice: Collection[str] = (),
    ) -> None:
        """`practice`: phases whose exams are never verified, as their turns were published.

        Raises WrongUsageError if challenge.toml has no exams that this server can hold,
        EnvironmentFailure if the benchmark lacks a split.
        """
        self._submissions, self._database = submissions, database
        self._challenge = require_challenge(submissions)
        self._clock, self._practice = clock, frozenset(practice)
        self._phases = {each.name: each for each in self._challenge.phases if each.kind == "exam"}
        if not self._phases:
            raise WrongUsageError(
                f"{submissions}/challenge.toml: expected a phase of kind exam, found none; add one"
            )
        for phase in self._phases.values():
            if phase.dialogues is not None:
                raise WrongUsageError(
                    f"{submissions}/challenge.toml: phase {phase.name}: exams over a part of a "
                    "split are not served yet; leave `dialogues` out"
                )
        self._splits = {
            name: ExamSplit(benchmark, name)
            for name in sorted({phase.split for phase in self._phases.values()})
        }
        self._writer = GroupCommit(database)

    def close(self) -> None:
        """Carry out what waits, and end."""
        self._writer.close()

    @property
    def now(self) -> AnswerTime:
        """The server's clock."""
        return _answer_time(self._clock())

    def open_exam(
        self, team: str, request_key: str, body: Mapping[str, Any]
    ) -> Future[Mapping[str, Any]]:
        """Open an exam, or find the one that the same request opened.

        `body`: phase and card. Raises ExamRefusal if the card is not fit; the future raises
        ForbiddenError if the phase is not open or takes no more, ConflictError if another request
        had this key.
        """
        if not 1 <= len(request_key) <= 200:
            raise ExamRefusal("expected a header Idempotency-Key of 1 to 200 characters")
        _only(body, ("phase", "card"))
        phase = self._phase(body.get("phase"))
        card = self._card(team, phase, body.get("card"))
        opening = self._clock()
        now, split = _answer_time(opening), self._splits[phase.split]
        text = canonical(card).decode()
        exam_id = secrets.token_hex(16)

        def carry_out(connection: Connection) -> Mapping[str, Any]:
            known = store.exam_of_request(connection, team, request_key)
            if known is not None:
                if (known.phase, known.card) != (phase.name, text):
                    raise ConflictError(
                        "this Idempotency-Key opened an exam with another phase or card; take "
                        "another key"
                    )
                return _exam_reply(known, len(split.dialogues))
            if not phase.is_open(opening):
                raise ForbiddenError(
                    f"phase {phase.name} is open from {time_text(phase.opens)} until before "
                    f"{time_text(phase.closes)}"
                )
            self._require_quota(connection, team, phase, now.text[:10])
            if store.count_unanswered(connection, team) >= MOST_UNANSWERED:
                raise ForbiddenError(
                    f"{MOST_UNANSWERED} exams of this team are open without an answer; answer one, "
                    "or wait for a deadline"
                )
            seen = store.dialogues_shown(connection, team, phase.split)
            verified = not seen and phase.name not in self._practice
            exam = StoredExam(
                exam_id, team, f"exam-{exam_id[:12]}", phase.name, phase.split, text, request_key,
                int(verified), now.text, _deadline(phase, opening), "open", None,
                sum(turns for _, turns in split.dialogues), 0,
                first_receipt(exam_id, split.fingerprint, card), None, None, 0,
            )  # fmt: skip
            store.add_exam(connection, exam, split.dialogues)
            if not verified and card["history"] == "reference" and split.begins_with_gold:
                store.take_verification(connection, exam)
            return _exam_reply(exam, len(split.dialogues))

        return self._writer.submit(carry_out)

    def turns(self, team: str, exam_id: str, limit: int = MOST_TURNS) -> dict[str, Any]:
        """The open turns, by number, then in the order of the file. Changes nothing."""
        with self._database.reading() as connection:
            exam = store.find_exam(connection, exam_id, team)
            store.require_open(exam, self.now)
            dialogues = store.open_dialogues(connection, exam_id, max(1, min(limit, MOST_TURNS)))
        split, history, candidates = self._shown(exam)
        lines = [
            split.turn_line(each.dialogue_id, each.answered + 1, history, candidates)
            for each in dialogues
        ]
        return {"turns": lines}

    def put_answer(
        self, team: str, exam_id: str, dialogue_id: str, turn: int, body: bytes
    ) -> Future[Mapping[str, Any]]:
        """Keep an answer; the future has its number and receipts once it is on the disk.

        Raises InvalidAnswerError with the problems of validation; the future what
        `store.put_answer` raises.
        """
        with self._database.reading() as connection:
            exam = store.find_exam(connection, exam_id, team)
            store.is_answered(connection, exam, dialogue_id, turn, self.now)
        split = self._splits[exam.split]
        answer = canonical_answer(split.read_answer(dialogue_id, turn, body))

        def carry_out(connection: Connection) -> Mapping[str, Any]:
            current = store.find_exam(connection, exam_id, team)
            now = self.now
            new = not store.is_answered(connection, current, dialogue_id, turn, now)
            phase = self._phases.get(current.phase)
            if new and not current.seq and phase is not None:
                self._require_quota(connection, team, phase, current.opened_at[:10])
            made = store.put_answer(connection, current, dialogue_id, turn, answer, now)
            if new and not current.verified:
                store.take_verification(connection, current)
            return _receipt(made)

        return self._writer.submit(carry_out)

    def answers(self, team: str, exam_id: str, after: int = 0) -> dict[str, Any]:
        """A team's own answers behind number `after`, with their receipts, in their order.

        Each stands with its turn as it was shown, so that a client that lost its disk has the
        utterances of earlier turns again.
        """
        with self._database.reading() as connection:
            exam = store.find_exam(connection, exam_id, team)
            found = store.answers_after(connection, exam_id, after, MOST_TURNS, MOST_ANSWER_BYTES)
        split, history, candidates = self._shown(exam)
        return {
            "answers": [
                {
                    **split.turn_line(each.dialogue_id, each.turn, history, candidates),
                    "answer": msgspec.Raw(bytes(each.answer)),
                    **_receipt(each),
                }
                for each in found
            ]
        }

    def status(self, team: str, exam_id: str) -> dict[str, Any]:
        """State, answered turns, deadline, head of the receipts."""
        exam = self._of(team, exam_id)
        return {
            "exam": exam.id,
            "run": exam.run,
            "phase": exam.phase,
            "state": "expired" if store.has_expired(exam, self.now) else exam.state,
            "why": exam.why,
            "answered": exam.seq,
            "turns": exam.turns,
            "closes": exam.closes_at,
            "head": exam.head,
            "verified": bool(exam.verified),
        }

    def finish(self, team: str, exam_id: str, body: Mapping[str, Any]) -> Future[Mapping[str, Any]]:
        """Finish an exam; its state is there after the commit.

        `body`: the final card, or nothing for the first one. Raises ExamRefusal if the card differs
        from the first one in more than what it cost; the future what `store.finish` raises.
        """
        exam = self._of(team, exam_id)
        _only(body, ("card",))
        final = self._final_card(exam, body.get("card"))

        def carry_out(connection: Connection) -> Mapping[str, Any]:
            current = store.find_exam(connection, exam_id, team)
            store.finish(connection, current, final, self.now)
            return {"exam": exam_id, "run": exam.run, "state": "finished"}

        return self._writer.submit(carry_out)

    def finished_exam(self, team: str, exam_id: str) -> FinishedExam:
        """An exam with its final card and its answers."""
        with self._database.reading() as connection:
            exam = store.find_exam(connection, exam_id, team)
            answers = tuple(store.answers_after(connection, exam_id, 0))
        return FinishedExam(
            exam, msgspec.json.decode(exam.final_card or exam.card, type=Card), answers
        )

    def write(self, carry_out: Callable[[Connection], T]) -> Future[T]:
        """Have a change of the server's own carried out among those of teams."""
        return self._writer.submit(carry_out)

    def _shown(self, exam: StoredExam) -> tuple[ExamSplit, History, CandidateUse]:
        """The split of an exam, and what its card says that is shown of it."""
        card: dict[str, Any] = json.loads(exam.card)
        return self._splits[exam.split], card["history"], card["candidates"]

    def _of(self, team: str, exam_id: str) -> StoredExam:
        with self._database.reading() as connection:
            return store.find_exam(connection, exam_id, team)

    def _phase(self, name: Any) -> Phase:
        phase = self._phases.get(name) if isinstance(name, str) else None
        if phase is None:
            raise ExamRefusal(
                f"phase: expected one of {', '.join(self._phases)}, found {shown(repr(name))}"
            )
        return phase

    def _card(self, team: str, phase: Phase, values: Any) -> dict[str, Any]:
        try:
            found = read_team(self._submissions / team)
        except IvcrError as error:
            raise ExamRefusal(str(error)) from error
        card = _fit(values)
        if card["history"] != phase.history:
            raise ExamRefusal(
                f"card.history: phase {phase.name} is about {phase.history}, found "
                f"{card['history']}"
            )
        if card.get("kind", "predictions") != "predictions":
            raise ExamRefusal("card.kind: an exam takes predictions")
        if problem := team_problem(found, card["team"], self._challenge.terms_version):
            raise ForbiddenError(problem[1])
        return card

    def _final_card(self, exam: StoredExam, values: Any) -> str:
        first: dict[str, Any] = json.loads(exam.card)
        if values is None:
            return exam.card
        final = _fit(values)
        changed = [
            key
            for key in sorted({*first, *final} - set(LAST_FIELDS))
            if first.get(key) != final.get(key)
        ]
        if changed:
            raise ExamRefusal(
                f"card: {', '.join(changed)}: expected as when the exam was opened; only "
                f"{' and '.join(LAST_FIELDS)} may change"
            )
        return canonical(final).decode()

    def _require_quota(self, connection: Connection, team: str, phase: Phase, day: str) -> None:
        """An exam counts from its first answer on, for the day it was opened, unless voided.

        To be asked at the opening and at the first answer: many can be opened before any counts.
        """
        exams = store.exams_of(connection, team, phase.name)
        counting = [each for each in exams if each.seq and each.state != "voided"]
        today = [each for each in counting if each.opened_at[:10] == day]
        for most, used, what in (
            (phase.quota, counting, "exams"),
            (phase.daily, today, "exams of a day"),
        ):
            if most is not None and len(used) >= most:
                raise ForbiddenError(
                    f"all {most} {what} of phase {phase.name} are used; an unfinished one goes on"
                )


def _only(body: Mapping[str, Any], names: Collection[str]) -> None:
    for name in sorted(set(body) - set(names)):
        raise ExamRefusal(f"unknown key {shown(name)}, expected {' and '.join(names)}")


def _fit(values: Any) -> dict[str, Any]:
    """A card that a submission can have: what is found only at the end would cost an exam."""
    if not isinstance(values, Mapping):
        raise ExamRefusal("card: expected a table as in card.toml, found something else")
    card = dict(values)
    try:
        require("card", card, Path("card"), "mend the card", WrongUsageError)
        size = len(toml_card(msgspec.convert(card, Card)).encode())
    except (WrongUsageError, msgspec.ValidationError) as error:
        raise ExamRefusal(str(error)) from error
    if size > CARD_LIMIT:
        raise ExamRefusal(
            f"card: expected at most {CARD_LIMIT:,} bytes as card.toml, found {size:,}; shorten it"
        )
    return card


def _answer_time(time: datetime) -> AnswerTime:
    return AnswerTime(time_text(time), int(time.timestamp() * 1000))


def _deadline(phase: Phase, opening: datetime) -> str:
    closes = phase.closes
    if phase.exam_hours is not None:
        closes = min(closes, opening + timedelta(hours=phase.exam_hours))
    return time_text(closes)


def _exam_reply(exam: StoredExam, dialogues: int) -> dict[str, Any]:
    return {
        "exam": exam.id,
        "run": exam.run,
        "turns": exam.turns,
        "dialogues": dialogues,
        "closes": exam.closes_at,
        "head": exam.head,
        "verified": bool(exam.verified),
    }


def _receipt(answer: StoredAnswer) -> dict[str, Any]:
    return {"seq": answer.seq, "receipt": answer.receipt, "previous": answer.previous}
