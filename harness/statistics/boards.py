"""A whole board: every pair of systems tested together, rank ranges, what could be told apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.statistics.design import Design
from harness.statistics.intervals import group_sums
from harness.statistics.pairs import paired_errors
from harness.statistics.swaps import TIE, swaps

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

# 1.96 for a two-sided test at 5 %, 0.84 for finding it four times in five.
DETECTABLE = 2.80
AT_ONCE = 2**21  # statistics that are looked at together


class Board(NamedTuple):
    """How the N systems of a board stand to one another in one metric.

    values: (N,); ps: (N, N) two-sided p corrected for all pairs, 1 on the diagonal; best, worst:
    (N,) the ends of the rank ranges, from 1; detectable: the minimum detectable difference (None
    for fewer than two systems).
    """

    values: Floats
    ps: Floats
    best: Ints
    worst: Ints
    detectable: float | None


def board(design: Design, numerators: ArrayLike, denominators: ArrayLike) -> Board:
    """The board of a metric that is a mean over the same turns for all; higher is better.

    `numerators`: (systems, turns); `denominators`: (turns,). The level is the design's.
    """
    table, below = np.asarray(numerators, float), np.asarray(denominators, float)
    values = table.sum(axis=1) / below.sum()
    ps = max_t(design, table)
    best, worst = rank_ranges(values, ps, 1 - design.level)
    return Board(values, ps, best, worst, minimum_detectable(design, table, below))


def max_t(design: Design, numerators: ArrayLike) -> Floats:
    """Two-sided p of all pairs of systems, (N, N), corrected for there being so many.

    `numerators`: (systems, turns), sums over the same turns. Each draw flips one vector of signs
    over the clusters for all pairs at once; a pair's statistic is |sum of its differences| over the
    root of their summed squares. Step-down: a pair is held against the greatest statistic of the
    pairs that are no more extreme than itself (Westfall & Young 1993).
    """
    sums = group_sums(np.asarray(numerators, float).T, design.cluster)  # (clusters, systems)
    one, other = np.triu_indices(sums.shape[1], k=1)
    adjusted = np.ones((sums.shape[1], sums.shape[1]))
    if len(one):
        scale = _scales(sums, one, other)
        observed = np.abs(sums.sum(axis=0)[one] - sums.sum(axis=0)[other]) * scale
        order = np.argsort(observed, kind="stable")
        counts = np.zeros(len(order))
        for drawn in _statistics(design, sums, one[order], other[order], scale[order]):
            greatest = np.maximum.accumulate(drawn, axis=1)
            counts += np.count_nonzero(greatest >= observed[order] * (1 - TIE) - TIE, axis=0)
        ps = (1 + np.maximum.accumulate(counts[::-1])[::-1]) / (1 + design.draws)
        adjusted[one[order], other[order]] = adjusted[other[order], one[order]] = ps
    return adjusted


def _scales(sums: Floats, one: Ints, other: Ints) -> Floats:
    """One over the root of each pair's summed squared differences; 0 for a pair without any."""
    products = sums.T @ sums
    squares = np.diag(products)[one] + np.diag(products)[other] - 2 * products[one, other]
    some = squares > TIE * np.diag(products).max(initial=0.0)
    return np.where(some, 1 / np.sqrt(np.where(some, squares, 1.0)), 0.0)


def _statistics(
    design: Design, sums: Floats, one: Ints, other: Ints, scale: Floats
) -> Iterator[Floats]:
    """The pairs' statistics in each draw, (some draws, pairs)."""
    portion = max(1, AT_ONCE // len(one))
    for swapped in swaps(design, len(sums)):
        flipped = sums.sum(axis=0) - 2 * (swapped @ sums)  # (draws, systems)
        for start in range(0, len(flipped), portion):
            some = flipped[start : start + portion]
            yield np.abs(some[:, one] - some[:, other]) * scale


def rank_ranges(values: ArrayLike, ps: ArrayLike, alpha: float = 0.05) -> tuple[Ints, Ints]:
    """The best and the worst rank that each system may have, (N,), (N,).

    `values`: (N,), higher is better; `ps`: (N, N). From 1 + the number of systems significantly
    better to N - the number significantly worse.
    """
    figures, significant = np.asarray(values), np.asarray(ps) <= alpha
    better = significant & (figures[None, :] > figures[:, None])
    worse = significant & (figures[None, :] < figures[:, None])
    return 1 + better.sum(axis=1), len(figures) - worse.sum(axis=1)


def minimum_detectable(
    design: Design, numerators: ArrayLike, denominators: ArrayLike
) -> float | None:
    """2.80 times the median paired standard error of neighbours in the table; None for one system.

    `numerators`: (systems, turns); `denominators`: (turns,). A true difference of this size between
    two systems is found four times in five by a single test at 5 %.
    """
    table = np.asarray(numerators, float)
    if len(table) < 2:
        return None
    ranked = table[np.argsort(table.sum(axis=1), kind="stable")]
    errors = paired_errors(design, ranked[:-1] - ranked[1:], denominators)
    return DETECTABLE * float(np.median(errors))
