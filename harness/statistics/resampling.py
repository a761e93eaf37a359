"""The percentile bootstrap over clusters. It checks the intervals; they do not come from it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.statistics.design import DRAWS, LEVEL, SEED, Ratios
from harness.statistics.intervals import group_sums

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

AT_ONCE = 2**19  # picks of one block


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

    `numerators`, `denominators`: (m, turns); `cluster`: (turns,); whole clusters are drawn, with
    replacement. Draws in which the denominators sum to 0 are left out.
    """
    groups = np.asarray(cluster)
    above, below = (
        group_sums(np.atleast_2d(np.asarray(x, float)).T, groups)
        for x in (numerators, denominators)
    )
    # Metrics over the same turns have the same denominators: once each is enough.
    below, which = np.unique(below, axis=1, return_inverse=True)
    table, m = np.concatenate([above, below], axis=1), above.shape[1]
    sums = np.concatenate([count @ table for count in _counts(len(table), draws, seed)])
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = sums[:, :m] / sums[:, m:][:, which]  # (draws, m)
        values = above.sum(axis=0) / below.sum(axis=0)[which]
    tail = 100 * (1 - level) / 2
    lows, highs = np.nanpercentile(ratios, [tail, 100 - tail], axis=0)
    return Ratios(values, lows, highs)


def _counts(clusters: int, draws: int, seed: int) -> Iterator[Floats]:
    """How often each cluster is picked in each draw, (some draws, clusters)."""
    generator = np.random.Generator(np.random.PCG64(seed))
    portion = max(1, AT_ONCE // clusters)
    for start in range(0, draws, portion):
        size = min(portion, draws - start)
        yield pick_counts(generator.integers(0, clusters, size=(size, clusters)))


def pick_counts(picks: Ints) -> Floats:
    """How often each cluster is in each row of `picks` (draws, clusters), in that shape."""
    counts = np.empty(picks.shape)
    # Row by row: the counts of one draw fit the cache, those of many together do not.
    for row, pick in zip(counts, picks, strict=True):
        row[:] = np.bincount(pick, minlength=len(row))
    return counts
