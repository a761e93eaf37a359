"""Compare pages: any two of a table's first systems, as paired differences.

A page shows the first system against all others; its script, which has the differences of all pairs
packed beside the table, puts any other in its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from leaderboard.board.records import Entry, Pair
from leaderboard.site.pages import Pages
from leaderboard.site.plots import ceiling
from leaderboard.site.site_paths import compare_page
from leaderboard.tables.packing import against_first, unpack
from leaderboard.tables.ranked_table import Table


class Opponent(NamedTuple):
    """The first system minus another; `pair` is None where the other is the first itself."""

    other: Entry
    pair: Pair | None


def pages_of(table: Table, pages: Pages, language: str) -> Iterator[tuple[str, bytes]]:
    """The compare page of a table, none where no pair was tested."""
    pairs = table.standing.pairs
    if pairs is None:
        return
    entries = {row.entry.key: row.entry for row in table.rows}
    first = pairs.keys[0]
    path = compare_page(table)
    yield (
        path,
        pages.render(
            "compare.html",
            path,
            language,
            table=table,
            metric=table.columns[0],
            pairs=pairs,
            reach=ceiling([float(np.nanmax(np.abs(unpack(pairs)[:3]), initial=0.0))]),
            first=entries[first],
            others=[
                Opponent(entries[first], None),
                *(Opponent(entries[pair.second], pair) for pair in against_first(pairs)),
            ],
        ),
    )
