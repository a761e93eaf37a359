"""The percentile bootstrap over clusters: not what intervals are made of, but what checks them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.statistics.design import DRAWS, LEVEL, SEED, Ratios
from harness.statistics.intervals import group_sums

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

AT_ONCE = 2**20  # picks that are drawn together


def bootstrap(
    numerators: ArrayLike,
    denominators: ArrayLike,
    cluster: ArrayLike,
    *,
    draws: int = DRAWS,
    level: float = LEVEL,
    seed: int = SEED,
) -> Ratios:
    """Each row's sum(numerators) / sum(denominators) with its percentile interval.

    `numerators`, `denominators`: (m, turns); `cluster`: (turns,), what is drawn whole, with
    replacement. Draws in which the denominators sum to 0 are left out.
    """
    groups = np.asarray(cluster)
    above, below = (
        group_sums(np.atleast_2d(np.asarray(x, float)).T, groups)
        for x in (numerators, denominators)
    )
    totals = below.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = np.concatenate(
            [(count @ above) / (count @ below) for count in _counts(len(above), draws, seed)]
        )  # (draws, m)
        values = above.sum(axis=0) / totals
    tail = 100 * (1 - level) / 2
    lows, highs = np.nanpercentile(drawn, [tail, 100 - tail], axis=0)
    return Ratios(values, lows, highs)


def _counts(clusters: int, draws: int, seed: int) -> Iterator[Floats]:
    """How often each cluster is picked in each draw, (some draws, clusters)."""
    generator = np.random.Generator(np.random.PCG64(seed))
    portion = max(1, AT_ONCE // clusters)
    for start in range(0, draws, portion):
        size = min(portion, draws - start)
        yield counted(generator.integers(0, clusters, size=(size, clusters)))


def counted(picks: Ints) -> Floats:
    """How often each cluster stands in each row of `picks` (draws, clusters), in that shape."""
    draws, clusters = picks.shape
    places = picks + clusters * np.arange(draws)[:, None]
    return np.bincount(places.ravel(), minlength=picks.size).reshape(picks.shape).astype(float)
