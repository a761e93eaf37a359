"""The dialogues on which two systems differ most, turn by turn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from harness.comparison.entrants import Entrant, EntrantSet
from harness.outcomes import Bools
from harness.records import ABSENT_RANK, Gold, Moment, Turn


class JudgedAnswer(Struct, frozen=True):
    """The first answer of a system in a turn, and its result.

    `right` is None where the turn does not count; `rank` is None past 100, `iou` None where there
    is no gold span. Moments in milliseconds.
    """

    right: bool | None
    rank: int | None
    iou: float | None
    video: str | None
    moment: Moment | None


class TurnComparison(Struct, frozen=True):
    """A turn with its gold and the answers of both systems; the gold span in milliseconds."""

    turn: int
    task: str
    utterance: str
    gold: str | None
    span: tuple[int, int] | None
    first: JudgedAnswer
    second: JudgedAnswer


class DialogueComparison(Struct, frozen=True):
    """A dialogue with different results of two systems: the turns that each has right, of `turns`.

    `seen`: the turns of the dialogue.
    """

    first: str
    second: str
    dialogue_id: str
    type: int
    language: str
    first_right: int
    second_right: int
    turns: int
    seen: tuple[TurnComparison, ...]


def largest_disagreements(
    systems: EntrantSet, first: Entrant, second: Entrant, count: int
) -> list[DialogueComparison]:
    """The `count` dialogues with the greatest difference in turns right, greatest first.

    Over the retrieval turns of the tasks that both systems answer; dialogues of type 7 are left
    out: their turns are independent. Ties go to the dialogue in which more turns differ, then
    to the earlier one in the split. Dialogues with equal numbers of right turns are left out.
    """
    frame = systems.frame
    counted = first.attempts & second.attempts & frame.dialogue_turns
    wins = (first.right.astype(int) - second.right.astype(int)) * counted
    net = np.abs(np.bincount(frame.dialogue, weights=wins))
    some = np.bincount(frame.dialogue, weights=np.abs(wins))
    order = np.lexsort((np.arange(len(net)), -some, -net))[:count]
    return [_dialogue(systems, first, second, int(at), counted) for at in order if net[at]]


def _dialogue(
    systems: EntrantSet, first: Entrant, second: Entrant, dialogue: int, counted: Bools
) -> DialogueComparison:
    rows = np.flatnonzero(systems.frame.dialogue == dialogue)
    mine = counted & (systems.frame.dialogue == dialogue)
    turns = [systems.split.turns[row] for row in rows]
    return DialogueComparison(
        first=first.label,
        second=second.label,
        dialogue_id=turns[0].dialogue_id,
        type=turns[0].type,
        language="/".join(sorted({turn.language for turn in turns})),
        first_right=int(first.right[mine].sum()),
        second_right=int(second.right[mine].sum()),
        turns=int(mine.sum()),
        seen=tuple(_turns(systems, first, second, rows.tolist(), counted)),
    )


def _turns(
    systems: EntrantSet, first: Entrant, second: Entrant, rows: list[int], counted: Bools
) -> Iterator[TurnComparison]:
    for row in rows:
        turn, gold = systems.split.turns[row], systems.gold[row]
        yield TurnComparison(
            turn=turn.turn,
            task=turn.task,
            utterance=turn.utterance,
            gold=gold.video_id,
            span=None if gold.moment is None else (gold.moment.start, gold.moment.end),
            first=_answer(first, row, turn, gold, bool(counted[row])),
            second=_answer(second, row, turn, gold, bool(counted[row])),
        )


def _answer(entrant: Entrant, row: int, turn: Turn, gold: Gold, counts: bool) -> JudgedAnswer:
    rank, iou = int(entrant.outcomes.rank[row]), float(entrant.outcomes.iou[row])
    return JudgedAnswer(
        right=bool(entrant.right[row]) if counts else None,
        rank=rank if turn.task == "video" and rank < ABSENT_RANK else None,
        iou=None if gold.moment is None else float(f"{iou:.10g}"),
        video=entrant.top_answers[row].video if turn.task == "video" else None,
        moment=entrant.top_answers[row].moment if turn.task == "moment" else None,
    )
