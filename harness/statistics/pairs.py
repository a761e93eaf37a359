"""Two systems on the same turns: their difference with its interval, effect size and p."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.statistics.design import Design, Figure, linearise
from harness.statistics.intervals import (
    Interval,
    Spread,
    difference_limits,
    difference_ps,
    group_sums,
)
from harness.statistics.units import cross_labels

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Of sums of squares: a difference of two that is smaller is rounding.
TIE = 1e-9


class Differences(NamedTuple):
    """Differences of m figures, first minus second system, each part (m,); NaN where undefined.

    errors: standard errors; effects: difference / standard deviation of the units' own differences
    (d_z; Sakai, SIGIR Forum 48(1), 2014), a unit's difference being its turns' addends to the
    whole, times the number of units; ps: two-sided, for each test alone. p is at most 1 - level
    exactly where the interval leaves out 0.
    """

    values: Floats
    lows: Floats
    highs: Floats
    errors: Floats
    effects: Floats
    ps: Floats

    def interval(self, row: int = 0) -> Interval:
        """One of the differences."""
        return Interval.of(self.values[row], self.lows[row], self.highs[row])


def paired(
    design: Design,
    ones: ArrayLike,
    others: ArrayLike,
    denominators: ArrayLike,
    bounds: tuple[float, float] = (0.0, 1.0),
    *,
    whole_units: bool = False,
) -> Differences:
    """First minus second system, for m means that both take over the same turns.

    `ones`, `others`, `denominators`: (m, turns), `denominators` also (turns,). A system's figure is
    sum(numerators) / sum(denominators) of a row and lies between `bounds`. `whole_units`: see
    `Design.ratios`.
    """
    differences = np.atleast_2d(np.asarray(ones, float) - np.asarray(others, float))
    values, influence, support = _means(differences, denominators)
    spread = design.spread(influence, support, whole_units=whole_units)
    return _measured(design, values, influence, support, slice(None), spread, bounds)


def paired_smooth(
    design: Design,
    figure: Figure,
    ones: ArrayLike,
    others: ArrayLike,
    bounds: tuple[float, float] = (0.0, 1.0),
    *,
    whole_units: bool = False,
) -> Differences:
    """First minus second system, for one smooth figure of sums over turns (see `Design.smooth`).

    `ones`, `others`: (k, turns). For figures whose denominators depend on the system.
    """
    one, other = (np.asarray(columns, dtype=float) for columns in (ones, others))
    k = len(one)
    value, influence, turns = linearise(
        lambda sums: figure(sums[:k]) - figure(sums[k:]), np.concatenate([one, other])
    )
    support = np.ones(influence.shape, dtype=bool)
    spread = design.spread(influence, support, turns, whole_units=whole_units)
    return _measured(design, np.array([value]), influence, support, turns, spread, bounds)


class PairSums(NamedTuple):
    """What all pairs of N systems are made of, in the order of triu_indices.

    means: (N,); values: (pairs,) differences; spread: of each pair, (pairs,); within: (pairs,) sums
    of the units' squared differences; units: how many units count. by_unit, by_video: (units, N),
    (videos, N) summed influences, scaled so that their squares sum to the two variances; ways:
    (pairs,) these two variances of a pair together.
    """

    means: Floats
    values: Floats
    spread: Spread
    within: Floats
    units: int
    by_unit: Floats
    by_video: Floats
    ways: Floats


def pair_sums(
    design: Design, numerators: ArrayLike, denominators: ArrayLike, *, whole_units: bool = False
) -> PairSums:
    """The sums behind all pairs of N means over the same turns.

    `numerators`: (systems, turns), 0 where `denominators`, (turns,), are 0. The influence of a
    difference is the difference of influences, so its squares follow from products of systems. No
    array has pairs times turns entries.
    """
    means, influence, support = _means(np.asarray(numerators, float), denominators)
    one, other = np.triu_indices(len(means), k=1)

    def squares(left: Floats, right: Floats) -> Floats:
        products = left.T @ right
        own = np.diag(products)
        found = own[one] + own[other] - 2 * products[one, other]
        some: Floats = np.where(np.abs(found) > TIE * (own[one] + own[other]), found, 0.0)
        return some

    def scaled(group: Ints) -> tuple[Floats, int]:
        size = int(np.count_nonzero(group_sums(support[:, :1], group)))
        return group_sums(influence, group) * np.sqrt(size / max(size - 1, 1)), size

    (by_unit, units), (by_video, videos), (by_cell, _) = (
        scaled(group)
        for group in (design.unit, design.video, cross_labels(design.unit, design.video))
    )
    unit, video, cell = (squares(sums, sums) for sums in (by_unit, by_video, by_cell))
    variance = np.maximum(unit + video - cell, np.maximum(unit, video))
    clusters = min(units, videos)
    if whole_units:
        sums = group_sums(influence, design.unit)
        pairs = squares(sums, design.sharing @ sums) * clusters / max(clusters - 1, 1)
        variance = np.maximum(variance, pairs)
    return PairSums(
        means=means,
        values=means[one] - means[other],
        spread=Spread(variance, np.full(len(one), float(clusters))),
        within=unit * (max(units - 1, 1) / max(units, 1)),
        units=units,
        by_unit=by_unit,
        by_video=by_video,
        ways=unit + video,
    )


def all_pairs(
    design: Design,
    numerators: ArrayLike,
    denominators: ArrayLike,
    bounds: tuple[float, float] = (0.0, 1.0),
    *,
    whole_units: bool = False,
) -> Differences:
    """The result of `paired` for each pair of N systems whose means are over the same turns.

    `numerators`: (systems, turns), 0 where `denominators`, (turns,), are 0. Each part of the result
    is (pairs,), in the order of triu_indices.
    """
    found = pair_sums(design, numerators, denominators, whole_units=whole_units)
    return _differences(design, found.values, found.spread, found.within, found.units, bounds)


def holm(ps: ArrayLike) -> Floats:
    """Holm's adjusted p-values, (m,), of m tests shown together. Holm, Scand. J. Stat. 6, 1979."""
    raw = np.asarray(ps, dtype=float)
    order = np.argsort(raw, kind="stable")
    stepped = np.maximum.accumulate(raw[order] * np.arange(len(raw), 0, -1))
    adjusted = np.empty_like(raw)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def paired_errors(
    design: Design,
    differences: ArrayLike,
    denominators: ArrayLike,
    *,
    whole_units: bool = False,
) -> Floats:
    """Standard errors, (m,), of sum(differences) / sum(denominators); NaN below two clusters.

    `differences`: (m, turns); `denominators`: (m, turns) or (turns,).
    """
    _, influence, support = _means(np.atleast_2d(np.asarray(differences, float)), denominators)
    return _errors(design.spread(influence, support, whole_units=whole_units))


def _means(table: Floats, denominators: ArrayLike) -> tuple[Floats, Floats, Bools]:
    """Values (m,), influence (turns, m) and the turns that count (turns, m)."""
    above = table.T
    below = np.broadcast_to(np.asarray(denominators, float), table.shape).T
    totals = below.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.where(totals != 0, above.sum(axis=0) / totals, np.nan)
        return values, (above - values * below) / totals, (above != 0) | (below != 0)


def _measured(
    design: Design,
    values: Floats,
    influence: Floats,
    support: Bools,
    turns: Ints | slice,
    spread: Spread,
    bounds: tuple[float, float],
) -> Differences:
    unit = design.unit[turns]
    units = np.count_nonzero(group_sums(support, unit), axis=0)
    within = np.square(group_sums(influence, unit)).sum(axis=0)
    return _differences(design, values, spread, within, units, bounds)


def _differences(
    design: Design,
    values: Floats,
    spread: Spread,
    within: Floats,
    units: ArrayLike,
    bounds: tuple[float, float],
) -> Differences:
    reach, number = bounds[1] - bounds[0], np.asarray(units, dtype=float)
    lows, highs = difference_limits(values, spread, design.level, reach)
    with np.errstate(invalid="ignore", divide="ignore"):
        deviation = np.sqrt(within * number**2 / (number - 1))
        effects = np.where(deviation > 0, values / deviation, np.nan)
    ps = difference_ps(values, spread, reach)
    return Differences(values, lows, highs, _errors(spread), effects, ps)


def _errors(spread: Spread) -> Floats:
    return np.where(spread.clusters > 1, np.sqrt(spread.variance), np.nan)
