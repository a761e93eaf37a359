"""Coverage of the default interval for figures that are no plain shares of turns."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from harness.statistics import Differences, Interval, Ratios, paired
from tests.bench.simulation import Count, Floats, Rng, Shares, Slice, latent

TRIALS = 1000
FEW_TRIALS = 300  # where each interval is a call of its own


def reciprocal_rank(rng: Rng, turns: Slice, parts: Shares) -> Count:
    """The mean of 1 / rank, 0 past 100."""
    ranks = _ranks(latent(rng, turns, parts, TRIALS))
    grid = _ranks(ndtri((np.arange(10**6) + 0.5) / 10**6))
    scores, exact = (np.where(x <= 100, 1 / x, 0.0) for x in (ranks, grid))
    return _rows(turns.design().ratios(scores.T, np.ones_like(scores.T)), exact.mean())


def difference(rng: Rng, turns: Slice, parts: Shares) -> Count:
    """Two systems with half of their variance in common."""
    both, one, other = (latent(rng, turns, parts, TRIALS) for _ in range(3))
    first, second = ((both + own) / np.sqrt(2) for own in (one, other))
    found = paired(
        turns.design(), (first < ndtri(0.33)).T, (second < ndtri(0.3)).T, np.ones(len(first))
    )
    return _rows(found, 0.03)


def after_right(rng: Rng, turns: Slice, parts: Shares) -> Count:
    """A share whose denominator is random: right turns among those that follow a right one."""
    right = latent(rng, turns, parts, TRIALS) < ndtri(0.3)
    before = _before(right, turns)
    truth = np.count_nonzero(right & before) / np.count_nonzero(before)
    return _rows(turns.design().ratios((right & before).T, before.T), truth)


def dependence(rng: Rng, turns: Slice, parts: Shares) -> Count:
    """The difference of two such shares, after a right and after a wrong turn."""
    right = latent(rng, turns, parts, FEW_TRIALS) < ndtri(0.3)
    before, after_wrong = _before(right, turns), _before(~right, turns)
    table = np.array([right & before, before, right & after_wrong, after_wrong]).astype(float)
    return _smooth(turns, lambda sums: sums[0] / sums[1] - sums[2] / sums[3], table, (-1, 1))


def survival(rng: Rng, turns: Slice, parts: Shares) -> Count:
    """Kaplan-Meier's share of dialogues without a failure in their first three turns."""
    right = latent(rng, turns, parts, FEW_TRIALS) < ndtri(0.7)
    tables = np.stack([survival_table(each, turns) for each in right.T], axis=-1)
    return _smooth(turns, survives, tables, (0, 1))


def survival_table(right: NDArray[np.bool_], turns: Slice) -> Floats:
    """By place 1 to 3, failures of dialogues at risk; then, those at risk: (6, turns)."""
    alive = [turns.place == 1]
    for _ in range(2):
        before = np.roll(right & alive[-1], 1)
        alive.append(before & (turns.place > 1))
    return np.array([*(each & ~right for each in alive), *alive]).astype(float)


def survives(sums: Floats) -> Floats:
    """S@3 of the sums of `survival_table`."""
    return np.prod(1 - sums[:3] / sums[3:], axis=0)


def median(rng: Rng, turns: Slice, parts: Shares) -> Count:
    """The median of integer ranks; it is 10."""
    design, every = turns.design(), np.ones(len(turns.unit))
    ranks = _ranks(latent(rng, turns, parts, FEW_TRIALS))
    return _each((design.median(column, every) for column in ranks.T), float(_ranks(0.0)))


FIGURES: dict[str, Callable[[Rng, Slice, Shares], Count]] = {
    "mean reciprocal rank": reciprocal_rank,
    "paired difference, 0.33 - 0.30": difference,
    "share right after a right turn": after_right,
    "dependence (difference of two shares)": dependence,
    "S@3 (product of three shares)": survival,
    "median rank": median,
}


def _ranks(values: ArrayLike) -> Floats:
    """Ranks 1 to 101, a tenth of them 1."""
    return np.clip(np.ceil(np.exp(2.25 + 1.7 * np.asarray(values))), 1, 101)


def _before(held: NDArray[np.bool_], turns: Slice) -> NDArray[np.bool_]:
    """Whether `held` was so in the turn before, of the same unit."""
    return np.roll(held, 1, axis=0) & (turns.place > 1)[:, None]


def _rows(found: Ratios | Differences, truth: float) -> Count:
    held = (found.lows <= truth) & (truth <= found.highs)
    return Count(int(np.count_nonzero(held)), len(held))


def _smooth(
    turns: Slice, figure: Callable[[Floats], Floats], table: Floats, bounds: tuple[float, float]
) -> Count:
    """`table`: (k, turns, trials). The truth is the figure of all trials together."""
    design = turns.design()
    found = (design.smooth(figure, table[..., trial], bounds) for trial in range(table.shape[2]))
    return _each(found, float(figure(table.sum(axis=(1, 2)))))


def _each(found: Iterable[Interval], truth: float) -> Count:
    held = [
        each.low <= truth <= each.high
        for each in found
        if each.low is not None and each.high is not None
    ]
    return Count(sum(held), len(held))
