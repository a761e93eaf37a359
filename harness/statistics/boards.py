"""A whole board: tests of all pairs, rank ranges, the minimum detectable difference."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
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
DRAWS_AT_ONCE = 2_048
AT_ONCE = 2**17  # statistics that are computed at once: they should fit a cache
COARSE = 1e-5  # as TIE, in single precision: p errs upwards


class Board(NamedTuple):
    """The comparison of the N systems of a board in one metric.

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
    """Two-sided p of all pairs of systems, (N, N), corrected for multiple tests.

    `numerators`: (systems, turns), sums over the same turns. Each draw flips one vector of signs
    over the clusters for all pairs at once; a pair's statistic is |sum of its differences| over the
    root of their summed squares. Step-down: a pair is compared with the greatest statistic of
    the pairs that are no more extreme than itself (Westfall & Young 1993).
    """
    sums = group_sums(np.asarray(numerators, float).T, design.cluster)  # (clusters, systems)
    one, other = np.triu_indices(sums.shape[1], k=1)
    adjusted = np.ones((sums.shape[1], sums.shape[1]))
    if len(one):
        scale = _scales(sums, one, other)
        observed = np.abs(sums.sum(axis=0)[one] - sums.sum(axis=0)[other]) * scale
        order = np.argsort(observed, kind="stable")
        one, other = one[order], other[order]
        counts = _as_extreme(_flipped(design, sums), one, other, scale[order], observed[order])
        ps = (1 + np.maximum.accumulate(counts[::-1])[::-1]) / (1 + design.draws)
        adjusted[one, other] = adjusted[other, one] = ps
    return adjusted


def _scales(sums: Floats, one: Ints, other: Ints) -> Floats:
    """One over the root of each pair's summed squared differences; 0 for a pair without any."""
    products = sums.T @ sums
    squares = np.diag(products)[one] + np.diag(products)[other] - 2 * products[one, other]
    some = squares > TIE * np.diag(products).max(initial=0.0)
    return np.where(some, 1 / np.sqrt(np.where(some, squares, 1.0)), 0.0)


def _flipped(design: Design, sums: Floats) -> Floats:
    """The systems' sums after the swaps of each draw, (systems, draws)."""
    totals, parts = sums.sum(axis=0), swaps(design, len(sums))
    return np.concatenate([totals[:, None] - 2 * (sums.T @ swapped.T) for swapped in parts], axis=1)


def _as_extreme(flipped: Floats, one: Ints, other: Ints, scale: Floats, observed: Floats) -> Ints:
    """For each pair, draws in which it or one before it reaches its observed statistic, (pairs,).

    Pairs are in the order of their observed statistics, least first. Single precision is enough:
    sums of 0 and 1 are exact in it, and COARSE covers the rounding of others.
    """
    counts = np.zeros(len(one), dtype=np.int64)
    needed = (observed * (1 - COARSE) - COARSE).astype(np.float32)
    factor = scale.astype(np.float32)
    for draws in _chunks(flipped.shape[1], DRAWS_AT_ONCE):
        block = flipped[:, draws].astype(np.float32)
        greatest = np.zeros(block.shape[1], dtype=np.float32)
        for pairs in _chunks(len(one), AT_ONCE // DRAWS_AT_ONCE):
            found = block[one[pairs]]
            found -= block[other[pairs]]
            np.abs(found, out=found)
            found *= factor[pairs, None]
            here = needed[pairs]
            reached = np.maximum(found.max(axis=0), greatest)
            if greatest.min() >= here[-1]:  # as it is, every draw reaches all of these pairs
                counts[pairs] += block.shape[1]
            elif reached.max() >= here[0]:
                counts[pairs] += _reached(found, greatest, here)
            greatest = reached
    return counts


def _reached(
    statistics: NDArray[np.float32], greatest: NDArray[np.float32], needed: NDArray[np.float32]
) -> Ints:
    """Draws in which the running maximum of `statistics`, (pairs, draws), is `needed`: (pairs,)."""
    np.maximum(statistics[0], greatest, out=statistics[0])
    for above, below in pairwise(
        statistics
    ):  # a pass of its own is six times as fast as accumulate
        np.maximum(above, below, out=below)
    bits = np.packbits(statistics >= needed[:, None], axis=1)
    counts: Ints = np.bitwise_count(bits).sum(axis=1, dtype=np.int64)
    return counts


def _chunks(size: int, at_once: int) -> Iterator[slice]:
    return (slice(start, start + at_once) for start in range(0, size, at_once))


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
