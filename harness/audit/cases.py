"""What an audit looks at: every turn that the published scorer counts, with all that moves it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from harness.benchmark import Benchmark
from harness.protocols.items import LONGEST, items, why_left_out
from harness.protocols.joining import Joined, question_of
from harness.protocols.result_file import Entry
from harness.protocols.source import Source, SourceDialogue, SourceTurn
from harness.records import Gold, Prediction, Turn, TurnKey

DEPTH = "depth"


class Case(NamedTuple):
    """A turn, and which output each way of looking finds for it (None: none).

    `positioned`: at the item's position; `worded`: the first whose question is the utterance;
    `asked`: the same, prefixes taken off; `own`: the item's own. `first`: an item that only creates
    its counter. `left_out`: the reason why the turn is no item (D2, D3, depth), or None. `turn`,
    `gold` and `prediction` are the benchmark's and the converted submission's.
    """

    key: TurnKey
    source: SourceTurn
    turn: Turn
    gold: Gold
    has_candidates: bool
    prediction: Prediction
    positioned: str | None
    worded: str | None
    asked: str | None
    own: str | None
    first: bool
    left_out: str | None


def cases(
    source: Source,
    entries: Sequence[Entry],
    joined: Joined,
    benchmark: Benchmark,
    split: str,
    predictions: Sequence[Prediction],
) -> Iterator[Case]:
    """All turns of dialogues of type other than 0, in the order of the file."""
    public, gold = benchmark.split(split), benchmark.gold(split)
    rows = {
        turn.key: (turn, right, bool(public.candidates.get(turn.key)), prediction)
        for turn, right, prediction in zip(public.turns, gold, predictions, strict=True)
    }
    worded, asked = _first_of_question(source, entries)
    place, seen = 0, set[str]()

    def output(position: int | None) -> str | None:
        return None if position is None else entries[position].output

    for dialogue in source.dialogues:
        for number, turn in enumerate(dialogue.turns, start=1):
            key = TurnKey(dialogue.dialogue_id, number)
            left_out = _left_out(dialogue, number)
            positioned = own = None
            if left_out is None:
                positioned = place if place < len(entries) else None
                own = joined.entries[place]
                place += 1
            first = left_out is None and turn.task not in seen
            seen.update([turn.task] if first else [])
            yield Case(
                key,
                turn,
                *rows[key],
                positioned=output(positioned),
                worded=output(worded.get(turn.utterance)),
                asked=output(asked.get(turn.utterance)),
                own=output(own),
                first=first,
                left_out=left_out,
            )


def _left_out(dialogue: SourceDialogue, number: int) -> str | None:
    return why_left_out(dialogue) or (DEPTH if number > LONGEST else None)


def _first_of_question(
    source: Source, entries: Sequence[Entry]
) -> tuple[dict[str, int], dict[str, int]]:
    """The first entry by its question as it stands, and by its question without the prefix."""
    known = {item.asked.utterance for item in items(source)}
    worded: dict[str, int] = {}
    asked: dict[str, int] = {}
    for position, entry in enumerate(entries):
        worded.setdefault(entry.question, position)
        asked.setdefault(question_of(entry.question, known) or entry.question, position)
    return worded, asked
