"""How fast intervals, the bootstrap and a whole board are; ratios within one run.

    python -m tests.bench.resampling

Sizes: 5,794 units, 15,000 turns, 10,000 draws, 100 systems. Prints, asserts that figures agree,
and asserts nothing about time. Run it with OPENBLAS_NUM_THREADS=1 for a comparison thread for
thread: scipy's way has no matrix products to share out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from harness.statistics import Design, board, bootstrap
from harness.statistics.design import DRAWS, SEED

UNITS, TURNS, METRICS, SYSTEMS = 5_794, 15_000, 20, 100
Floats = NDArray[np.float64]


def timed(name: str, work: Callable[[], Any], times: int = 1) -> tuple[float, Any]:
    """CPU seconds of the best of so many runs, printed with its wall time, and what it gave."""
    best, wall, found = float("inf"), 0.0, None
    for _ in range(times):
        start, began = time.process_time(), time.perf_counter()
        found = work()
        if time.process_time() - start < best:
            best, wall = time.process_time() - start, time.perf_counter() - began
    print(f"{name:60s} {best:8.3f} s CPU {wall:8.3f} s wall", flush=True)
    return best, found


def generator() -> np.random.Generator:
    """The draws that the harness takes too."""
    return np.random.Generator(np.random.PCG64(SEED))


def scipy_way(above: Floats, below: Floats, batch: int) -> tuple[Floats, Floats]:
    """scipy.stats.bootstrap of ratios of sums, over the last axis."""
    found = stats.bootstrap(
        (above, below),
        lambda x, y, axis: x.sum(axis=axis) / y.sum(axis=axis),
        paired=True,
        n_resamples=DRAWS,
        batch=batch,
        method="percentile",
        axis=-1,
        rng=generator(),
    ).confidence_interval
    return np.asarray(found.low), np.asarray(found.high)


def scipy_by_index(above: Floats, below: Floats, batch: int) -> tuple[Floats, Floats]:
    """The same, scipy resampling the units' numbers and one gather serving all metrics."""
    table = np.concatenate([above, below])

    def ratios(unit: NDArray[np.int64], axis: int) -> Floats:
        sums = table[:, unit].sum(axis=-1)
        return np.asarray(sums[:METRICS] / sums[METRICS:])

    found = stats.bootstrap(
        (np.arange(above.shape[1]),),
        ratios,
        vectorized=True,
        n_resamples=DRAWS,
        batch=batch,
        method="percentile",
        rng=generator(),
    ).confidence_interval
    return np.asarray(found.low), np.asarray(found.high)


def bootstraps() -> None:
    """20 ratios of sums over 5,794 units: the harness's bootstrap and scipy's, on one stream."""
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 8, UNITS).astype(float)
    above = rng.binomial(sizes.astype(int), 0.3, (METRICS, UNITS)).astype(float)
    below = np.tile(sizes, (METRICS, 1))
    ours, found = timed("bootstrap, 20 metrics", lambda: bootstrap(above, below, range(UNITS)), 3)
    theirs = []
    for name, way, batch in (
        ("scipy, metrics as rows, 20 draws a batch", scipy_way, 20),
        ("scipy, one metric at a time, 100 draws a batch", one_at_a_time, 100),
        ("scipy, resampling unit numbers, 20 draws a batch", scipy_by_index, 20),
    ):
        seconds, (low, high) = timed(name, partial(way, above, below, batch), 2)
        assert np.allclose(low, found.lows, rtol=1e-12)
        assert np.allclose(high, found.highs, rtol=1e-12)
        theirs.append(seconds)
    print(
        f"percentiles equal; the best of scipy takes {min(theirs) / ours:.1f} times the CPU time\n"
    )


def one_at_a_time(above: Floats, below: Floats, batch: int) -> tuple[Floats, Floats]:
    """scipy.stats.bootstrap called once a metric."""
    rows = [scipy_way(x, y, batch) for x, y in zip(above, below, strict=True)]
    return np.array([low for low, _ in rows]), np.array([high for _, high in rows])


def intervals() -> None:
    """The intervals of a score and a board, 15,000 turns."""
    rng = np.random.default_rng(1)
    unit, video = np.sort(rng.integers(0, UNITS, TURNS)), rng.integers(0, 4_000, TURNS)
    right = (rng.random((SYSTEMS, TURNS)) < rng.uniform(0.25, 0.35, (SYSTEMS, 1))).astype(float)
    every = np.ones((METRICS, TURNS))
    _, design = timed("design", lambda: Design.of(unit, video, np.ones(TURNS)))
    timed("20 figures over all turns", lambda: design.ratios(right[:METRICS], every), 3)
    slices = [rng.integers(0, 10, TURNS) == code for _ in range(6) for code in range(10)]

    def sliced() -> None:
        for turns in slices:
            design.ratios(right[:METRICS] * turns, every * turns)

    timed("1,200 figures: 20 metrics on 60 slices of a tenth", sliced, 3)
    many = (np.tile(right, (20, 1)), np.ones((2_000, TURNS)))
    timed("2,000 figures over all turns", lambda: design.ratios(*many))
    timed("median rank", lambda: design.median(rng.integers(1, 80, TURNS), every[0]), 3)
    grouped = Design.of(unit, unit, np.ones(TURNS))
    timed(
        f"board: {SYSTEMS} systems, {grouped.count:,} clusters, 10,000 draws",
        lambda: board(grouped, right, every[0]),
    )


if __name__ == "__main__":
    bootstraps()
    intervals()
