"""What a board on hidden labels withholds: figures that tell too much of single turns."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from harness.publication.disclosure import SMALLEST_CELL, withheld_by_size
from leaderboard.board.records import Cell, Scores
from leaderboard.results.description import MetricInfo

WITHHELD = Cell(
    None,
    why=f"labels are hidden, and fewer than {SMALLEST_CELL} turns or dialogues would show, here or"
    " as a difference of two figures",
)


def withhold_cells(scores: Scores, metrics: Mapping[str, MetricInfo]) -> Scores:
    """`scores` without the figures from which hidden gold could be inferred.

    A cell counts as many turns as it says, or dialogues if its metric is one of dialogues; one that
    does not say is withheld. See harness.publication.disclosure.
    """
    parts = {part: dict(cells) for part, cells in scores.metrics.items()}
    for name in sorted({name for cells in parts.values() for name in cells}):
        scope = metrics[name].scope if name in metrics else None
        sizes = {part: _size(cells[name], scope) for part, cells in parts.items() if name in cells}
        for part in withheld_by_size(sizes):
            parts[part][name] = WITHHELD
    return msgspec.structs.replace(scores, metrics=parts)


def _size(cell: Cell, scope: str | None) -> int:
    turns, dialogues = cell.turns or 0, cell.dialogues or 0
    return min(turns, dialogues) if scope is None else turns if scope == "turn" else dialogues
