"""Swap tests against full enumeration and scipy; Holm by hand."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.statistics import Design, holm, sign_flip_tests, swap_test
from harness.statistics.swaps import swaps
from tests.statistics.graphs import Graph, apart, clubs


def share(sums: np.ndarray) -> np.ndarray:
    return sums[0] / sums[1]


@pytest.fixture
def every_swap(monkeypatch: pytest.MonkeyPatch) -> None:
    """All swaps of the clusters once each, in place of drawn ones."""

    def all_swaps(_: Design, clusters: int) -> Iterator[np.ndarray]:
        yield np.array(list(product((0.0, 1.0), repeat=clusters)))

    monkeypatch.setattr("harness.statistics.swaps.swaps", all_swaps)


def exact(differences: list[int]) -> int:
    """In how many of all sign patterns the sum is at least as far from 0."""
    observed = abs(sum(differences))
    patterns = product((-1, 1), repeat=len(differences))
    return sum(
        abs(sum(s * d for s, d in zip(signs, differences, strict=True))) >= observed
        for signs in patterns
    )


@pytest.mark.usefixtures("every_swap")
@given(st.lists(st.integers(-2, 2), min_size=2, max_size=9), st.sampled_from([1, 0.1, 1 / 3]))
def test_p_is_that_of_full_enumeration_ties_and_all(differences, scale):
    design = apart(len(differences)).design(draws=2 ** len(differences))
    expected = (1 + exact(differences)) / (1 + 2 ** len(differences))
    assert sign_flip_tests(design, np.array(differences) * scale)[0] == expected


@pytest.mark.usefixtures("every_swap")
def test_ratio_p_is_that_of_full_enumeration():
    rng = np.random.default_rng(0)
    ones, others = (np.array([(n := rng.integers(1, 5, 8)) * rng.random(8), n]) for _ in range(2))
    extreme, observed = 0, abs(share(ones.sum(axis=1)) - share(others.sum(axis=1)))
    for swapped in product((False, True), repeat=8):
        one, other = np.where(swapped, others, ones), np.where(swapped, ones, others)
        extreme += abs(share(one.sum(axis=1)) - share(other.sum(axis=1))) >= observed - 1e-12
    assert swap_test(apart(8).design(draws=256), share, ones, others) == (1 + extreme) / 257


def test_drawn_p_is_near_that_of_scipys_full_enumeration():
    rng = np.random.default_rng(8)
    one, other = rng.random((2, 11))
    foreign = stats.permutation_test(
        (one + 0.15, other),
        lambda a, b, axis: (a - b).mean(axis=axis),
        permutation_type="samples",
        n_resamples=np.inf,
    ).pvalue
    p = sign_flip_tests(apart(11).design(), one + 0.15 - other)[0]
    assert abs(p - foreign) <= 4 * np.sqrt(foreign * (1 - foreign) / 10_000) + 1 / 10_001


def test_whole_clusters_are_swapped():
    # All turns of a club differ alike, so a club counts as one turn with their sum.
    club = clubs(60).video // 2
    design = Graph(np.arange(len(club)), club).design()
    differences = np.random.default_rng(0).choice([-1.0, 1.0], 60)
    together = sign_flip_tests(apart(60).design(), differences * np.bincount(club))
    assert design.kind == "groups"
    assert np.array_equal(sign_flip_tests(design, differences[club]), together)


def test_equal_denominators_need_no_recomputing():
    graph = clubs(15)
    rng = np.random.default_rng(1)
    one, other = (rng.random((2, len(graph.unit))) < 0.5).astype(float)
    every, design = np.ones(len(one)), graph.design(draws=999)
    general = swap_test(design, share, [one, every], [other, every])
    assert general == sign_flip_tests(design, one - other)[0]


def test_equal_answers_have_p_one():
    design, same = apart(20).design(draws=99), np.ones((2, 20))
    assert sign_flip_tests(design, np.zeros((3, 20))).tolist() == [1, 1, 1]
    assert swap_test(design, share, same, same) == 1


def test_an_undefined_difference_has_no_p_and_an_undefined_draw_errs_upwards():
    design = apart(2).design(draws=400)
    assert np.isnan(swap_test(design, share, np.zeros((2, 2)), np.ones((2, 2))))
    # Each system counts one turn; when just one is swapped, one system has none left.
    ones, others = np.array([[1.0, 0], [1, 0]]), np.array([[0.0, 0], [0, 1]])
    assert swap_test(design, share, ones, others) == 1


def test_p_of_equal_systems_is_five_percent_at_most_as_often_as_it_says():
    rng = np.random.default_rng(2)
    graph = clubs(25)
    ease = rng.normal(size=25)[graph.video // 2]
    right = rng.random((2, 2000, len(ease))) < 1 / (1 + np.exp(-ease))
    ps = sign_flip_tests(graph.design(draws=399), right[0] * 1.0 - right[1])
    # 0.999 quantile of a binomial at 5 %: a sound test fails here once in a thousand seeds.
    assert np.count_nonzero(ps <= 0.05) <= stats.binom(2000, 0.05).ppf(0.999)
    assert np.count_nonzero(ps <= 0.05) >= stats.binom(2000, 0.03).ppf(0.001)


def test_swaps_come_from_the_seed_alone_and_are_fair(monkeypatch: pytest.MonkeyPatch):
    design = apart(70).design(draws=1000)
    once = np.concatenate(list(swaps(design, 70)))
    assert once.shape == (1000, 70)
    assert np.array_equal(np.concatenate(list(swaps(design, 70))), once)
    monkeypatch.setattr("harness.statistics.swaps.AT_ONCE", 700)
    assert np.array_equal(np.concatenate(list(swaps(design, 70))), once)
    other = apart(70).design(draws=1000, seed=1)
    assert not np.array_equal(np.concatenate(list(swaps(other, 70))), once)
    assert np.abs(once.mean(axis=0) - 0.5).max() < 4.5 * np.sqrt(0.25 / 1000)
    assert np.abs(np.corrcoef(once.T) - np.eye(70)).max() < 5.5 / np.sqrt(1000)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.5]) == pytest.approx([1, 1])
    assert holm([]).tolist() == []
