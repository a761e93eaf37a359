"""Exams in the database: what is dealt, answered and finished. Each function is one transaction.

Functions that change something check first and write after, so that what they refuse leaves nothing
behind in the transaction of whoever called them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from sqlalchemy import Connection, case, func, insert, select, update

from harness.exam.receipts import receipt
from harness.exam.refusals import (
    AnsweredError,
    ConflictError,
    ExamOverError,
    TurnNotOpenError,
    TurnsOpenError,
    UnknownExamError,
)
from harness.exam.storage.database import ANSWERS, EXAM_DIALOGUES, EXAMS

OPENED, CLOSED = 1, 2
ExamState = Literal["open", "finished", "expired", "voided"]


class StoredExam(NamedTuple):
    """An exam. Times are RFC 3339; `turns`: all that were dealt; `seq`: those answered.

    `head`: the last receipt, or what stands before the first; `card`: canonical JSON. `verified`:
    whether its team had been shown none of its dialogues before. `recorded`: how much of it is in
    the challenge's ledger, of OPENED and CLOSED.
    """

    id: str
    team: str
    run: str
    phase: str
    split: str
    card: str
    request_key: str
    verified: int
    opened_at: str
    closes_at: str
    state: ExamState
    why: str | None
    turns: int
    seq: int
    head: str
    final_card: str | None
    finished_at: str | None
    recorded: int = 0


class DealtDialogue(NamedTuple):
    """A dialogue of an exam: its place, its id, its turns, and how many are answered."""

    place: int
    dialogue_id: str
    turns: int
    answered: int


class StoredAnswer(NamedTuple):
    """An answer with its receipt; `previous`: the receipt before."""

    seq: int
    dialogue_id: str
    turn: int
    answer: bytes
    receipt: str
    previous: str


def find_exam(connection: Connection, exam: str, team: str) -> StoredExam:
    """An exam of a team. Raises UnknownExamError, of another team's as of one that is not there."""
    query = select(EXAMS).where(EXAMS.c.id == exam, EXAMS.c.team == team)
    row = connection.execute(query).first() if _can_be(exam) else None
    if row is None:
        raise UnknownExamError(
            f"exam {exam!r}: expected one of this team's, found none; POST /api/v1/exams opens one"
        )
    return StoredExam(*row)


def exams_of(connection: Connection, team: str, phase: str) -> list[StoredExam]:
    """A team's exams in a phase, the first one first."""
    rows = connection.execute(
        select(EXAMS)
        .where(EXAMS.c.team == team, EXAMS.c.phase == phase)
        .order_by(EXAMS.c.opened_at, EXAMS.c.id)
    )
    return [StoredExam(*row) for row in rows]


def exam_of_request(connection: Connection, team: str, key: str) -> StoredExam | None:
    """The exam that a request with this Idempotency-Key opened."""
    row = connection.execute(
        select(EXAMS).where(EXAMS.c.team == team, EXAMS.c.request_key == key)
    ).first()
    return None if row is None else StoredExam(*row)


def dialogues_shown(connection: Connection, team: str, split: str) -> frozenset[str]:
    """The dialogues of a split that a team was dealt in any exam."""
    rows = connection.execute(
        select(EXAM_DIALOGUES.c.dialogue_id)
        .join(EXAMS, EXAMS.c.id == EXAM_DIALOGUES.c.exam)
        .where(EXAMS.c.team == team, EXAMS.c.split == split)
    )
    return frozenset(rows.scalars())


def count_unanswered(connection: Connection, team: str) -> int:
    """How many open exams of a team have no answer."""
    query = select(func.count()).where(
        EXAMS.c.team == team, EXAMS.c.state == "open", EXAMS.c.seq == 0
    )
    return int(connection.execute(query).scalar_one())


def take_verification(connection: Connection, exam: StoredExam) -> None:
    """Other exams of the team over the same split, while turns of theirs are open, prove nothing.

    To be called with an answer to `exam`, which then shows turns that those have not shown yet, and
    at its opening if it shows gold by itself.
    """
    connection.execute(
        update(EXAMS)
        .where(
            EXAMS.c.team == exam.team,
            EXAMS.c.split == exam.split,
            EXAMS.c.id != exam.id,
            EXAMS.c.verified == 1,
            EXAMS.c.seq < EXAMS.c.turns,
        )
        .values(verified=0)
    )


def add_exam(
    connection: Connection, exam: StoredExam, dialogues: Sequence[tuple[str, int]]
) -> None:
    """Keep a new exam; `dialogues`: ids and numbers of turns, in the order of the file."""
    connection.execute(insert(EXAMS).values(**exam._asdict()))
    connection.execute(
        insert(EXAM_DIALOGUES),
        [
            {"exam": exam.id, **DealtDialogue(place, name, turns, 0)._asdict()}
            for place, (name, turns) in enumerate(dialogues)
        ],
    )


def open_dialogues(connection: Connection, exam: str, limit: int) -> list[DealtDialogue]:
    """The dialogues with an open turn, by that turn's number, then in the order of the file."""
    columns = (
        EXAM_DIALOGUES.c.place,
        EXAM_DIALOGUES.c.dialogue_id,
        EXAM_DIALOGUES.c.turns,
        EXAM_DIALOGUES.c.answered,
    )
    rows = connection.execute(
        select(*columns)
        .where(EXAM_DIALOGUES.c.exam == exam, EXAM_DIALOGUES.c.answered < EXAM_DIALOGUES.c.turns)
        .order_by(EXAM_DIALOGUES.c.answered, EXAM_DIALOGUES.c.place)
        .limit(limit)
    )
    return [DealtDialogue(*row) for row in rows]


def answers_after(
    connection: Connection,
    exam: str,
    after: int,
    limit: int | None = None,
    most_bytes: int | None = None,
) -> list[StoredAnswer]:
    """The answers behind number `after`, in their order.

    At most `limit`, and no more once their answers together have `most_bytes`.
    """
    columns = [ANSWERS.c[name] for name in StoredAnswer._fields]
    rows = connection.execute(
        select(*columns)
        .where(ANSWERS.c.exam == exam, ANSWERS.c.seq > after)
        .order_by(ANSWERS.c.seq)
        .limit(limit)
        .execution_options(yield_per=20)
    )
    found, size = [], 0
    for row in rows:
        found.append(StoredAnswer(*row))
        size += len(found[-1].answer)
        if most_bytes is not None and size >= most_bytes:
            rows.close()
            break
    return found


def put_answer(
    connection: Connection,
    exam: StoredExam,
    dialogue_id: str,
    turn: int,
    answer: bytes,
    now: AnswerTime,
) -> StoredAnswer:
    """Keep the answer to an open turn, or find that it is kept already.

    `answer`: canonical; `exam`: as it was found in this transaction. Raises TurnNotOpenError,
    AnsweredError if the turn has another answer, ExamOverError past the deadline or if the exam is
    not open.
    """
    if is_answered(connection, exam, dialogue_id, turn, now):
        return _kept(connection, exam, dialogue_id, turn, answer)
    seq = exam.seq + 1
    made = StoredAnswer(
        seq, dialogue_id, turn, answer,
        receipt(exam.head, seq, dialogue_id, turn, answer), exam.head,
    )  # fmt: skip
    connection.execute(insert(ANSWERS).values(exam=exam.id, at_ms=now.ms, **made._asdict()))
    connection.execute(
        update(EXAM_DIALOGUES)
        .where(EXAM_DIALOGUES.c.exam == exam.id, EXAM_DIALOGUES.c.dialogue_id == dialogue_id)
        .values(answered=turn)
    )
    connection.execute(
        update(EXAMS).where(EXAMS.c.id == exam.id).values(seq=seq, head=made.receipt)
    )
    return made


def is_answered(
    connection: Connection, exam: StoredExam, dialogue_id: str, turn: int, now: AnswerTime
) -> bool:
    """Whether a turn has an answer already, or is open for one.

    Raises TurnNotOpenError if neither, ExamOverError if it is open and the exam takes no answers.
    To be asked before an answer is looked at: what is wrong with it tells the task of its turn.
    """
    query = select(EXAM_DIALOGUES.c.answered, EXAM_DIALOGUES.c.turns).where(
        EXAM_DIALOGUES.c.exam == exam.id, EXAM_DIALOGUES.c.dialogue_id == dialogue_id
    )
    found = connection.execute(query).first() if _can_be(dialogue_id) else None
    if found is None or not 1 <= turn <= found.turns or turn > found.answered + 1:
        # One answer for all of these: it tells neither which dialogues exist nor how long they are.
        raise TurnNotOpenError(
            f"turn {turn} of dialogue {dialogue_id!r}: expected an open turn; GET "
            f"/api/v1/exams/{exam.id}/turns shows them"
        )
    if turn <= found.answered:
        return True
    require_open(exam, now)
    return False


class AnswerTime(NamedTuple):
    """The server's clock: RFC 3339 in UTC, and in milliseconds since 1970."""

    text: str
    ms: int


def require_open(exam: StoredExam, now: AnswerTime) -> None:
    """Raises ExamOverError unless the exam takes answers at that time.

    A deadline ends an exam with open turns: one that is answered whole can still be finished.
    """
    if exam.state != "open":
        raise ExamOverError(f"exam {exam.id}: it is {exam.state} and takes no answers any more")
    if has_expired(exam, now):
        raise ExamOverError(
            f"exam {exam.id}: its deadline was {exam.closes_at}, the server's time is {now.text}"
        )


def _can_be(name: str) -> bool:
    """Whether a database can be asked for a name: PostgreSQL's texts hold no NUL."""
    return "\0" not in name


def has_expired(exam: StoredExam, now: AnswerTime) -> bool:
    """Whether the deadline of an open exam has passed while turns are open."""
    return exam.state == "open" and exam.seq < exam.turns and now.text >= exam.closes_at


def _kept(
    connection: Connection, exam: StoredExam, dialogue_id: str, turn: int, answer: bytes
) -> StoredAnswer:
    columns = [ANSWERS.c[name] for name in StoredAnswer._fields]
    row = connection.execute(
        select(*columns).where(
            ANSWERS.c.exam == exam.id,
            ANSWERS.c.dialogue_id == dialogue_id,
            ANSWERS.c.turn == turn,
        )
    ).one()
    kept = StoredAnswer(*row)
    if bytes(kept.answer) != answer:
        raise AnsweredError(
            f"turn {turn} of dialogue {dialogue_id!r}: it has another answer (number {kept.seq}), "
            "which counts",
            {"seq": kept.seq, "receipt": kept.receipt},
        )
    return kept


def finish(
    connection: Connection, exam: StoredExam, final_card: str, now: AnswerTime
) -> StoredExam:
    """Close an exam of which all turns are answered; again with the same card: as it is.

    Raises TurnsOpenError while turns are open, ConflictError if it was finished with another card,
    ExamOverError if it expired or was voided.
    """
    if exam.state == "finished":
        if exam.final_card != final_card:
            raise ConflictError(f"exam {exam.id}: it was finished with another card, which counts")
        return exam
    if exam.state != "open":
        raise ExamOverError(f"exam {exam.id}: it is {exam.state}")
    if exam.seq < exam.turns:
        require_open(exam, now)
        raise TurnsOpenError(
            f"exam {exam.id}: expected answers to all {exam.turns:,} turns, found {exam.seq:,}; "
            "answer the others first",
            {"answered": exam.seq, "turns": exam.turns},
        )
    change = {"state": "finished", "final_card": final_card, "finished_at": now.text}
    connection.execute(update(EXAMS).where(EXAMS.c.id == exam.id).values(**change))
    return exam._replace(state="finished", final_card=final_card, finished_at=now.text)


def void_exam(connection: Connection, exam: str, why: str) -> bool:
    """Void an exam that is open or has expired; whether it was."""
    found = connection.execute(
        update(EXAMS)
        .where(EXAMS.c.id == exam, EXAMS.c.state.in_(("open", "expired")))
        .values(
            state="voided",
            why=why,
            recorded=case((EXAMS.c.recorded < OPENED, EXAMS.c.recorded), else_=OPENED),
        )
    )
    return bool(found.rowcount)


def all_exams(connection: Connection) -> list[StoredExam]:
    """All exams, the first one first."""
    rows = connection.execute(select(EXAMS).order_by(EXAMS.c.opened_at, EXAMS.c.id))
    return [StoredExam(*row) for row in rows]


def unrecorded(connection: Connection) -> list[StoredExam]:
    """Exams of which the ledger does not have all yet, in the order in which they were opened."""
    rows = connection.execute(
        select(EXAMS)
        .where(EXAMS.c.recorded < case((EXAMS.c.state == "open", OPENED), else_=CLOSED))
        .order_by(EXAMS.c.opened_at, EXAMS.c.id)
    )
    return [StoredExam(*row) for row in rows]


def set_recorded(connection: Connection, exam: StoredExam, recorded: int) -> None:
    """Remember how much of an exam the ledger has, unless its state has changed meanwhile."""
    connection.execute(
        update(EXAMS)
        .where(EXAMS.c.id == exam.id, EXAMS.c.state == exam.state)
        .values(recorded=recorded)
    )


def let_expire(connection: Connection, now: AnswerTime) -> int:
    """Close all exams with open turns whose deadline has passed; how many."""
    found = connection.execute(
        update(EXAMS)
        .where(EXAMS.c.state == "open", EXAMS.c.seq < EXAMS.c.turns, EXAMS.c.closes_at <= now.text)
        .values(state="expired")
    )
    return int(found.rowcount)
