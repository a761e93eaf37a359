"""Ranked tables: one per track, history and candidate use; never two of these in one ranking."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from harness.publication.disclosure import published
from harness.records import CandidateUse, History
from leaderboard.board.records import Cell, Entry, Standing
from leaderboard.board.withholding import round_cell
from leaderboard.results.description import MetricInfo
from leaderboard.tables import costs
from leaderboard.tables.costs import CostAmount, CostKind
from leaderboard.tables.seeds import Runs, SeedSpread, fold_seeds, mean, seed_spread
from leaderboard.tables.tracks import TRACKS, Track

CANDIDATES: tuple[CandidateUse, ...] = ("unused", "used")
UNDEFINED = Cell(None, why="not in scores.json")


class TableRow(NamedTuple):
    """An entry in a table; `rank` is None for floors, controls and an undefined headline.

    `runs`: the entry, or all seeds of its system: `cells` are then their means, and `spread` is
    that of the headline. `amounts`: what the card says of each cost of the table, None: nothing.
    """

    rank: int | None
    entry: Entry
    cells: tuple[Cell, ...]  # (columns,)
    runs: Runs
    spread: SeedSpread | None
    amounts: tuple[CostAmount | None, ...]  # (costs,)

    @property
    def accepted(self) -> str:
        """When the last of its runs was accepted, "" where that is not known of all of them."""
        times = [run.accepted for run in self.runs]
        return max(times) if all(times) else ""


class Table(NamedTuple):
    """Rows best first by the first of `columns`; undefined figures last."""

    track: Track
    history: History
    candidates: CandidateUse
    columns: tuple[MetricInfo, ...]
    costs: tuple[CostKind, ...]
    rows: tuple[TableRow, ...]
    standing: Standing = Standing()

    @property
    def name(self) -> str:
        """A stable name, used as anchor and file name."""
        return f"{self.track.name}-{self.history}-{self.candidates}"

    def range_of(self, row: TableRow) -> tuple[int, int] | None:
        """The best and the worst rank that a row may have, None where that is not known."""
        return self.standing.ranges.get(row.entry.key)

    def alike(self, row: TableRow) -> bool:
        """Whether a lower row does not differ significantly from the first."""
        return row.entry.key in self.standing.alike

    @property
    def ranked(self) -> int:
        """How many rows have a rank."""
        return sum(row.rank is not None for row in self.rows)

    @property
    def controls(self) -> tuple[TableRow, ...]:
        """The rows of runs that were broken on purpose."""
        return tuple(row for row in self.rows if row.entry.card.control is not None)

    @property
    def systems(self) -> tuple[TableRow, ...]:
        """All other rows: systems and floors."""
        return tuple(row for row in self.rows if row.entry.card.control is None)

    @property
    def digest(self) -> str:
        """SHA-256 over all that its files depend on: its rows' runs, in order, its standing.

        When runs were accepted is no part of their identity, on which tests depend, but pages of
        tracks show it.
        """
        rows = [[(run.identity, run.accepted) for run in row.runs] for row in self.rows]
        return hashlib.sha256(repr((self.name, self.standing.digest, rows)).encode()).hexdigest()

    @property
    def floor(self) -> TableRow | None:
        """The best floor whose headline is defined, None if there is none."""
        return next(
            (row for row in self.rows if row.entry.floor and row.cells[0].value is not None), None
        )


def tables(entries: Sequence[Entry], metrics: Mapping[str, MetricInfo]) -> tuple[Table, ...]:
    """All tables in which some row has a figure, in the order of TRACKS, then of history."""
    every = fold_seeds(entries)
    return tuple(table for track in TRACKS for table in track_tables(track, every, metrics))


def by_track(made: Iterable[Table]) -> dict[Track, list[Table]]:
    """Tables by their track, in the given order."""
    groups: dict[Track, list[Table]] = {}
    for table in made:
        groups.setdefault(table.track, []).append(table)
    return groups


def track_tables(
    track: Track, every: Sequence[Runs], metrics: Mapping[str, MetricInfo]
) -> Iterator[Table]:
    """The tables of one track, by history and candidate use; none without its headline metric."""
    if track.metrics[0] not in metrics:
        return
    for history in track.histories:
        for candidates in CANDIDATES:
            group = [
                runs
                for runs in every
                if (runs[0].card.history, runs[0].card.candidates) == (history, candidates)
            ]
            columns = _columns(track, group, metrics)
            if columns:
                group = [runs for runs in group if _takes_part(runs, columns, track.part)]
                kinds = costs.table_costs(runs[0].card for runs in group if not runs[0].floor)
                rows = _rows(group, columns, kinds, track.part)
                yield Table(track, history, candidates, columns, kinds, rows)


def _columns(
    track: Track, group: Sequence[Runs], metrics: Mapping[str, MetricInfo]
) -> tuple[MetricInfo, ...]:
    """The headline, and the track's other metrics for which some entry has a figure."""
    defined = {
        name
        for name in track.metrics
        if name in metrics
        and any(_figure(runs, metrics[name], track.part).value is not None for runs in group)
    }
    names = defined | {track.metrics[0]} if defined else defined
    return tuple(metrics[name] for name in track.metrics if name in names)


def _takes_part(runs: Runs, columns: tuple[MetricInfo, ...], part: str) -> bool:
    return any(_figure(runs, column, part).value is not None for column in columns)


def _rows(
    group: Sequence[Runs], columns: tuple[MetricInfo, ...], kinds: tuple[CostKind, ...], part: str
) -> tuple[TableRow, ...]:
    headline = columns[0]
    first = [runs[0] for runs in group]
    frame = pd.DataFrame(
        {
            "value": [_figure(runs, headline, part).value for runs in group],
            "team": [entry.card.team for entry in first],
            "system": [entry.card.system for entry in first],
            "key": [entry.key for entry in first],
            "ranked": [entry.ranked for entry in first],
        }
    ).astype({"value": "float64"})
    ascending = headline.better == "lower"
    # Equal values share the better rank; the next rank counts them all (1, 1, 3).
    frame["rank"] = frame["value"].where(frame["ranked"]).rank(method="min", ascending=ascending)
    order = frame.sort_values(
        ["value", "team", "system", "key"],
        ascending=[ascending, True, True, True],
        na_position="last",
    )
    return tuple(
        _row(None if pd.isna(rank) else int(rank), group[place], columns, kinds, part)
        for place, rank in zip(order.index.tolist(), order["rank"].tolist(), strict=True)
    )


def _row(
    rank: int | None,
    runs: Runs,
    columns: tuple[MetricInfo, ...],
    kinds: tuple[CostKind, ...],
    part: str,
) -> TableRow:
    return TableRow(
        rank,
        runs[0],
        tuple(_figure(runs, column, part) for column in columns),
        runs,
        _spread(runs, columns[0], part),
        costs.amounts((run.card for run in runs), kinds),
    )


def _figure(runs: Runs, metric: MetricInfo, part: str) -> Cell:
    if len(runs) == 1:
        return _cell(runs[0], metric.name, part)
    found = mean([_cell(run, metric.name, part) for run in runs])
    return round_cell(found, metric) if runs[0].rounded else found


def _spread(runs: Runs, metric: MetricInfo, part: str) -> SeedSpread | None:
    found = seed_spread([_cell(run, metric.name, part) for run in runs]) if len(runs) > 1 else None
    if found is None or not runs[0].rounded:
        return found
    return SeedSpread(*(published(value, metric.unit) for value in found))


def _cell(entry: Entry, metric: str, part: str) -> Cell:
    return entry.cell(metric, part) or UNDEFINED
