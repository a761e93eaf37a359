"""The dialogues on which two systems differ most, turn by turn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from harness.comparison.entrants import Entrant, Field
from harness.outcomes import Bools
from harness.records import ABSENT_RANK, Gold, Moment, Turn


class Answer(Struct, frozen=True):
    """What a system said in a turn: what it put first, and how that stands to the gold.

    `right` is None where the turn does not count; `rank` is None past 100, `iou` None where there
    is no gold span. Moments in milliseconds.
    """

    right: bool | None
    rank: int | None
    iou: float | None
    video: str | None
    moment: Moment | None


class TurnSeen(Struct, frozen=True):
    """A turn with its gold and what both systems said; the gold span in milliseconds."""

    turn: int
    task: str
    utterance: str
    gold: str | None
    span: tuple[int, int] | None
    first: Answer
    second: Answer


class DialogueSeen(Struct, frozen=True):
    """A dialogue that two systems answer differently: how many turns each has right, of `turns`."""

    first: str
    second: str
    dialogue_id: str
    type: int
    language: str
    first_right: int
    second_right: int
    turns: int
    seen: tuple[TurnSeen, ...]


def most_unlike(field: Field, first: Entrant, second: Entrant, count: int) -> list[DialogueSeen]:
    """The `count` dialogues with the greatest difference in turns right, greatest first.

    Over the retrieval turns of the tasks that both systems answer; dialogues of type 7 are left
    out: their turns are independent. Among equals the more turns differ the earlier, then in the
    order of the split. Dialogues in which no turn is won on balance are not shown.
    """
    frame = field.frame
    counted = first.answers & second.answers & frame.dialogue_turns
    wins = (first.right.astype(int) - second.right.astype(int)) * counted
    net = np.abs(np.bincount(frame.dialogue, weights=wins))
    some = np.bincount(frame.dialogue, weights=np.abs(wins))
    order = np.lexsort((np.arange(len(net)), -some, -net))[:count]
    return [_seen(field, first, second, int(at), counted) for at in order if net[at]]


def _seen(
    field: Field, first: Entrant, second: Entrant, dialogue: int, counted: Bools
) -> DialogueSeen:
    rows = np.flatnonzero(field.frame.dialogue == dialogue)
    mine = counted & (field.frame.dialogue == dialogue)
    turns = [field.split.turns[row] for row in rows]
    return DialogueSeen(
        first=first.label,
        second=second.label,
        dialogue_id=turns[0].dialogue_id,
        type=turns[0].type,
        language="/".join(sorted({turn.language for turn in turns})),
        first_right=int(first.right[mine].sum()),
        second_right=int(second.right[mine].sum()),
        turns=int(mine.sum()),
        seen=tuple(_turns(field, first, second, rows.tolist(), counted)),
    )


def _turns(
    field: Field, first: Entrant, second: Entrant, rows: list[int], counted: Bools
) -> Iterator[TurnSeen]:
    for row in rows:
        turn, gold = field.split.turns[row], field.gold[row]
        yield TurnSeen(
            turn=turn.turn,
            task=turn.task,
            utterance=turn.utterance,
            gold=gold.video_id,
            span=None if gold.moment is None else (gold.moment.start, gold.moment.end),
            first=_answer(first, row, turn, gold, bool(counted[row])),
            second=_answer(second, row, turn, gold, bool(counted[row])),
        )


def _answer(entrant: Entrant, row: int, turn: Turn, gold: Gold, counts: bool) -> Answer:
    rank, iou = int(entrant.outcomes.rank[row]), float(entrant.outcomes.iou[row])
    return Answer(
        right=bool(entrant.right[row]) if counts else None,
        rank=rank if turn.task == "video" and rank < ABSENT_RANK else None,
        iou=None if gold.moment is None else float(f"{iou:.10g}"),
        video=entrant.said[row].video if turn.task == "video" else None,
        moment=entrant.said[row].moment if turn.task == "moment" else None,
    )
