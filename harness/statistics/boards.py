"""A whole board: tests of all pairs, rank ranges, the minimum detectable difference."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from harness.statistics.design import Design
from harness.statistics.draw_counts import count_reached
from harness.statistics.intervals import difference_ps
from harness.statistics.pairs import PairSums, pair_sums, paired_errors

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# 1.96 for a two-sided test at 5 %, 0.84 for finding it four times in five.
DETECTABLE = 2.80
MULTIPLIERS_AT_ONCE = 2**21  # multipliers of one block
FARTHEST = 1e6  # stands for a statistic whose p is 0


class Board(NamedTuple):
    """The comparison of the N systems of a board in one metric.

    values: (N,); ps: (N, N) two-sided p corrected for all pairs, 1 on the diagonal; best, worst:
    (N,) the ends of the rank ranges, from 1; detectable: the minimum detectable difference (None
    where no two neighbours differ).
    """

    values: Floats
    ps: Floats
    best: Ints
    worst: Ints
    detectable: float | None


def board(
    design: Design,
    numerators: ArrayLike,
    denominators: ArrayLike,
    bounds: tuple[float, float] = (0.0, 1.0),
    *,
    whole_units: bool = False,
) -> Board:
    """The board of a metric that is a mean over the same turns for all; higher is better.

    `numerators`: (systems, turns); `denominators`: (turns,). The level is the design's.
    """
    table, below = np.asarray(numerators, float), np.asarray(denominators, float)
    values = table.sum(axis=1) / below.sum()
    ps = max_t(design, table, below, bounds, whole_units=whole_units)
    best, worst = rank_ranges(values, ps, 1 - design.level)
    detectable = minimum_detectable(design, table, below, whole_units=whole_units)
    return Board(values, ps, best, worst, detectable)


def max_t(
    design: Design,
    numerators: ArrayLike,
    denominators: ArrayLike,
    bounds: tuple[float, float] = (0.0, 1.0),
    *,
    whole_units: bool = False,
) -> Floats:
    """Two-sided p of all pairs of systems, (N, N), corrected for multiple tests.

    `numerators`: (systems, turns), `denominators`: (turns,), as in `all_pairs`. A pair's statistic
    is the normal quantile of its own p. Each draw multiplies the influences by one standard normal
    for every unit and one for every video, the same ones for all pairs, and divides a pair's
    difference by its standard deviation under such draws. Step-down: a pair is compared with the
    greatest statistic of the pairs that are no more extreme than itself (Westfall & Young 1993;
    draws as in Chernozhukov, Chetverikov & Kato, Annals of Statistics 41(6), 2013). A corrected p
    is never below the pair's own.
    """
    found = pair_sums(design, numerators, denominators, whole_units=whole_units)
    size = len(found.means)
    one, other = np.triu_indices(size, k=1)
    adjusted = np.ones((size, size))
    single = difference_ps(found.values, found.spread, bounds[1] - bounds[0])
    if len(one):
        observed = np.nan_to_num(-ndtri(single / 2), nan=0.0, posinf=FARTHEST)
        order = np.argsort(observed, kind="stable")
        one, other, scale = one[order], other[order], _scales(found)[order]
        counts = count_reached(_draw_sums(design, found), one, other, scale, observed[order])
        ps = (1 + np.maximum.accumulate(counts[::-1])[::-1]) / (1 + design.draws)
        ps = np.fmax(np.minimum(ps, 1.0), single[order])
        adjusted[one, other] = adjusted[other, one] = ps
    return adjusted


def _scales(found: PairSums) -> Floats:
    """One over the standard deviation of each pair's draws; 0 for a pair that never differs."""
    some = found.ways > 0
    return np.where(some, 1 / np.sqrt(np.where(some, found.ways, 1.0)), 0.0)


def _draw_sums(design: Design, found: PairSums) -> Floats:
    """The systems' sums under the multipliers of each draw, (systems, draws)."""
    generator = design.generator()
    sums = np.concatenate([found.by_unit, found.by_video])  # (units + videos, systems)
    parts = []
    at_once = max(1, MULTIPLIERS_AT_ONCE // max(len(sums), 1))
    for start in range(0, design.draws, at_once):
        count = min(at_once, design.draws - start)
        parts.append(sums.T @ generator.standard_normal((count, len(sums))).T)
    return np.concatenate(parts, axis=1)


def rank_ranges(values: ArrayLike, ps: ArrayLike, alpha: float = 0.05) -> tuple[Ints, Ints]:
    """The best and the worst rank that each system may have, (N,), (N,).

    `values`: (N,), higher is better; `ps`: (N, N). From 1 + the number of systems significantly
    better to N - the number significantly worse.
    """
    figures, significant = np.asarray(values), np.asarray(ps) <= alpha
    better = significant & (figures[None, :] > figures[:, None])
    worse = significant & (figures[None, :] < figures[:, None])
    return 1 + better.sum(axis=1), len(figures) - worse.sum(axis=1)


def minimum_detectable(
    design: Design,
    numerators: ArrayLike,
    denominators: ArrayLike,
    *,
    whole_units: bool = False,
) -> float | None:
    """2.80 times the median paired standard error of neighbours in the table.

    `numerators`: (systems, turns); `denominators`: (turns,). A true difference of this size between
    two systems is found four times in five by a single test at 5 %. Neighbours that answer alike
    on every turn, or whose difference has no standard error, say nothing of it and are left out;
    None where no others are.
    """
    table = np.asarray(numerators, float)
    ranked = table[np.argsort(table.sum(axis=1), kind="stable")]
    steps = ranked[:-1] - ranked[1:]
    steps = steps[(steps != 0).any(axis=1)]
    if not len(steps):
        return None
    errors = paired_errors(design, steps, denominators, whole_units=whole_units)
    defined = errors[np.isfinite(errors)]
    return DETECTABLE * float(np.median(defined)) if len(defined) else None
