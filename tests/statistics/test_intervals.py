"""Intervals against long-hand definitions, scipy and their own properties."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.statistics import Design, Interval
from harness.statistics.design import linearise
from harness.statistics.intervals import Spread, group_sums, limits, two_way
from tests.statistics.graphs import Graph, apart, clubs

SMALL = st.integers(0, 2**32 - 1)


def outcomes(seed: int, graph: Graph, rate: float = 0.4) -> np.ndarray:
    return (np.random.default_rng(seed).random(len(graph.unit)) < rate).astype(float)


def ratio(design: Design, values: np.ndarray, counted: np.ndarray) -> Interval:
    found = design.ratios(values, counted)
    return Interval.of(found.values[0], found.lows[0], found.highs[0])


def longhand(psi: list[float], *labels: list[int]) -> float:
    """Sum of squared group sums, times G / (G - 1)."""
    sums: dict[tuple[int, ...], float] = defaultdict(float)
    for turn, amount in enumerate(psi):
        sums[tuple(label[turn] for label in labels)] += amount
    return sum(total**2 for total in sums.values()) * len(sums) / (len(sums) - 1)


def test_variance_is_the_two_way_formula_written_out():
    graph = clubs(6, seed=1)
    unit, video = graph.unit.tolist(), graph.video.tolist()
    right = outcomes(1, graph)
    psi = ((right - right.mean()) / len(right)).tolist()
    both = longhand(psi, unit) + longhand(psi, video) - longhand(psi, unit, video)
    expected = max(both, longhand(psi, unit), longhand(psi, video))
    found = two_way(np.array([psi]).T, np.ones((len(psi), 1), bool), graph.unit, graph.video)
    assert found.variance[0] == pytest.approx(expected, rel=1e-12)
    assert found.clusters[0] == min(len(set(unit)), len(set(video)))


def test_variance_is_never_below_that_of_units_or_videos():
    # Two units cross two videos. The pairs' own variance, 4 * 4 / 3, is taken off each time.
    crossing = [1.0, -1, -1, 1]  # the sums of units and of videos are 0
    along = [1.0, -1, 1, -1]  # those of one are 0, those of the other 2 and -2: (4 + 4) * 2 / 1
    one, other = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    influence, every = np.array([crossing, along]).T, np.ones((4, 2), bool)
    assert two_way(influence, every, one, other).variance.tolist() == [0, 16]
    assert two_way(influence, every, other, one).variance.tolist() == [0, 16]


@pytest.mark.parametrize(("right", "turns"), [(1, 30), (7, 30), (29, 30), (312, 999)])
def test_limits_are_wilsons_where_turns_are_independent_and_many(right: int, turns: int):
    foreign = stats.binomtest(right, turns).proportion_ci(method="wilson")
    p = np.array([right / turns])
    low, high = limits(p, Spread(p * (1 - p) / turns, np.array([1e12])), 0.95, (0, 1))
    assert (low[0], high[0]) == pytest.approx(tuple(foreign), rel=1e-6)


@pytest.mark.parametrize(("clusters", "t"), [(2, 12.7062), (10, 2.2622), (31, 2.0423)])
def test_at_a_bound_each_cluster_is_one_observation(clusters: int, t: float):
    spread = Spread(np.zeros(2), np.full(2, float(clusters)))
    low, high = limits(np.array([0.0, 1.0]), spread, 0.95, (0, 1))
    reach = t**2 / (clusters + t**2)
    assert (low[0], high[1]) == (0, 1)
    assert (high[0], 1 - low[1]) == pytest.approx((reach, reach), rel=1e-4)


def test_where_no_variance_is_seen_each_unit_is_one_observation():
    # A score of a quarter that never varies is as a share of one in four, but for rounding.
    seen, n = ratio(apart(9).design(), np.full(9, 0.25), np.ones(9)), 9
    t = stats.t.ppf(0.975, n - 1)
    middle, half = 0.25 + t**2 / (2 * n), t * np.sqrt(0.25 * 0.75 / n + (t / (2 * n)) ** 2)
    below = 1 + t**2 / n
    assert (seen.low, seen.high) == pytest.approx(
        ((middle - half) / below, (middle + half) / below)
    )
    # Four dialogues of which half the turns are right, each a seventh of its figure.
    graph, right = apart(4, 6), np.tile([1.0, 0, 1, 0, 1, 0], 4) / 7
    found = graph.design().ratios(right, np.full(24, 1 / 7), whole_units=True)
    assert found.highs[0] - found.lows[0] > 0.5
    # All survive two turns and none the third: derivatives by steps leave rounding behind.
    risk, failed = np.tile([1.0, 1, 1], 5), np.tile([0.0, 0, 1], 5)
    at = np.arange(15) % 3 == np.arange(3)[:, None]
    curve = lambda sums: np.cumprod(1 - sums[:3] / sums[3:], axis=0).sum(axis=0)  # noqa: E731
    mean = apart(5, 3).design().smooth(curve, np.concatenate([at * failed, at * risk]), (0, 3))
    assert mean.value == pytest.approx(2)
    assert mean.high - mean.low > 1


def test_limits_move_with_their_bounds():
    p, spread = np.array([0.3]), Spread(np.array([0.002]), np.array([50.0]))
    low, high = limits(p, spread, 0.95, (0, 1))
    wide = Spread(spread.variance * 9, spread.clusters)
    moved = limits(-1 + 3 * p, wide, 0.95, (-1, 2))
    assert (moved[0][0], moved[1][0]) == pytest.approx((-1 + 3 * low[0], -1 + 3 * high[0]))


def test_a_ratio_is_the_mean_over_turns_that_count():
    found = ratio(apart(4).design(), np.array([1.0, 0, 0, 0]), np.array([1, 1, 1, 0]))
    assert found.value == 1 / 3


@given(SMALL, st.integers(2, 5))
def test_repeating_every_turn_in_place_changes_no_interval(seed: int, times: int):
    graph = clubs(5, seed)
    right = outcomes(seed, graph)
    again = Graph(np.repeat(graph.unit, times), np.repeat(graph.video, times))
    once = ratio(graph.design(), right, np.ones_like(right))
    many = np.repeat(right, times)
    assert ratio(again.design(), many, np.ones_like(many)) == pytest.approx(once, rel=1e-9)


@given(SMALL)
def test_neither_order_nor_names_matter(seed: int):
    graph = clubs(5, seed)
    right = outcomes(seed, graph)
    rng = np.random.default_rng(seed)
    turns, names = rng.permutation(len(right)), rng.permutation(1000)
    other = Graph(names[graph.unit][turns], names[graph.video][turns])
    here = ratio(graph.design(), right, np.ones_like(right))
    there = ratio(other.design(), right[turns], np.ones_like(right))
    assert there == pytest.approx(here, rel=1e-9)


@given(SMALL, st.floats(0, 1))
def test_a_share_lies_in_its_interval_and_the_interval_in_the_unit_interval(seed, rate):
    graph = clubs(4, seed)
    right = outcomes(seed, graph, rate)
    found = ratio(graph.design(), right, np.ones_like(right))
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high


def test_whole_units_count_each_pair_that_shares_a_video_in_full():
    graph = clubs(7, 3)
    rng = np.random.default_rng(1)
    psi, units = rng.random(len(graph.unit)), graph.unit.max() + 1
    videos = [set(graph.video[graph.unit == unit].tolist()) for unit in range(units)]
    sums = [float(psi[graph.unit == unit].sum()) for unit in range(units)]

    def in_full(first: int) -> float:
        return sum(
            sums[one] * sums[other]
            for one in range(first, units)
            for other in range(first, units)
            if videos[one] & videos[other]
        )

    every, design = np.ones((len(psi), 1), dtype=bool), graph.design()
    plain = design.spread(psi[:, None], every)
    whole = design.spread(psi[:, None], every, whole_units=True)
    fewer = plain.clusters[0]
    assert whole.variance[0] == pytest.approx(in_full(0) * fewer / (fewer - 1))
    assert whole.variance[0] > plain.variance[0]
    # Of some turns alone: the units that are left, and what they share in the whole split.
    some = np.flatnonzero(graph.unit > 2)
    part = design.spread(psi[some, None], every[some], some, whole_units=True)
    fewer = part.clusters[0]
    assert part.variance[0] == pytest.approx(in_full(3) * fewer / (fewer - 1))


def test_turns_that_vary_together_widen_the_interval():
    right = np.repeat([1.0, 0.0], 50)
    turns, ones = np.arange(100), np.ones(100)
    alone = ratio(Design.of(turns, turns, ones), right, ones)
    dialogues = ratio(Design.of(turns // 5, turns, ones), right, ones)
    videos = ratio(Design.of(turns, turns // 5, ones), right, ones)
    assert dialogues == pytest.approx(videos)
    # Five turns that are all right or all wrong are worth one: the variance is five times as great.
    assert dialogues.high - dialogues.low > 2 * (alone.high - alone.low)


def test_one_unit_or_one_video_gives_no_interval_and_no_turn_no_figure():
    some = np.array([1.0, 0, 1])
    for unit, video in (([0, 0, 0], [0, 1, 2]), ([0, 1, 2], [0, 0, 0])):
        design = Design.of(unit, video, [1, 1, 1])
        assert ratio(design, some, np.ones(3)) == Interval(2 / 3, None, None)
        assert ratio(design, np.zeros(3), np.zeros(3)) == Interval(None, None, None)


def test_many_figures_at_once_are_what_each_is_alone(monkeypatch: pytest.MonkeyPatch):
    graph = clubs(10)
    rng = np.random.default_rng(0)
    counted = (rng.random((40, len(graph.unit))) < 0.5).astype(float)
    values = counted * rng.random(counted.shape)
    design = graph.design()
    together = design.ratios(values, counted)
    monkeypatch.setattr("harness.statistics.design.AT_ONCE", 3 * len(graph.unit))
    assert np.array_equal(design.ratios(values, counted), together)
    alone = [ratio(design, *row) for row in zip(values, counted, strict=True)]
    assert np.transpose(together) == pytest.approx(np.array(alone), rel=1e-12)


def test_a_smooth_ratio_is_the_ratio():
    graph = clubs(12)
    counted = outcomes(1, graph, 0.7)
    right = outcomes(2, graph) * counted
    design = graph.design()
    smooth = design.smooth(lambda sums: sums[0] / sums[1], [right, counted])
    assert smooth == pytest.approx(ratio(design, right, counted), rel=1e-10)


def test_the_variance_of_a_survival_share_is_greenwoods():
    graph = apart(200)
    rng = np.random.default_rng(3)
    fails, leaves = rng.integers(1, 6, 200), rng.integers(1, 6, 200)
    steps = range(1, 4)
    at_risk = np.array([np.minimum(fails, leaves) >= t for t in steps])
    failed = np.array([(fails == t) & (leaves >= t) for t in steps])
    survival = lambda sums: np.prod(1 - sums[:3] / sums[3:], axis=0)  # noqa: E731
    found = graph.design().smooth(survival, np.concatenate([failed, at_risk]))
    d, n = failed.sum(axis=1), at_risk.sum(axis=1)
    share = np.prod(1 - d / n)
    greenwood = share**2 * (d / (n * (n - d))).sum() * 200 / 199
    low, high = limits(np.array([share]), Spread(greenwood, np.array([200.0])), 0.95, (0, 1))
    assert found == pytest.approx((share, low[0], high[0]), rel=1e-10)


def test_ten_digits_of_a_bound_are_those_of_the_exact_derivative():
    """The restricted mean of a survival curve and a difference of shares, by their own rules."""
    rng, graph = np.random.default_rng(4), clubs(80)
    table = rng.random((8, len(graph.unit))) * 0.3 + np.repeat([0, 1], 4)[:, None]
    part, whole = np.split(table.sum(axis=1), 2)
    curve = np.cumprod(1 - part / whole)
    # With a part S(t) falls by S(t) / (whole - part), with a whole it rises by part / whole of it.
    slope = np.array([-curve[j:].sum() / (whole[j] - part[j]) for j in range(4)])
    by_hand = np.concatenate([slope, -slope * part / whole]) @ table
    value, influence, _ = linearise(
        lambda sums: np.cumprod(1 - sums[:4] / sums[4:], axis=0).sum(axis=0), table
    )
    assert value == pytest.approx(curve.sum(), rel=1e-14)
    assert influence[:, 0] == pytest.approx(by_hand, rel=1e-10)
    pairs = table[[0, 4, 1, 5]]
    a, b, c, d = pairs.sum(axis=1)
    by_hand = np.array([1 / b, -a / b**2, -1 / d, c / d**2]) @ pairs
    found = linearise(lambda sums: sums[0] / sums[1] - sums[2] / sums[3], pairs)[1][:, 0]
    assert found == pytest.approx(by_hand, rel=1e-9, abs=1e-12)


def test_an_undefined_smooth_figure_has_no_interval():
    nothing = np.zeros((2, 4))
    assert apart(4).design().smooth(lambda s: s[0] / s[1], nothing) == Interval(None, None, None)


def test_median_interval_is_that_of_the_order_statistics():
    ranks = np.random.default_rng(0).permutation(100) + 1
    found = apart(100).design().median(ranks, np.ones(100))
    foreign = stats.quantile_test(ranks, p=0.5, q=50).confidence_interval(0.95)
    assert found.value == 50.5
    assert abs(found.low - foreign.low) <= 1
    assert abs(found.high - foreign.high) <= 1


@pytest.mark.parametrize(
    ("ranks", "expected"),
    [
        ([1, 2, 3, 101, 101], 3),
        ([1, 3, 5, 101], 4),
        ([1, 1, 101, 101], None),
        ([2, 101, 101], None),
        ([], None),
    ],
    ids=["odd", "even", "absent in half", "absent in more", "no turn"],
)
def test_median_rank_is_past_100_if_absent_in_half_the_turns(ranks, expected):
    values, mask = np.array([*ranks, 1, 1]), np.array([1] * len(ranks) + [0, 0])
    found = apart(len(values)).design().median(values, mask)
    assert found.value == expected
    if expected is None:
        assert found == Interval(None, None, None)


def test_median_interval_rests_on_the_turns_that_count_alone():
    rng = np.random.default_rng(0)
    ranks, mask = rng.integers(1, 60, 80), np.arange(80) < 50
    alone = apart(50).design().median(ranks[mask], np.ones(50))
    assert apart(80).design().median(np.where(mask, ranks, 1), mask) == alone


def test_a_median_bound_past_100_is_101():
    found = apart(9).design().median(np.array([1, 2, 3, 4, 100, 101, 101, 101, 101]), np.ones(9))
    assert (found.value, found.high) == (100, 101)


def test_group_sums_are_in_the_order_of_the_labels():
    assert group_sums(np.array([[1.0], [2], [4], [8]]), np.array([7, 3, 7, 3])).tolist() == [
        [10.0],
        [5.0],
    ]


def test_wider_levels_give_wider_intervals():
    graph = clubs(8)
    right = outcomes(0, graph)
    found = [
        ratio(graph.design(level=level), right, np.ones_like(right)) for level in (0.8, 0.95, 0.99)
    ]
    assert all(narrow.high < wide.high for narrow, wide in pairwise(found))
    assert all(narrow.low > wide.low for narrow, wide in pairwise(found))
