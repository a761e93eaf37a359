"""Two systems on the same turns: their difference with its interval, effect size and p."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.statistics.design import Design, Figure, linearise
from harness.statistics.intervals import Interval, Spread, group_sums, limits
from harness.statistics.swaps import TIE, sign_flip_tests, swap_test
from harness.statistics.units import cross_labels

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Paired(NamedTuple):
    """Differences of m figures, each part (m,); NaN where undefined.

    errors: standard errors; effects: difference / standard deviation of the units' own differences
    (d_z; Sakai, SIGIR Forum 48(1), 2014); ps: two-sided, of the swap test, for this test alone.
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
) -> Paired:
    """First minus second system, for m means that both take over the same turns.

    `ones`, `others`, `denominators`: (m, turns), `denominators` also (turns,). A system's figure is
    sum(numerators) / sum(denominators) of a row and lies between `bounds`.
    """
    differences = np.atleast_2d(np.asarray(ones, float) - np.asarray(others, float))
    values, influence, support = _means(differences, denominators)
    measured = _measured(design, values, influence, support, slice(None), bounds)
    ps = np.where(np.isnan(values), np.nan, sign_flip_tests(design, differences))
    return Paired(values, *measured, ps)


def paired_smooth(
    design: Design,
    figure: Figure,
    ones: ArrayLike,
    others: ArrayLike,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Paired:
    """First minus second system, for one smooth figure of sums over turns (see `Design.smooth`).

    `ones`, `others`: (k, turns). For figures whose denominators depend on the system.
    """
    one, other = (np.asarray(columns, dtype=float) for columns in (ones, others))
    k = len(one)
    value, influence, turns = linearise(
        lambda sums: figure(sums[:k]) - figure(sums[k:]), np.concatenate([one, other])
    )
    values, support = np.array([value]), np.ones(influence.shape, dtype=bool)
    measured = _measured(design, values, influence, support, turns, bounds)
    return Paired(values, *measured, np.array([swap_test(design, figure, one, other)]))


class Differences(NamedTuple):
    """All pairs of N means, first minus second, each part (pairs,) in the order of triu_indices.

    As in `Paired`, without a test of each pair by itself.
    """

    values: Floats
    lows: Floats
    highs: Floats
    effects: Floats


def all_pairs(
    design: Design,
    numerators: ArrayLike,
    denominators: ArrayLike,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Differences:
    """The result of `paired` for each pair of systems whose means are over the same turns.

    `numerators`: (systems, turns), 0 where `denominators`, (turns,), are 0. The influence of a
    difference is the difference of influences, so its squares follow from products of systems. No
    array has pairs times turns entries.
    """
    table, below = np.asarray(numerators, float), np.asarray(denominators, float)
    means, influence, support = _means(table, below)
    one, other = np.triu_indices(len(table), k=1)

    def squares(group: Ints) -> tuple[Floats, int]:
        sums = group_sums(influence, group)  # (groups, systems)
        products = sums.T @ sums
        own = np.diag(products)
        found = own[one] + own[other] - 2 * products[one, other]
        some: Floats = np.where(found > TIE * (own[one] + own[other]), found, 0.0)
        return some, int(np.count_nonzero(group_sums(support[:, :1], group)))

    ways = [squares(group) for group in (design.unit, design.video)]
    cells, number = squares(cross_labels(design.unit, design.video))
    unit, video, both = (
        found * size / max(size - 1, 1) for found, size in (*ways, (cells, number))
    )
    variance = np.maximum(unit + video - both, np.maximum(unit, video))
    clusters = np.full(len(one), float(min(size for _, size in ways)))
    values, reach = means[one] - means[other], bounds[1] - bounds[0]
    lows, highs = limits(values, Spread(variance, clusters), design.level, (-reach, reach))
    within, units = ways[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        deviation = np.sqrt(within * units**2 / (units - 1.0))
        effects = np.where(deviation > 0, values / deviation, np.nan)
    return Differences(values, lows, highs, effects)


def paired_errors(design: Design, differences: ArrayLike, denominators: ArrayLike) -> Floats:
    """Standard errors, (m,), of sum(differences) / sum(denominators); NaN below two clusters.

    `differences`: (m, turns); `denominators`: (m, turns) or (turns,).
    """
    _, influence, support = _means(np.atleast_2d(np.asarray(differences, float)), denominators)
    spread = design.spread(influence, support, slice(None))
    return np.where(spread.clusters > 1, np.sqrt(spread.variance), np.nan)


def _means(differences: Floats, denominators: ArrayLike) -> tuple[Floats, Floats, Bools]:
    """Values (m,), influence (turns, m) and the turns that count (turns, m)."""
    above = differences.T
    below = np.broadcast_to(np.asarray(denominators, float), differences.shape).T
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
    bounds: tuple[float, float],
) -> tuple[Floats, Floats, Floats, Floats]:
    """Lows, highs, standard errors and effect sizes, each (m,)."""
    spread = design.spread(influence, support, turns)
    reach = bounds[1] - bounds[0]
    lows, highs = limits(values, spread, design.level, (-reach, reach))
    unit = design.unit[turns]
    units = np.count_nonzero(group_sums(support, unit), axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        squares = np.square(units * group_sums(influence, unit)).sum(axis=0)
        deviation = np.sqrt(squares / (units - 1))
        effects = np.where(deviation > 0, values / deviation, np.nan)
    errors = np.where(spread.clusters > 1, np.sqrt(spread.variance), np.nan)
    return lows, highs, errors, effects
