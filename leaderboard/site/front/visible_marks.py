"""Which marks the rows of an overview show: a page explains these and no others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from leaderboard.tables.overview import Overview, OverviewRow
from leaderboard.tables.ranked_table import Table, TableRow


class VisibleMarks(NamedTuple):
    """`ranges`: of ranks; `alike`: the dagger; `own`: the organizers' badge; `dashed`: floors."""

    ranges: bool
    alike: bool
    own: bool
    dashed: bool


def visible_marks(found: Overview, most: int | None) -> VisibleMarks:
    """The marks in the first `most` rows (None: in all), and in the controls below them."""
    rows = found.rows[:most]
    cells = list(_cells(found, rows))
    below = [row for _, row in _cells(found, found.controls)]
    return VisibleMarks(
        any(row.rank is not None and table.range_of(row) is not None for table, row in cells),
        any(table.alike(row) for table, row in cells),
        any(row.entry.own for row in (*(row for _, row in cells), *below)),
        any(floor is not None for floor in found.floors),
    )


def _cells(found: Overview, rows: Sequence[OverviewRow]) -> Iterator[tuple[Table, TableRow]]:
    for row in rows:
        for table, each in zip(found.tables, row.rows, strict=True):
            if each is not None:
                yield table, each
