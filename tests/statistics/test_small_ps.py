"""Small p-values: near exact ones beyond the draws, and in line with the intervals."""

import numpy as np
import pytest
from scipy.stats import poisson

from harness.statistics import drawn_p, excess_ps
from harness.statistics.intervals import Spread, limits


def test_draws_beyond_a_figure_are_counted_where_there_are_enough():
    draws = np.arange(1000.0)
    far = np.count_nonzero(np.abs(draws - 499.5) >= 400.5)
    assert drawn_p(900.0, draws) == pytest.approx((1 + far) / 1001)
    assert drawn_p(3.0, np.full(10, 3.0)) == 1.0


@pytest.mark.parametrize("mean", [3.0, 50.0])
def test_a_small_p_beyond_the_draws_is_near_the_exact_one(mean):
    draws = np.random.default_rng(2).poisson(mean, 5000)
    far = poisson.isf(1e-6, mean)
    exact = 2 * poisson.sf(far - 1, mean)
    assert exact / 30 < drawn_p(far, draws) < exact * 30


@pytest.mark.parametrize("share", [0.5, 0.55, 0.6, 0.62, 0.7, 1.0])
def test_a_share_exceeds_a_bound_exactly_where_its_interval_leaves_it_out(share):
    spread = Spread(np.array([0.0025 if share < 1 else 0.0]), np.array([40.0]))
    (low,), _ = limits(np.array([share]), spread, 0.95, (0.0, 1.0))
    (p,) = excess_ps([share], spread, 0.5, [1_000_000])
    assert (p < 0.025) == (low > 0.5)
    assert (p == 0.5) == (share == 0.5)


def test_a_share_rests_on_no_more_observations_than_turns():
    spread = Spread(np.array([1e-9]), np.array([40.0]))
    few, many = (float(excess_ps([0.7], spread, 0.5, [turns])[0]) for turns in (30, 300))
    assert 0.01 < few < 0.03  # 2.19 standard errors, 39 degrees of freedom
    assert many < 1e-6
    assert np.isnan(excess_ps([0.7], Spread(np.array([0.1]), np.array([1.0])), 0.5, [9])[0])
