"""Runs of one system that differ in their seed alone: one row, with their spread."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from leaderboard.board.records import Cell, Entry

Runs = tuple[Entry, ...]


class SeedSpread(NamedTuple):
    """How the figures of several runs differ: the least, the greatest, the standard deviation."""

    low: float
    high: float
    deviation: float


def fold_seeds(entries: Iterable[Entry]) -> tuple[Runs, ...]:
    """Each entry alone or with those that differ from it in the seed, in the order of the first.

    Runs of one team folder share a row if they are complete, their cards are equal but for the
    seed, the run that `pair` names and the numbers of `cost`, which are measured anew in each run,
    and no seed occurs twice. Floors stand alone.
    """
    groups: dict[object, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(_all_but_seed(entry), []).append(entry)
    return tuple(runs for group in groups.values() for runs in _rows(group))


def _all_but_seed(entry: Entry) -> object:
    card = entry.card
    if entry.floor or card.seed is None:
        return entry.key
    rest = msgspec.structs.replace(card, seed=None, pair=None, cost=_not_measured(card.cost))
    return entry.key.split("/")[0], msgspec.json.encode(rest)


def _not_measured(cost: Any) -> Any:
    """The names and texts of a declared cost, without its numbers."""
    if isinstance(cost, dict):
        return {name: _not_measured(cost[name]) for name in sorted(cost)}
    return cost if isinstance(cost, str) else None


def _rows(group: list[Entry]) -> list[Runs]:
    seeds = [entry.card.seed for entry in group]
    if len(set(seeds)) < len(seeds):
        return [(entry,) for entry in group]
    return [tuple(sorted(group, key=lambda entry: (entry.card.seed or 0, entry.key)))]


def mean(cells: Sequence[Cell]) -> Cell:
    """The mean of one figure over runs, undefined where it is undefined in one of them.

    Its bounds are the means of theirs. As the standard error of a mean is at most the mean of the
    standard errors, the interval is at most too wide; it covers turns and videos, not seeds.
    """
    first = cells[0]
    if len(cells) == 1:
        return first
    if any(cell.value is None for cell in cells):
        why = next(cell.why for cell in cells if cell.value is None)
        return Cell(None, why=why or "undefined for one of the seeds")
    value, low, high = (
        _mean([getattr(cell, bound) for cell in cells]) for bound in ("value", "low", "high")
    )
    turns, dialogues = (
        getattr(first, size) if len({getattr(cell, size) for cell in cells}) == 1 else None
        for size in ("turns", "dialogues")
    )
    return Cell(value, low, high, turns, dialogues)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    # Ten digits, as in scores.json: the order of the runs must not show.
    return float(f"{statistics.fmean(known):.10g}") if len(known) == len(values) else None


def seed_spread(cells: Sequence[Cell]) -> SeedSpread | None:
    """How one figure differs between runs, None for a single run and where one is undefined."""
    return spread_of([cell.value for cell in cells])


def spread_of(values: Sequence[float | None]) -> SeedSpread | None:
    """How a number differs between runs, as `seed_spread`."""
    known = [value for value in values if value is not None]
    if len(known) < 2 or len(known) < len(values):
        return None
    return SeedSpread(min(known), max(known), statistics.stdev(known))
