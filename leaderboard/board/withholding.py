"""What a board on hidden labels shows of scores: nothing that tells too much of single turns."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from harness.publication.disclosure import SMALLEST_CELL, published, withheld_by_size
from leaderboard.board.records import Cell, Scores
from leaderboard.results.description import MetricInfo

WITHHELD = Cell(
    None,
    why=f"labels are hidden, and fewer than {SMALLEST_CELL} turns or dialogues would show, here or"
    " as a difference of two figures",
)


def publishable(scores: Scores, metrics: Mapping[str, MetricInfo]) -> Scores:
    """`scores` as a board on hidden labels shows them: cells withheld, the others rounded."""
    shown = withhold_cells(scores, metrics)
    parts = {
        part: {name: round_cell(cell, metrics.get(name)) for name, cell in cells.items()}
        for part, cells in shown.metrics.items()
    }
    return msgspec.structs.replace(shown, metrics=parts)


def round_cell(cell: Cell, metric: MetricInfo | None) -> Cell:
    """A figure rounded, without its interval and without counts that depend on the answers.

    None is a metric that nobody knows: its counts may depend on the answers.
    """
    if metric is None or metric.answers_count:
        if cell.value is None:
            return WITHHELD
        cell = msgspec.structs.replace(cell, turns=None, dialogues=None)
    if cell.value is None:
        return cell
    value = published(cell.value, "share" if metric is None else metric.unit)
    return msgspec.structs.replace(cell, value=value, low=None, high=None)


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
