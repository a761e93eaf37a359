"""Protocol `official`: the counts of the published scorer, defect for defect, in linear time.

Source: the public code of the benchmark's authors (repository ivcr200k/ivcr200k.github.io, July
2025). Where that scorer stops with an error, the figure is null and says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from harness.protocols.items import items
from harness.protocols.judging import WRONG, Verdict, figures_of, judge
from harness.protocols.result_file import ResultEntry
from harness.protocols.source import SourceDialogue, SourceSplit, SourceTurn

ALL = "all"


class OfficialCount(NamedTuple):
    """An official figure: right answers over turns; `why` says where the published scorer stops.

    `right` counts on past such a stop, which is then wrong; `dialogues`: the number of dialogues
    of the turns.
    """

    right: int
    turns: int
    dialogues: int
    why: str | None = None


class JudgedTurn(NamedTuple):
    """A turn as one of the two tables judges it; `entry`: the position of its answer, None: none.

    `counted` is False for an item that only creates its counter (D1).
    """

    dialogue: SourceDialogue
    number: int
    entry: int | None
    verdict: Verdict
    counted: bool = True

    @property
    def turn(self) -> SourceTurn:
        """The turn itself."""
        return self.dialogue.turns[self.number - 1]


OfficialTable = dict[str, dict[str, OfficialCount]]


def count(source: SourceSplit, entries: Sequence[ResultEntry]) -> OfficialTable:
    """The official counts of a result file by slice ("all", then "turn=N") and figure."""
    sums = _Sums()
    for dialogue in source.dialogues:
        sums.add_sizes(dialogue)
    tasks = set()
    for item in overall(source, entries):
        tasks.add(item.turn.task)
        sums.add(ALL, item)
    for turn in by_turn(source, entries):
        sums.add(f"turn={turn.number}", turn)
    table = {name: sums.cells(name) for name in sums.slices()}
    table[ALL] = _with_stops(table[ALL], "video" in tasks, "moment" in tasks)
    missing = sum(1 for _ in items(source)) - len(entries)
    if missing > 0:
        why = f"{missing:,} answers too few for the items: the published scorer stops"
        table[ALL] = {figure: cell._replace(why=why) for figure, cell in table[ALL].items()}
    if source.odd is not None:
        why = f"{source.odd}; what the published scorer does there is not known"
        return {
            name: {figure: cell._replace(why=why) for figure, cell in cells.items()}
            for name, cells in table.items()
        }
    return table


def overall(source: SourceSplit, entries: Sequence[ResultEntry]) -> Iterator[JudgedTurn]:
    """All items, each judged by the entry at its position; a missing entry is wrong."""
    seen: set[str] = set()
    for position, item in enumerate(items(source)):
        turn = item.source_turn
        given = position if position < len(entries) else None
        verdict = WRONG[turn.task] if given is None else judge(entries[given].output, turn)
        yield JudgedTurn(item.dialogue, item.turn, given, verdict, counted=turn.task in seen)
        seen.add(turn.task)


def by_turn(source: SourceSplit, entries: Sequence[ResultEntry]) -> Iterator[JudgedTurn]:
    """All turns, each judged by the first entry whose question is its utterance."""
    first: dict[str, int] = {}
    for position, entry in enumerate(entries):
        first.setdefault(entry.question, position)
    for dialogue in source.dialogues:
        for number, turn in enumerate(dialogue.turns, start=1):
            given = first.get(turn.utterance)
            verdict = WRONG[turn.task] if given is None else judge(entries[given].output, turn)
            yield JudgedTurn(dialogue, number, given, verdict)


def _with_stops(
    cells: dict[str, OfficialCount], videos: bool, moments: bool
) -> dict[str, OfficialCount]:
    """The cells of "all"; without an item of one kind, its counter does not exist."""
    why = {
        figure: None if there else f"no item is a {task} turn: the published scorer has no counter"
        for task, there in (("video", videos), ("moment", moments))
        for figure in figures_of(task)
    }
    return {figure: cell._replace(why=cell.why or why[figure]) for figure, cell in cells.items()}


class _Sums:
    """Running counts by slice and figure."""

    def __init__(self) -> None:
        self.right: Counter[tuple[str, str]] = Counter()
        self.turns: Counter[tuple[str, str]] = Counter()
        self.dialogues: Counter[tuple[str, str]] = Counter()
        self.stops: dict[tuple[str, str], str] = {}
        self.longest = 0

    def add_sizes(self, dialogue: SourceDialogue) -> None:
        """Count a dialogue's turns into the denominators."""
        self.longest = max(self.longest, len(dialogue.turns))
        for number, turn in enumerate(dialogue.turns, start=1):
            self.turns[ALL, turn.task] += 1
            self.turns[f"turn={number}", turn.task] += 1
            self.dialogues[f"turn={number}", turn.task] += 1
        self.dialogues.update((ALL, task) for task in {turn.task for turn in dialogue.turns})

    def add(self, name: str, judged: JudgedTurn) -> None:
        """Count one judged turn into the numerators."""
        verdict = judged.verdict
        for figure, right in zip(figures_of(judged.turn.task), verdict.right, strict=True):
            self.right[name, figure] += right and judged.counted
            if verdict.stops is not None:
                self.stops.setdefault((name, figure), verdict.stops)

    def slices(self) -> list[str]:
        """ "all" and every turn number."""
        return [ALL, *(f"turn={number}" for number in range(1, self.longest + 1))]

    def cells(self, name: str) -> dict[str, OfficialCount]:
        """The figures of one slice."""
        return {
            figure: self._cell(name, figure, task)
            for task in ("video", "moment")
            for figure in figures_of(task)
        }

    def _cell(self, name: str, figure: str, task: str) -> OfficialCount:
        turns = self.turns[name, task]
        why = self.stops.get((name, figure))
        if not turns:
            why = f"no {task} turn here: the published scorer divides by zero"
        return OfficialCount(self.right[name, figure], turns, self.dialogues[name, task], why)
