"""How sure a table's ranks are: rank ranges, ties with the first, the detectable difference."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from harness.errors import SubmissionError
from harness.statistics import Design, all_pairs, max_t, minimum_detectable, rank_ranges
from leaderboard.board.column_cache import ColumnCache
from leaderboard.board.outcomes import Floats, TurnValues
from leaderboard.board.records import Entry, Pairs, Standing
from leaderboard.results.description import MetricInfo
from leaderboard.tables.packing import Shown, pack
from leaderboard.tables.ranked_table import Table, TableRow

LARGEST = 1_000  # ranked rows that are tested together: 499,500 pairs
FINE = 200  # rows up to which all draws are made
COARSE = 2_000  # draws of larger tables
COMPARED = 200  # rows of a table whose differences are shown pair by pair
ColumnOf = Callable[[Entry, MetricInfo], TurnValues | str]


def with_standings(
    tables: Sequence[Table],
    folder_of: Callable[[Entry], Path],
    design: Callable[[], Design],
    known: Mapping[str, Standing],
    *,
    pairs: bool = True,
    columns: ColumnCache | None = None,
) -> tuple[Table, ...]:
    """`tables` with the standing of each.

    `folder_of`: where an entry's outcomes lie; `design`: gives that of the split, called only where
    something has to be computed; `known`: the last build's standings by table name, taken again
    where nothing that they depend on has changed; `pairs`: whether differences of single pairs, and
    the one that could be found, may be shown, which hidden labels forbid. Ranges may: they say of
    two systems only whether they differ at one level, corrected for all pairs. `columns`: those of
    the last build, by default none.
    """
    cache = columns or ColumnCache()

    def column_of(run: Entry, metric: MetricInfo) -> TurnValues | str:
        """A run's headline turn by turn, or why there is none."""
        try:
            return cache.turn_values(run, metric, folder_of(run)) or "absent"
        except SubmissionError:
            return "broken"

    found = [_standing(table, column_of, design, known.get(table.name)) for table in tables]
    if not pairs:
        found = [replace(standing, pairs=None, detectable=None) for standing in found]
    return tuple(
        table._replace(standing=standing) for table, standing in zip(tables, found, strict=True)
    )


def _standing(
    table: Table,
    column_of: ColumnOf,
    design: Callable[[], Design],
    known: Standing | None,
) -> Standing:
    ranked = [row for row in table.rows if row.rank is not None]
    digest = _digest(table, ranked)
    if known is not None and known.digest == digest:
        return known
    # Outcomes are of the slice `all`; a figure of a corpus is no mean over its turns.
    why = "corpus" if table.track.part != "all" else "many" if len(ranked) > LARGEST else None
    if why or len(ranked) < 2:
        return Standing(digest, without={why: len(ranked)} if why and ranked else {})
    return replace(_tested(table, ranked, column_of, design()), digest=digest)


def _digest(table: Table, ranked: Sequence[TableRow]) -> str:
    """SHA-256 over the metric, and over each ranked row's rank and runs."""
    rows = [(row.rank, [run.identity for run in row.runs]) for row in ranked]
    return hashlib.sha256(repr((table.columns[0], rows)).encode()).hexdigest()


def _tested(
    table: Table,
    ranked: Sequence[TableRow],
    column_of: ColumnOf,
    design: Design,
) -> Standing:
    metric = table.columns[0]
    read = {row.entry.key: _read(row, metric, column_of, design) for row in ranked}
    found = {key: each for key, each in read.items() if isinstance(each, TurnValues)}
    # All take the mean over the same turns; a file with other weights is not of this split.
    common = Counter(each.weights.tobytes() for each in found.values()).most_common(1)
    fit = {key: each for key, each in found.items() if each.weights.tobytes() == common[0][0]}
    why = Counter(each for each in read.values() if isinstance(each, str))
    why["broken"] += len(found) - len(fit)
    without = {reason: number for reason, number in sorted(why.items()) if number}
    if not fit:
        return Standing(without=without)
    first = {row.entry.key for row in ranked if row.rank == 1}
    return replace(_compared(fit, first, len(ranked), table, design), without=without)


def _compared(
    fit: Mapping[str, TurnValues], first: Collection[str], ranked: int, table: Table, design: Design
) -> Standing:
    keys, weights = list(fit), next(iter(fit.values())).weights
    sign = 1 if table.columns[0].better == "higher" else -1
    numerators = np.array([sign * each.values for each in fit.values()])  # (systems, turns)
    if len(keys) > FINE:
        design = dataclasses.replace(design, draws=min(design.draws, COARSE))
    headline = table.columns[0]
    bounds, whole_units = (headline.low, headline.high), headline.scope == "dialogue"
    ps = max_t(design, numerators, weights, bounds, whole_units=whole_units)
    best, worst = rank_ranges(numerators.sum(axis=1) / weights.sum(), ps, 1 - design.level)
    # A row that was not tested may stand before or behind any other.
    worst += ranked - len(keys)
    tops = [place for place, key in enumerate(keys) if key in first]
    close = np.any(ps[:, tops] > 1 - design.level, axis=1).tolist()
    return Standing(
        ranges={key: (int(best[n]), int(worst[n])) for n, key in enumerate(keys)},
        alike=tuple(key for n, key in enumerate(keys) if close[n] and key not in first),
        detectable=minimum_detectable(design, numerators, weights, whole_units=whole_units),
        pairs=_pairs(keys[:COMPARED], sign * numerators[:COMPARED], weights, ps, table, design),
    )


def _pairs(
    keys: Sequence[str],
    numerators: Floats,
    weights: Floats,
    ps: Floats,
    table: Table,
    design: Design,
) -> Pairs | None:
    """Each of `keys` minus each that comes after it; `ps` are corrected for all of the table."""
    if len(keys) < 2:
        return None
    headline = table.columns[0]
    bounds, whole_units = (headline.low, headline.high), headline.scope == "dialogue"
    found = all_pairs(design, numerators, weights, bounds, whole_units=whole_units)
    shown = Shown(found.values, found.lows, found.highs, found.effects)
    return pack(keys, shown, ps[np.triu_indices(len(keys), k=1)], headline.unit)


def _read(
    row: TableRow, metric: MetricInfo, column_of: ColumnOf, design: Design
) -> TurnValues | str:
    """A row's headline turn by turn, the mean over its seeds, or why there is none."""
    every = []
    for run in row.runs:
        found = column_of(run, metric)
        if isinstance(found, str):
            return found
        every.append(found)
    first = every[0]
    if any(not np.array_equal(each.weights, first.weights) for each in every):
        return "broken"
    values = np.mean([each.values for each in every], axis=0) if len(every) > 1 else first.values
    return TurnValues(values, first.weights) if len(values) == len(design.unit) else "broken"
