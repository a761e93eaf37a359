"""Two-way cluster-robust variances, and intervals from them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.special import stdtr, stdtrit

from harness.statistics.units import cross_labels

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

ROUNDING = 1e-10  # of a figure's range: a standard error below it is none


class Interval(NamedTuple):
    """A figure and the bounds of its interval; None where undefined (one cluster: no bounds)."""

    value: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, value: float, low: float, high: float) -> Interval:
        """An interval of three numbers, NaN standing for an undefined one."""
        return cls(*(None if np.isnan(part) else float(part) for part in (value, low, high)))


class Spread(NamedTuple):
    """Variances of figures, (m,), and the number of clusters behind each, (m,)."""

    variance: Floats
    clusters: Floats


def group_sums(table: NDArray[np.generic], group: Ints) -> Floats:
    """Sums of the rows of `table` (turns, m) within each group that occurs, (groups, m)."""
    if not len(group):
        return np.zeros(table.shape)
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    return np.add.reduceat(table[order], starts, axis=0, dtype=float)


def two_way(
    influence: Floats,
    support: Bools,
    unit: Ints,
    video: Ints,
    sharing: csr_array | None = None,
) -> Spread:
    """Two-way cluster-robust variances of m figures, over units and over videos at once.

    `influence`: (turns, m), of each turn on each figure; `support`: (turns, m), the turns of each
    figure. V = V(unit) + V(video) - V(unit and video), each the sum of squared group sums
    times G / (G - 1) for G groups (Cameron, Gelbach & Miller, JBES 29(2), 2011), and never less
    than V(unit) or V(video): the difference alone can fall below both, even below 0. The clusters
    are the units or the videos, whichever are fewer.

    `sharing`, of `sharing_units`: for figures to which a turn adds what depends on its whole unit.
    Two units that share one of their videos then count as a pair in full, and the variance is
    the greater of both.
    """
    by_unit = _one_way(influence, support, unit)
    by_video = _one_way(influence, support, video)
    by_cell = _one_way(influence, support, cross_labels(unit, video))
    least = np.maximum(by_unit.variance, by_video.variance)
    both = by_unit.variance + by_video.variance - by_cell.variance
    clusters = np.minimum(by_unit.clusters, by_video.clusters)
    if sharing is not None:
        sums = group_sums(influence, unit)
        pairs = (sums * (sharing @ sums)).sum(axis=0)
        least = np.maximum(least, pairs * clusters / np.maximum(clusters - 1, 1))
    return Spread(np.maximum(both, least), clusters)


def _one_way(influence: Floats, support: Bools, group: Ints) -> Spread:
    clusters = np.count_nonzero(group_sums(support, group), axis=0).astype(float)
    squares = np.square(group_sums(influence, group)).sum(axis=0)
    return Spread(squares * clusters / np.maximum(clusters - 1, 1), clusters)


def limits(
    values: Floats, spread: Spread, level: float, bounds: tuple[ArrayLike, ArrayLike]
) -> tuple[Floats, Floats]:
    """Interval bounds (m,), (m,) of figures that lie between `bounds`; NaN below two clusters.

    Wilson's interval (JASA 22, 1927) with Student's t on clusters - 1 degrees of freedom and the
    effective sample size p (1 - p) / variance, p being the figure's place between its bounds; where
    no variance is seen, each cluster counts as one observation.
    """
    least, most = (np.asarray(bound, dtype=float) for bound in bounds)
    width = most - least
    t = stdtrit(np.maximum(spread.clusters - 1, 1), (1 + level) / 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        p = np.clip((values - least) / width, 0.0, 1.0)
        weight = t**2 / observations(p, width, spread)
        half = np.sqrt(weight * p * (1 - p) + weight**2 / 4)
        low, high = ((p + weight / 2 + side * half) / (1 + weight) for side in (-1, 1))
    # At a bound, rounding must not move the figure out of its own interval.
    low, high = np.where(p <= 0, 0.0, low), np.where(p >= 1, 1.0, high)
    defined = spread.clusters > 1
    return tuple(  # type: ignore[return-value]
        np.where(defined, least + np.clip(side, 0.0, 1.0) * width, np.nan) for side in (low, high)
    )


def difference_limits(
    values: Floats, spread: Spread, level: float, reach: float
) -> tuple[Floats, Floats]:
    """`limits` of differences (m,) between -reach and reach.

    Two systems that answer alike on every turn show no variance for another reason than a figure
    does: their difference is at most the share of turns on which they differ. Of that share, 0 of
    `clusters` observations, Wilson's upper limit is the bound on both sides.
    """
    low, high = limits(values, spread, level, (-reach, reach))
    alike = (values == 0) & _unseen(2 * reach, spread)
    t = stdtrit(np.maximum(spread.clusters - 1, 1), (1 + level) / 2)
    far = np.where(spread.clusters > 1, reach * t**2 / (spread.clusters + t**2), np.nan)
    return np.where(alike, -far, low), np.where(alike, far, high)


def difference_ps(values: Floats, spread: Spread, reach: float) -> Floats:
    """Two-sided p, (m,), of differences (m,) between -reach and reach; NaN below two clusters.

    The interval turned round: p is below 1 - level exactly where `difference_limits` leaves 0 out.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        place = np.clip((np.abs(values) + reach) / (2 * reach), 0.0, 1.0)  # either sign: one p
        seen = np.sqrt(observations(place, np.asarray(2 * reach), spread))
        statistic = np.where(values == 0, 0.0, np.abs(values) / reach * seen)
    ps = 2 * stdtr(np.maximum(spread.clusters - 1, 1), -statistic)
    return np.where((spread.clusters > 1) & ~np.isnan(values), ps, np.nan)


def observations(places: Floats, width: Floats, spread: Spread) -> Floats:
    """The effective sample size of each figure, (m,), from its place between its bounds."""
    plain = (places > 0) & (places < 1) & ~_unseen(width, spread)
    seen = places * (1 - places) * width**2 / np.where(plain, spread.variance, 1.0)
    return np.where(plain, seen, spread.clusters)


def _unseen(width: ArrayLike, spread: Spread) -> Bools:
    """Whether the variance is none, but for rounding, (m,)."""
    none: Bools = spread.variance <= (ROUNDING * np.asarray(width)) ** 2
    return none
