"""Compare pages: any two of a table's first systems, as paired differences.

A page shows the first system against all others; its script, which has the differences of all pairs
packed beside the table, puts any other in its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from leaderboard.packing import unpack
from leaderboard.pages import Pages
from leaderboard.plots import ceiling
from leaderboard.records import Entry, Pair
from leaderboard.table import Table


class Against(NamedTuple):
    """The first system less another; `pair` is None where the other is the first itself."""

    other: Entry
    pair: Pair | None


def path_of(table: Table) -> str:
    """The place of a table's compare page in the site, without its ending."""
    return f"compare/{table.name}"


def pages_of(table: Table, pages: Pages, language: str) -> Iterator[tuple[str, bytes]]:
    """The compare page of a table, none where no pair was tested."""
    pairs = table.standing.pairs
    if pairs is None:
        return
    entries = {row.entry.key: row.entry for row in table.rows}
    found = list(unpack(pairs))
    first = pairs.keys[0]
    path = path_of(table)
    yield (
        path,
        pages.render(
            "compare.html",
            path,
            language,
            table=table,
            metric=table.columns[0],
            pairs=pairs,
            reach=ceiling([abs(b) for p in found for b in (p.value, p.low, p.high) if b]),
            first=entries[first],
            others=[
                Against(entries[first], None),
                *(Against(entries[p.second], p) for p in found if p.first == first),
            ],
        ),
    )
