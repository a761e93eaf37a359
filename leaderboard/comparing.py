"""Compare pages: the first systems of a table, each with each, as paired differences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from leaderboard.pages import Pages
from leaderboard.plots import ceiling
from leaderboard.records import Entry, Pair
from leaderboard.table import Table


class Against(NamedTuple):
    """A system less another: the pair is turned so that the page's system comes first."""

    other: Entry
    pair: Pair


def path_of(table: Table) -> str:
    """The place of a table's compare page in the site, without its ending."""
    return f"compare/{table.name}"


def pages_of(table: Table, pages: Pages, language: str) -> Iterator[tuple[str, bytes]]:
    """The compare page of a table, none where no pair was tested."""
    pairs = table.standing.pairs
    if not pairs:
        return
    entries = {row.entry.key: row.entry for row in table.rows}
    groups: dict[str, list[Against]] = {}
    for pair in pairs:
        groups.setdefault(pair.first, []).append(Against(entries[pair.second], pair))
        groups.setdefault(pair.second, []).append(Against(entries[pair.first], turned(pair)))
    path = path_of(table)
    yield (
        path,
        pages.render(
            "compare.html",
            path,
            language,
            table=table,
            metric=table.columns[0],
            reach=ceiling(
                [abs(b) for p in pairs for b in (p.value, p.low, p.high) if b is not None]
            ),
            systems=[
                (row.entry, sorted(groups[row.entry.key], key=lambda each: each.pair.value))
                for row in table.rows
                if row.entry.key in groups
            ],
        ),
    )


def turned(pair: Pair) -> Pair:
    """The same pair, second minus first."""

    def minus(value: float | None) -> float | None:
        return None if value is None else -value

    return Pair(
        pair.second, pair.first, -pair.value, minus(pair.high), minus(pair.low),
        minus(pair.effect), pair.p,
    )  # fmt: skip
