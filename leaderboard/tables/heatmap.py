"""Type of dialogue by turn number: where a system is strong and where it is weak."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.statistics import Design
from leaderboard.board.outcomes import TurnValues
from leaderboard.board.records import Cell
from leaderboard.results.description import MetricInfo

Ints = NDArray[np.int64]

LAST = 10  # the column that holds this turn number and all after it


class Heatmap(NamedTuple):
    """A metric by type code and turn number; a cell is None where there is no such turn."""

    metric: MetricInfo
    turns: tuple[int, ...]
    rows: tuple[tuple[int, tuple[Cell | None, ...]], ...]


def heatmap(
    found: TurnValues, type_: Ints, turn: Ints, design: Design, metric: MetricInfo
) -> Heatmap:
    """The figures of a mean, with intervals. `type_`, `turn`: (turns,)."""
    column = np.minimum(turn, LAST)
    counted = found.weights > 0
    places = [
        (int(row), int(n)) for row in np.unique(type_[counted]) for n in np.unique(column[counted])
    ]
    masks = np.array([(type_ == row) & (column == n) & counted for row, n in places])
    bounds = (metric.low, metric.high)
    figures = design.ratios(masks * found.values, masks * found.weights, bounds)
    sizes = masks.sum(axis=1).tolist()
    cells = {
        place: Cell(_defined(value), _defined(low), _defined(high), size) if size else None
        for place, size, value, low, high in zip(places, sizes, *figures, strict=True)
    }
    rows, columns = (tuple(dict.fromkeys(side)) for side in zip(*places, strict=True))
    return Heatmap(
        metric, columns, tuple((row, tuple(cells[row, n] for n in columns)) for row in rows)
    )


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def shade(cell: Cell, metric: MetricInfo) -> int:
    """The tenth of the metric's range in which a figure lies, 0 to 9."""
    return min(9, int(10 * ((cell.value or 0.0) - metric.low) / (metric.high - metric.low)))


def column_name(turn: int) -> str:
    """A turn number as a heading: the last one stands for all after it too."""
    return f"{turn}+" if turn == LAST else str(turn)
