"""The board: max-T by long hand, false positives, power, rank ranges, what can be told apart."""

from itertools import combinations
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
from scipy import stats

from harness.statistics import all_pairs, board, max_t, minimum_detectable, rank_ranges
from tests.statistics.graphs import Graph, apart, clubs, real, simulated


def test_two_systems_have_the_p_of_their_one_test_but_for_the_draws():
    graph = clubs(60)
    right = np.random.default_rng(0).integers(0, 2, (2, len(graph.unit)))
    design, every = graph.design(), np.ones(len(graph.unit))
    alone = all_pairs(design, right, every).ps[0]
    together = max_t(design, right, every)[0, 1]
    assert together >= alone
    assert together == pytest.approx(alone, abs=4 * np.sqrt(alone / 10_000))


def long_hand(graph: Graph, right: np.ndarray, draws: int, seed: int) -> dict:
    """Step-down max-T of all pairs, loop by loop, with the draws of numpy's own generator."""
    turns = len(graph.unit)
    influence = [[(y - row.mean()) / turns for y in row] for row in right]

    def sums(labels: np.ndarray) -> np.ndarray:
        """(groups, systems), scaled by root G / (G - 1)."""
        found = {label: np.zeros(len(right)) for label in sorted(set(labels.tolist()))}
        for turn, label in enumerate(labels.tolist()):
            found[label] += [row[turn] for row in influence]
        return np.array(list(found.values())) * np.sqrt(len(found) / (len(found) - 1))

    unit, video = sums(graph.unit), sums(graph.video)
    rng = np.random.Generator(np.random.PCG64(seed))
    weights = rng.standard_normal((draws, len(unit) + len(video)))
    pairs = list(combinations(range(len(right)), 2))

    def drawn(pair: tuple[int, int], draw: int) -> float:
        one, other = (np.r_[unit[:, system], video[:, system]] for system in pair)
        return abs(float(weights[draw] @ (one - other))) / float(np.linalg.norm(one - other))

    single = all_pairs(graph.design(), right, np.ones(turns)).ps
    observed = {
        pair: NormalDist().inv_cdf(1 - p / 2) for pair, p in zip(pairs, single, strict=True)
    }
    reached, adjusted = 0.0, {}
    for pair in sorted(pairs, key=lambda each: -observed[each]):
        rest = [other for other in pairs if observed[other] <= observed[pair]]
        as_extreme = sum(
            max(drawn(other, draw) for other in rest) >= observed[pair] for draw in range(draws)
        )
        reached = max(reached, (1 + as_extreme) / (1 + draws))
        adjusted[pair] = max(reached, single[pairs.index(pair)])
    return adjusted


def test_max_t_is_the_step_down_written_out(monkeypatch: pytest.MonkeyPatch):
    graph = clubs(12)
    right = np.random.default_rng(5).random((4, len(graph.unit))) < [[0.2], [0.4], [0.6], [0.5]]
    expected = long_hand(graph, right * 1.0, 200, 7)
    design, every = graph.design(draws=200, seed=7), np.ones(len(graph.unit))
    found = max_t(design, right, every)
    assert {pair: found[pair] for pair in expected} == pytest.approx(expected)
    assert len(set(expected.values())) > 3
    assert np.array_equal(found, found.T)
    assert np.diag(found).tolist() == [1, 1, 1, 1]
    # Draws and pairs by portions: the same.
    monkeypatch.setattr("harness.statistics.boards.MULTIPLIERS_AT_ONCE", 1_000)
    monkeypatch.setattr("harness.statistics.draw_counts.DRAWS_AT_ONCE", 64)
    monkeypatch.setattr("harness.statistics.draw_counts.AT_ONCE", 128)
    assert max_t(design, right, every) == pytest.approx(found)


def test_a_pair_that_the_interval_does_not_tell_apart_is_not_told_apart_by_the_board():
    graph = clubs(30)
    rng, every = np.random.default_rng(6), np.ones(len(graph.unit))
    design, one, other = graph.design(draws=99), *np.triu_indices(6, k=1)
    for _ in range(30):
        right = simulated(rng, graph, np.linspace(0.3, 0.6, 6))
        ps, pairs = max_t(design, right, every)[one, other], all_pairs(design, right, every)
        apart_ = (pairs.lows > 0) | (pairs.highs < 0)
        assert not ((ps <= 0.05) & ~apart_).any()


def test_identical_systems_are_never_told_apart():
    same = np.tile(np.random.default_rng(0).random(30), (3, 1))
    assert (max_t(apart(30).design(draws=99), same, np.ones(30)) == 1).all()


def test_the_board_does_not_depend_on_the_order_of_its_rows():
    graph = clubs(30)
    right = (
        np.random.default_rng(1).random((6, len(graph.unit))) < np.linspace(0.2, 0.7, 6)[:, None]
    )
    design = graph.design(draws=199)
    order = np.array([3, 0, 5, 1, 4, 2])
    here, there = (board(design, rows, np.ones(len(graph.unit))) for rows in (right, right[order]))
    assert np.array_equal(there.ps, here.ps[np.ix_(order, order)])
    assert there.best.tolist() == here.best[order].tolist()
    assert there.detectable == pytest.approx(here.detectable)


def test_rank_ranges_by_hand():
    # a is better than c and d, b than d: a 1-2, b 1-3, c 2-4, d 3-4.
    ps = np.ones((4, 4))
    for one, other in ((0, 2), (0, 3), (1, 3)):
        ps[one, other] = ps[other, one] = 0.05
    best, worst = rank_ranges([0.9, 0.8, 0.7, 0.6], ps)
    assert (best.tolist(), worst.tolist()) == ([1, 1, 2, 3], [2, 3, 4, 4])


def test_minimum_detectable_difference_is_2_80_median_errors_of_neighbours():
    scores = np.random.default_rng(2).random((4, 50)) + np.array([[0.2], [0.5], [0.1], [0.4]])
    ranked = scores[np.argsort(-scores.mean(axis=1))]
    errors = [
        one_by_one.mean() / stats.ttest_1samp(one_by_one, 0).statistic
        for one_by_one in ranked[:-1] - ranked[1:]
    ]
    found = minimum_detectable(apart(50).design(), scores, np.ones(50))
    assert found == pytest.approx(2.80 * np.median(errors))


def test_neighbours_that_answer_alike_say_nothing_of_what_can_be_told_apart():
    scores = np.random.default_rng(2).random((3, 50)) + np.array([[0.2], [0.5], [0.1]])
    design, every = apart(50).design(), np.ones(50)
    copies = scores[[0, 0, 0, 1, 1, 2]]
    assert minimum_detectable(design, copies, every) == minimum_detectable(design, scores, every)
    assert minimum_detectable(design, copies[:3], every) is None
    assert minimum_detectable(design, copies[:1], every) is None


def test_differences_without_a_standard_error_leave_nothing_to_be_told():
    together = Graph(np.zeros(6, int), np.zeros(6, int)).design()
    scores = np.array([[0, 1, 0, 1, 1, 0], [1, 1, 1, 1, 0, 0]], float)
    assert minimum_detectable(together, scores, np.ones(6)) is None


def test_one_system_has_a_rank_and_nothing_to_be_told_from():
    found = board(apart(5).design(draws=9), np.ones((1, 5)), np.ones(5))
    assert (found.values[0], found.best[0], found.worst[0], found.detectable) == (1, 1, 1, None)


def test_power_is_80_percent_at_twice_the_minimum_detectable_difference():
    rng = np.random.default_rng(0)
    graph = clubs(120)
    design, every = graph.design(draws=299), np.ones(len(graph.unit))
    rates = np.full(8, 0.3)
    stated = board(design, simulated(rng, graph, rates), every).detectable
    rates[0] += 2 * stated
    found = sum(
        board(design, simulated(rng, graph, rates), every).ps[0, 1] <= 0.05 for _ in range(100)
    )
    assert found >= 80


@pytest.mark.slow
def test_a_board_of_20_equal_systems_seldom_shows_any_difference(shared: Path):
    rng = np.random.default_rng(1)
    graph, boards = real(shared / "data"), 100
    design, every = graph.design(draws=299), np.ones(len(graph.unit))
    false = sum(
        (max_t(design, simulated(rng, graph, np.full(20, 0.3)), every) <= 0.05).any()
        for _ in range(boards)
    )
    # 0.999 quantile of a binomial at 5 %: a board that keeps its level fails once in a thousand.
    assert false <= stats.binom(boards, 0.05).ppf(0.999)
