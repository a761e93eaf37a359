"""The cases of an audit: every turn that the published scorer counts, with its outputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from harness.benchmark import Benchmark
from harness.protocols.items import LONGEST, exclusion_reason, items
from harness.protocols.joining import EntryJoin, question_of
from harness.protocols.result_file import ResultEntry
from harness.protocols.source import SourceDialogue, SourceSplit, SourceTurn
from harness.records import Gold, Prediction, Turn, TurnKey

DEPTH = "depth"


class Case(NamedTuple):
    """A turn, and the output that each look-up finds for it (None: none).

    `by_position`: at the item's position; `by_text`: the first whose question is the utterance;
    `by_question`: the same without prefixes; `own`: the item's own. `first_of_task`: an item that
    only creates its counter. `exclusion`: the reason why the turn is no item (D2, D3, depth), or
    None. `turn`, `gold` and `prediction` are the benchmark's and the converted submission's.
    """

    key: TurnKey
    source: SourceTurn
    turn: Turn
    gold: Gold
    has_candidates: bool
    prediction: Prediction
    by_position: str | None
    by_text: str | None
    by_question: str | None
    own: str | None
    first_of_task: bool
    exclusion: str | None


def cases(
    source: SourceSplit,
    entries: Sequence[ResultEntry],
    join: EntryJoin,
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
    by_text, by_question = _first_of_question(source, entries)
    place, seen = 0, set[str]()

    def output(position: int | None) -> str | None:
        return None if position is None else entries[position].output

    for dialogue in source.dialogues:
        for number, turn in enumerate(dialogue.turns, start=1):
            key = TurnKey(dialogue.dialogue_id, number)
            exclusion = _exclusion(dialogue, number)
            by_position = own = None
            if exclusion is None:
                by_position = place if place < len(entries) else None
                own = join.entries[place]
                place += 1
            first = exclusion is None and turn.task not in seen
            seen.update([turn.task] if first else [])
            yield Case(
                key,
                turn,
                *rows[key],
                by_position=output(by_position),
                by_text=output(by_text.get(turn.utterance)),
                by_question=output(by_question.get(turn.utterance)),
                own=output(own),
                first_of_task=first,
                exclusion=exclusion,
            )


def _exclusion(dialogue: SourceDialogue, number: int) -> str | None:
    return exclusion_reason(dialogue) or (DEPTH if number > LONGEST else None)


def _first_of_question(
    source: SourceSplit, entries: Sequence[ResultEntry]
) -> tuple[dict[str, int], dict[str, int]]:
    """The first entry by its question, and by its question without the prefix."""
    known = {item.source_turn.utterance for item in items(source)}
    by_text: dict[str, int] = {}
    by_question: dict[str, int] = {}
    for position, entry in enumerate(entries):
        by_text.setdefault(entry.question, position)
        by_question.setdefault(question_of(entry.question, known) or entry.question, position)
    return by_text, by_question
