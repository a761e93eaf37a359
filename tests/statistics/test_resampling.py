"""The bootstrap against every possible resample, and against scipy on the same draws."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from harness.statistics import bootstrap
from harness.statistics.resampling import pick_counts

RIGHT = np.array([1.0, 1, 0, 0, 1, 0, 0, 1, 1])
DIALOGUE = np.array([0, 0, 0, 1, 1, 2, 2, 2, 3])


def every_resample() -> list[float]:
    """The share right in each of the 256 ways to draw four dialogues with replacement."""
    shares = []
    for picks in product(range(4), repeat=4):
        turns = [right for pick in picks for right in RIGHT[pick == DIALOGUE]]
        shares.append(sum(turns) / len(turns))
    return shares


def test_interval_matches_exhaustive_resampling_of_four_dialogues():
    found = bootstrap(RIGHT, np.ones(9), DIALOGUE, draws=20_000, level=0.9)
    expected = np.percentile(every_resample(), [5, 95])
    assert found.values[0] == 5 / 9
    assert (found.lows[0], found.highs[0]) == pytest.approx(tuple(expected), abs=1e-12)


def test_counts_say_how_often_each_cluster_was_picked():
    picks = np.array([[3, 3, 0, 1], [2, 2, 2, 2]])
    assert pick_counts(picks).tolist() == [[1, 1, 0, 2], [0, 0, 4, 0]]


def test_percentiles_are_scipys_on_the_same_draws():
    rng = np.random.default_rng(4)
    dialogue = np.repeat(np.arange(60), rng.integers(1, 6, 60))
    right, every = rng.random((3, len(dialogue))) < 0.4, np.ones(len(dialogue))
    found = bootstrap(right, np.tile(every, (3, 1)), dialogue, draws=500, seed=5)
    turns = np.bincount(dialogue).astype(float)
    for row in range(3):
        sums = np.bincount(dialogue, weights=right[row])
        foreign = stats.bootstrap(
            (sums, turns),
            lambda above, below, axis: above.sum(axis=axis) / below.sum(axis=axis),
            paired=True,
            n_resamples=500,
            method="percentile",
            rng=np.random.Generator(np.random.PCG64(5)),
        ).confidence_interval
        assert (found.lows[row], found.highs[row]) == pytest.approx(tuple(foreign), rel=1e-12)


def test_draws_come_from_the_seed_alone(monkeypatch: pytest.MonkeyPatch):
    arguments = (RIGHT, np.ones(9), DIALOGUE)
    once = bootstrap(*arguments, draws=50, seed=1)
    assert bootstrap(*arguments, draws=50, seed=1) == once
    monkeypatch.setattr("harness.statistics.resampling.AT_ONCE", 12)
    assert bootstrap(*arguments, draws=50, seed=1) == once
    assert bootstrap(*arguments, draws=50, seed=2) != once
