"""The overview of a board: a row per system, a column per track, the headline's table first.

A column is one table, so figures of a column compare; what another table says of a system stands in
that table alone. Ranks, rank ranges and figures are those of the tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from harness.records import Card
from leaderboard.tables.ranked_table import Table, TableRow, by_track


class OverviewRow(NamedTuple):
    """A system: its row in each of the columns' tables, None where it does not stand there."""

    card: Card
    rows: tuple[TableRow | None, ...]  # (columns,)


class Overview(NamedTuple):
    """`tables`: the columns; `rows`: of systems, best in the first column first.

    `floors`: the best floor of each column, None where there is none. `controls`: runs that were
    broken on purpose. `elsewhere`: systems that stand in no column, each with the first table that
    ranks it, and its row there.
    """

    tables: tuple[Table, ...]
    rows: tuple[OverviewRow, ...]
    floors: tuple[TableRow | None, ...]
    controls: tuple[OverviewRow, ...]
    elsewhere: tuple[tuple[Table, TableRow], ...]

    @property
    def floor_place(self) -> int:
        """How many rows stand above the best floor of the first column."""
        floor = self.floors[0] if self.floors else None
        if floor is None:
            return len(self.rows)
        keys = [row.entry.key for row in self.tables[0].rows]
        above = frozenset(keys[: keys.index(floor.entry.key)])
        firsts = (row.rows[0] for row in self.rows)
        return sum(first is not None and first.entry.key in above for first in firsts)


def overview(tables: Sequence[Table], headline: tuple[str, str, str] | None = None) -> Overview:
    """The overview of all tables of a board.

    `headline`: the track, history and candidates of the first column; None, or where there is no
    such table: those of the table with the most ranked systems. Of every other track the table with
    the same history and candidates stands, else the one with the most ranked systems. Systems that
    are not in the first column follow by the next one.
    """
    columns = _columns(tables, headline)
    shown = [[row for row in table.rows if not row.entry.floor] for table in columns]
    alone = _ambiguous(shown)
    systems: dict[object, dict[int, TableRow]] = {}
    for column, rows in enumerate(shown):
        for row in rows:
            name = _system(row)
            key = row.entry.key if name in alone else name
            systems.setdefault(key, {})[column] = row
    every = [
        OverviewRow(
            next(iter(found.values())).entry.card,
            tuple(found.get(column) for column in range(len(columns))),
        )
        for found in systems.values()
    ]
    return Overview(
        columns,
        tuple(row for row in every if row.card.control is None),
        tuple(table.floor for table in columns),
        tuple(row for row in every if row.card.control is not None),
        _elsewhere(tables, frozenset(_system(row) for rows in shown for row in rows)),
    )


def _columns(tables: Sequence[Table], headline: tuple[str, str, str] | None) -> tuple[Table, ...]:
    if not tables:
        return ()
    named = [
        table for table in tables if (table.track.name, table.history, table.candidates) == headline
    ]
    first = named[0] if named else max(tables, key=lambda table: table.ranked)
    others = []
    for track, group in by_track(tables).items():
        if track != first.track:
            alike = [table for table in group if _shown(table) == _shown(first)]
            best = max(group, key=lambda table: table.ranked)
            others.append(alike[0] if alike and alike[0].ranked else best)
    return first, *(table for table in others if table.ranked)


def _elsewhere(
    tables: Sequence[Table], shown: frozenset[object]
) -> tuple[tuple[Table, TableRow], ...]:
    """The first ranked row of each system that is not among those `shown`."""
    found: dict[object, tuple[Table, TableRow]] = {}
    for table in tables:
        for row in table.rows:
            if row.rank is not None and (name := _system(row)) not in shown:
                found.setdefault(name, (table, row))
    return tuple(found.values())


def _shown(table: Table) -> tuple[str, str]:
    return table.history, table.candidates


def _system(row: TableRow) -> tuple[str, str, str, str | None, str | None]:
    """What makes rows of several tables one system: its team's folder, and its card's names."""
    card = row.entry.card
    return row.entry.key.split("/")[0], card.team, card.system, card.variant, card.control


def _ambiguous(columns: Sequence[Sequence[TableRow]]) -> frozenset[object]:
    """Systems that have several rows in one column, so that their runs stand alone."""
    counts = [Counter(map(_system, rows)) for rows in columns]
    return frozenset(name for each in counts for name, number in each.items() if number > 1)
