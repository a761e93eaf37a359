"""Ranked tables: one per track, history and candidate use; never two of these in one ranking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from harness.records import CandidateUse, History
from leaderboard.records import Cell, Described, Entry, Standing
from leaderboard.tracks import TRACKS, Track

CANDIDATES: tuple[CandidateUse, ...] = ("unused", "used")
UNDEFINED = Cell(None, why="not in scores.json")


class Row(NamedTuple):
    """An entry in a table; `rank` is None for floors and where the headline is undefined."""

    rank: int | None
    entry: Entry
    cells: tuple[Cell, ...]  # (columns,)


class Table(NamedTuple):
    """Rows best first by the first of `columns`; undefined figures last."""

    track: Track
    history: History
    candidates: CandidateUse
    columns: tuple[Described, ...]
    rows: tuple[Row, ...]
    standing: Standing = Standing()

    @property
    def name(self) -> str:
        """A stable name, used as anchor and file name."""
        return f"{self.track.name}-{self.history}-{self.candidates}"

    def range_of(self, row: Row) -> tuple[int, int] | None:
        """The best and the worst rank that a row may have, None where that is not known."""
        return self.standing.ranges.get(row.entry.key)

    def alike(self, row: Row) -> bool:
        """Whether a lower row cannot be told apart from the first."""
        return row.entry.key in self.standing.alike

    @property
    def floor(self) -> Row | None:
        """The best floor whose headline is defined, None if there is none."""
        return next(
            (row for row in self.rows if row.entry.floor and row.cells[0].value is not None), None
        )


def tables(entries: Sequence[Entry], metrics: Mapping[str, Described]) -> tuple[Table, ...]:
    """All tables in which some row has a figure, in the order of TRACKS, then of history."""
    return tuple(made for track in TRACKS for made in of_track(track, entries, metrics))


def of_track(
    track: Track, entries: Sequence[Entry], metrics: Mapping[str, Described]
) -> Iterator[Table]:
    """The tables of one track, by history and candidate use; none without its headline metric."""
    if track.metrics[0] not in metrics:
        return
    for history in track.histories:
        for candidates in CANDIDATES:
            group = [
                entry
                for entry in entries
                if (entry.card.history, entry.card.candidates) == (history, candidates)
            ]
            columns = _columns(track, group, metrics)
            if columns:
                group = [entry for entry in group if _takes_part(entry, columns, track.part)]
                rows = _rows(group, columns, track.part)
                yield Table(track, history, candidates, columns, rows)


def _columns(
    track: Track, group: Sequence[Entry], metrics: Mapping[str, Described]
) -> tuple[Described, ...]:
    """The headline, and the track's other metrics for which some entry has a figure."""
    shown = {
        name
        for name in track.metrics
        if any(_cell(entry, name, track.part).value is not None for entry in group)
    }
    kept = shown | {track.metrics[0]} if shown else shown
    return tuple(metrics[name] for name in track.metrics if name in kept and name in metrics)


def _takes_part(entry: Entry, columns: tuple[Described, ...], part: str) -> bool:
    return any(_cell(entry, column.name, part).value is not None for column in columns)


def _rows(group: Sequence[Entry], columns: tuple[Described, ...], part: str) -> tuple[Row, ...]:
    headline = columns[0]
    frame = pd.DataFrame(
        {
            "value": [_cell(entry, headline.name, part).value for entry in group],
            "team": [entry.card.team for entry in group],
            "system": [entry.card.system for entry in group],
            "key": [entry.key for entry in group],
            "floor": [entry.floor for entry in group],
        }
    ).astype({"value": "float64"})
    ascending = headline.better == "lower"
    # Equal values share the better rank; the next rank counts them all (1, 1, 3).
    frame["rank"] = frame["value"].where(~frame["floor"]).rank(method="min", ascending=ascending)
    order = frame.sort_values(
        ["value", "team", "system", "key"],
        ascending=[ascending, True, True, True],
        na_position="last",
    )
    return tuple(
        Row(
            None if pd.isna(rank) else int(rank),
            group[place],
            tuple(_cell(group[place], column.name, part) for column in columns),
        )
        for place, rank in zip(order.index.tolist(), order["rank"].tolist(), strict=True)
    )


def _cell(entry: Entry, metric: str, part: str) -> Cell:
    return entry.cell(metric, part) or UNDEFINED
