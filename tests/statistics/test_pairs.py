"""Paired differences against scipy's paired t-test, by hand, and by their properties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.statistics import all_pairs, holm, paired, paired_errors, paired_smooth
from tests.statistics.graphs import Graph, apart, clubs


def share(sums: np.ndarray) -> np.ndarray:
    return sums[0] / sums[1]


def test_error_and_effect_are_those_of_a_paired_t_test_where_turns_are_independent():
    one, other = np.random.default_rng(0).random((2, 40))
    found = paired(apart(40).design(draws=99), one, other, np.ones(40))
    foreign = stats.ttest_rel(one, other)
    assert found.values[0] / found.errors[0] == pytest.approx(foreign.statistic)
    assert found.effects[0] == pytest.approx(foreign.statistic / np.sqrt(40))
    # Wilson's shape: the statistic shrinks by the root of 1 - d^2.
    shrunk = foreign.statistic * np.sqrt(1 - found.values[0] ** 2)
    assert found.ps[0] == pytest.approx(2 * stats.t.sf(abs(shrunk), 39))
    low, high = foreign.confidence_interval(0.95)
    assert found.interval().low == pytest.approx(low, abs=0.005)
    assert found.interval().high == pytest.approx(high, abs=0.005)


@given(st.integers(0, 2**32 - 1))
def test_changing_places_changes_the_sign_alone(seed: int):
    graph = clubs(5, seed)
    one, other = np.random.default_rng(seed).integers(0, 2, (2, len(graph.unit)))
    design, every = graph.design(draws=99), np.ones(len(graph.unit))
    there, back = paired(design, one, other, every), paired(design, other, one, every)
    assert back.values == pytest.approx(-there.values, abs=1e-12)
    assert back.lows == pytest.approx(-there.highs, abs=1e-12)
    assert back.errors == pytest.approx(there.errors, abs=1e-12)
    assert back.ps == there.ps


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.05, 0.4, 1.0]), st.booleans())
def test_p_is_below_five_percent_where_the_interval_leaves_out_zero(seed, rate, whole):
    graph = clubs(6, seed)
    one, other = np.random.default_rng(seed).random((2, len(graph.unit))) < [[rate], [rate / 2]]
    every = np.ones(len(graph.unit))
    found = paired(graph.design(), one * 1.0, other * 1.0, every, whole_units=whole)
    apart_ = found.lows[0] > 0 or found.highs[0] < 0
    assert (found.ps[0] < 0.05) == apart_ or found.ps[0] == pytest.approx(0.05)


@pytest.mark.parametrize("units", [2, 5, 40])
def test_a_difference_that_never_varies_rests_on_as_many_observations_as_units(units):
    design, every = apart(units).design(), np.ones(units)
    found = paired(design, every * 0.75, every * 0.25, every)
    assert found.values[0] == 0.5
    assert found.ps[0] == pytest.approx(2 * stats.t.sf(0.5 * np.sqrt(units), units - 1))
    all_won = paired(design, every, every * 0, every)
    assert all_won.ps[0] == pytest.approx(2 * stats.t.sf(np.sqrt(units), units - 1))


def test_p_of_equal_systems_is_five_percent_at_most_about_as_often_as_it_says():
    """Each system finds other videos hard: the units alone would not do."""
    rng, graph = np.random.default_rng(2), Graph(np.repeat(np.arange(100), 3), np.arange(300) % 40)
    ease = 0.9 * (rng.exponential(size=(2, 2000, 40)) - 1)[..., graph.video]
    right = rng.random(ease.shape) < 1 / (1 + np.exp(-ease))
    found = paired(graph.design(), right[0] * 1.0, right[1] * 1.0, np.ones(300))
    # 0.999 quantiles of a binomial at 5 %, and at 3 %: it is neither liberal nor asleep.
    assert np.count_nonzero(found.ps <= 0.05) <= stats.binom(2000, 0.05).ppf(0.999)
    assert np.count_nonzero(found.ps <= 0.05) >= stats.binom(2000, 0.03).ppf(0.001)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.5]) == pytest.approx([1, 1])
    assert holm([]).tolist() == []


@given(st.integers(0, 2**32 - 1))
def test_the_general_way_agrees_with_the_fast_one(seed: int):
    graph = clubs(6, seed)
    one, other = np.random.default_rng(seed).random((2, len(graph.unit)))
    design, every = graph.design(draws=99), np.ones(len(graph.unit))
    fast = paired(design, one, other, every)
    general = paired_smooth(design, share, [one, every], [other, every])
    assert np.array(general) == pytest.approx(np.array(fast), rel=1e-5, abs=1e-8)


def test_only_turns_that_count_are_compared():
    one, other, counted = np.array([1.0, 1, 0, 0]), np.array([0.0, 1, 0, 0]), np.array([1, 1, 1, 0])
    found = paired(apart(4).design(draws=9), one, other, counted)
    assert found.values[0] == 1 / 3
    assert found.errors[0] == pytest.approx(np.std([1, 0, 0], ddof=1) / np.sqrt(3))


def test_identical_systems_differ_by_nothing():
    same = np.array([1.0, 0, 1, 1])
    found = paired(apart(4).design(draws=9), same, same, np.ones(4))
    assert found.values[0] == 0
    assert found.ps[0] == 1
    # They differ on 0 of 4 turns: no more can be said than Wilson's upper limit of that share.
    t = stats.t.ppf(0.975, 3)
    assert found.highs[0] == -found.lows[0] == pytest.approx(t**2 / (4 + t**2))
    many = paired(apart(10**5).design(), np.ones(10**5), np.ones(10**5), np.ones(10**5))
    wilson = stats.binomtest(0, 10**5).proportion_ci(method="wilson")
    assert many.highs[0] == pytest.approx(wilson.high, rel=1e-4)
    assert np.isnan(found.effects[0])


def test_what_no_turn_decides_is_undefined():
    found = paired(apart(3).design(draws=9), np.zeros(3), np.zeros(3), np.zeros(3))
    assert np.isnan([part[0] for part in found]).all()
    assert np.isnan(np.array(paired_smooth(apart(3).design(), share, *np.zeros((2, 2, 3))))).all()
    one_unit = apart(1, 3).design(draws=9)
    alone = paired(one_unit, np.ones(3), np.zeros(3), np.ones(3))
    assert alone.values[0] == 1
    assert np.isnan([alone.lows[0], alone.highs[0], alone.errors[0]]).all()


def test_each_row_may_have_turns_of_its_own():
    design = clubs(8).design(draws=99)
    rng = np.random.default_rng(3)
    counted = rng.random((4, len(design.unit))) < 0.6
    one, other = counted * rng.random((2, *counted.shape))
    together = paired(design, one, other, counted)
    assert np.array_equal(paired_errors(design, one - other, counted), together.errors)
    for row in range(4):
        alone = paired(design, one[row], other[row], counted[row])
        assert [part[0] for part in alone] == pytest.approx([part[row] for part in together])


def test_all_pairs_are_those_of_paired_one_by_one():
    graph = clubs(50)
    design = graph.design(draws=9)
    draw = np.random.default_rng(3)
    weights = draw.integers(0, 3, len(graph.unit)) / 2
    table = (draw.random((5, len(weights))) < np.linspace(0.2, 0.8, 5)[:, None]) * weights
    table = np.concatenate([table, table[:1]])  # the last is the first again
    one, other = np.triu_indices(6, k=1)
    expected = paired(design, table[one], table[other], np.tile(weights, (len(one), 1)))
    found = all_pairs(design, table, weights)
    for name in found._fields:
        assert getattr(found, name) == pytest.approx(
            getattr(expected, name), rel=1e-9, abs=1e-12, nan_ok=True
        ), name
    assert np.isnan(found.effects).sum() == 1
