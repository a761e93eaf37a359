"""Counts of draws against the running maximum over all pairs, one draw after the other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.statistics import draw_counts
from harness.statistics.draw_counts import COARSE, count_reached


def long_hand(sums, one, other, scale, observed):
    """For each pair, draws whose running maximum is at least the observed statistic."""
    needed = (observed * (1 - COARSE) - COARSE).astype(np.float32)
    single = sums.astype(np.float32)
    found = np.abs(single[one] - single[other]) * scale.astype(np.float32)[:, None]
    return (np.maximum.accumulate(found, axis=0) >= needed[:, None]).sum(axis=1)


def board(seed, systems, draws, *, twins=0, still=0, spread=1.0, widths=(0.2, 2)):
    """Sums of systems and their pairs in order.

    twins: systems that are nearly another one; still: systems that never differ from the first.
    spread: how far apart the observed statistics are; widths: the least and greatest deviation.
    """
    rng = np.random.default_rng(seed)
    influences = rng.normal(size=(40, systems)) * rng.uniform(*widths, systems)
    for twin in range(1, 1 + twins):
        influences[:, twin] = influences[:, 0] + rng.normal(size=40) * 1e-4
    influences[:, systems - still :] = influences[:, [0]]
    one, other = np.triu_indices(systems, k=1)
    deviation = np.linalg.norm(influences[:, one] - influences[:, other], axis=0)
    scale = np.where(deviation > 0, 1 / np.where(deviation > 0, deviation, 1), 0)
    observed = np.abs(rng.normal(size=len(one))) * spread * (scale > 0)
    order = np.argsort(observed, kind="stable")
    sums = influences.T @ rng.standard_normal((40, draws))
    return sums, one[order], other[order], scale[order], observed[order]


CASES = {
    "equal": {},
    "apart": {"spread": 4.0},
    "nearly all reached": {"spread": 0.3},
    "twins": {"twins": 4},
    "many twins": {"twins": 20},
    "some never differ": {"still": 5},
    "none differs": {"still": 30},
}


@pytest.fixture
def few(monkeypatch):
    """Most pairs are left out from few pairs on."""
    monkeypatch.setattr(draw_counts, "MANY", 20)
    monkeypatch.setattr(draw_counts, "FIRST", 30)


@pytest.mark.parametrize("draws_at_once", [64, 2_048])
@pytest.mark.parametrize("dearer", [0, 20, 10**9])
@pytest.mark.parametrize("case", CASES)
def test_counts_are_those_of_all_pairs(few, monkeypatch, case, dearer, draws_at_once):
    monkeypatch.setattr(draw_counts, "DEARER", dearer)
    monkeypatch.setattr(draw_counts, "DRAWS_AT_ONCE", draws_at_once)
    given = board(3, 30, 150, **CASES[case])
    assert count_reached(*given).tolist() == long_hand(*given).tolist()


@given(st.integers(0, 2**32), st.integers(2, 40), st.sampled_from(sorted(CASES)))
def test_any_board_is_counted_alike_with_and_without_leaving_out(seed, systems, case):
    more = {name: min(value, systems - 1) if name != "spread" else value
            for name, value in CASES[case].items()}  # fmt: skip
    given = board(seed, systems, 60, **more)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(draw_counts, "MANY", 5)
        patch.setattr(draw_counts, "FIRST", 3)
        assert count_reached(*given).tolist() == long_hand(*given).tolist()


def test_most_pairs_are_left_out(monkeypatch):
    """Whether the way is taken at all: of pairs that are computed one by one there are few."""
    computed, statistics = [], draw_counts.OrderedPairs.statistics

    def counted(pairs, block):
        computed.append(len(pairs.one))
        return statistics(pairs, block)

    monkeypatch.setattr(draw_counts.OrderedPairs, "statistics", counted)
    monkeypatch.setattr(draw_counts, "MANY", 10_000)
    monkeypatch.setattr(draw_counts, "FIRST", 1_000)
    given = board(0, 200, 50, spread=4.0, widths=(0.8, 1.2))
    assert count_reached(*given).tolist() == long_hand(*given).tolist()
    assert sum(computed) < len(given[1]) / 5
