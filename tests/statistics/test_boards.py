"""The board: max-T by long hand, false positives, power, rank ranges, what can be told apart."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from harness.statistics import (
    Design,
    board,
    max_t,
    minimum_detectable,
    rank_ranges,
    sign_flip_tests,
)
from harness.statistics.swaps import swaps
from tests.statistics.graphs import apart, clubs, real, simulated


def test_two_systems_have_the_p_of_their_one_test():
    graph = clubs(60)
    one, other = np.random.default_rng(0).integers(0, 2, (2, len(graph.unit)))
    design = graph.design(draws=999)
    assert design.kind == "groups"
    assert max_t(design, [one, other])[0, 1] == sign_flip_tests(design, one - other)[0]


def test_max_t_is_the_step_down_written_out(monkeypatch: pytest.MonkeyPatch):
    def every_swap(_: Design, clusters: int) -> Iterator[np.ndarray]:
        yield np.array(list(product((0.0, 1.0), repeat=clusters)))

    monkeypatch.setattr("harness.statistics.boards.swaps", every_swap)
    right = np.random.default_rng(5).integers(0, 3, (4, 8)).astype(float)
    pairs = list(combinations(range(4), 2))

    def statistic(pair: tuple[int, int], signs: np.ndarray) -> float:
        difference = right[pair[0]] - right[pair[1]]
        return round(abs(float(signs @ difference)) / np.sqrt((difference**2).sum()), 9)

    observed = {pair: statistic(pair, np.ones(8)) for pair in pairs}
    patterns = [np.array(signs) for signs in product((-1, 1), repeat=8)]
    reached = 0.0
    expected = {}
    for pair in sorted(pairs, key=lambda each: -observed[each]):
        rest = [other for other in pairs if observed[other] <= observed[pair]]
        as_extreme = sum(
            max(statistic(other, signs) for other in rest) >= observed[pair] for signs in patterns
        )
        reached = max(reached, (1 + as_extreme) / 257)
        expected[pair] = reached
    found = max_t(apart(8).design(draws=256), right)
    assert {pair: found[pair] for pair in pairs} == pytest.approx(expected)
    assert np.array_equal(found, found.T)
    assert np.diag(found).tolist() == [1, 1, 1, 1]


def test_max_t_by_portions_is_that_of_exact_integers():
    """More pairs and draws than one portion holds; p may err upwards, by single precision."""
    graph = clubs(40)
    design = graph.design(draws=2_500)
    shares = np.linspace(0.2, 0.7, 15)[:, None]
    right = np.random.default_rng(4).random((15, len(graph.unit))) < shares
    sums = np.array([np.bincount(design.cluster, weights=row) for row in right]).astype(np.int64)
    one, other = np.triu_indices(15, k=1)
    differences = sums[one] - sums[other]  # (pairs, clusters)
    signs = 1 - 2 * np.concatenate(list(swaps(design, sums.shape[1]))).astype(np.int64)
    squares = (signs @ differences.T) ** 2  # (draws, pairs): statistics, squared, times `scale`
    observed, scale = differences.sum(axis=1) ** 2, (differences**2).sum(axis=1)
    order = sorted(range(len(one)), key=lambda n: Fraction(int(observed[n]), int(scale[n])))

    def step_down(margin: float) -> np.ndarray:
        counts = []
        for place, pair in enumerate(order):
            rest = order[: place + 1]
            reached = squares[:, rest] * scale[pair] * (1 + margin) ** 2 >= (
                observed[pair] * scale[rest]
            )
            counts.append(reached.any(axis=1).sum())
        return (1 + np.maximum.accumulate(counts[::-1])[::-1]) / 2_501

    least, most = step_down(0.0), step_down(2e-4)
    assert len(np.unique(least)) > 10
    assert (most - least).max() < 0.01
    for values in (right, right / 3):  # thirds: equal statistics differ in single precision
        found = max_t(design, values)[one[order], other[order]]
        assert (least <= found).all()
        assert (found <= most).all()


def test_identical_systems_are_never_told_apart():
    same = np.tile(np.random.default_rng(0).random(30), (3, 1))
    assert (max_t(apart(30).design(draws=99), same) == 1).all()


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
    design = graph.design(draws=299)
    false = sum(
        (max_t(design, simulated(rng, graph, np.full(20, 0.3))) <= 0.05).any()
        for _ in range(boards)
    )
    # 0.999 quantile of a binomial at 5 %: a board that keeps its level fails once in a thousand.
    assert false <= stats.binom(boards, 0.05).ppf(0.999)
