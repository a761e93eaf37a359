"""Which rows of a table are dominated: another costs no more and is significantly better.

Significantly is as the board tests it, all pairs of a table together (leaderboard.tables.ranks).
Only what pages show is used, so that nothing more is told where labels are hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaderboard.tables.packing import p_values
from leaderboard.tables.ranked_table import Table, TableRow

LEVEL = 0.05
Basis = Literal["pairs", "ranks", "both"]


class Superiority(NamedTuple):
    """Which of a table's tested rows is significantly better than which.

    `rows`: those that were tested, best first; `better`: (rows, rows), whether the first of two is
    better than the second. `basis`: known from tests of all pairs; from ranks alone; of the first
    rows from pairs, of the others from ranks.
    """

    rows: tuple[TableRow, ...]
    better: NDArray[np.bool_]
    basis: Basis


def superiority(table: Table) -> Superiority | None:
    """What a table's standing says of its tested rows; None where fewer than two were tested."""
    rows = tuple(row for row in table.rows if table.range_of(row) is not None)
    if len(rows) < 2:
        return None
    better = _by_ranks(table, rows)
    pairs = table.standing.pairs
    if pairs is None:
        return Superiority(rows, better, "ranks")
    # Rows stand best first, and so do the pairs: the first of a pair is never the worse one.
    places = {row.entry.key: place for place, row in enumerate(rows)}
    paired = np.array([places[key] for key in pairs.keys])
    first, second = np.triu_indices(len(paired), k=1)
    better[np.ix_(paired, paired)] = False
    better[paired[first], paired[second]] = p_values(pairs) <= LEVEL
    return Superiority(rows, better, "pairs" if len(paired) == len(rows) else "both")


def _by_ranks(table: Table, rows: Sequence[TableRow]) -> NDArray[np.bool_]:
    """What ranks say: (rows, rows).

    Of two rows whose rank ranges do not overlap the one is better than the other, or than a third
    that is better than the other. A lower row without a dagger differs from every first row.
    """
    spans = np.array([table.range_of(row) for row in rows])  # (rows, best and worst)
    better = spans[:, 1][:, None] < spans[:, 0][None, :]
    first = np.array([row.rank == 1 for row in rows])
    below = np.array([row.rank != 1 and not table.alike(row) for row in rows])
    found: NDArray[np.bool_] = better | (first[:, None] & below[None, :])
    return found


def dominance(found: Superiority, costs: Sequence[float | None]) -> NDArray[np.bool_]:
    """Whether the first of two rows dominates the second: (rows, rows).

    `costs`: of `found.rows`; a row whose cost is None neither dominates nor is dominated.
    """
    paid = np.array([np.nan if cost is None else cost for cost in costs])
    over: NDArray[np.bool_] = found.better & (paid[:, None] <= paid[None, :])
    return over
