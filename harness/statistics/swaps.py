"""Tests that swap two systems' answers within whole clusters, and corrections for many tests."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.statistics.design import Design, Figure
from harness.statistics.intervals import group_sums

Floats = NDArray[np.float64]

AT_ONCE = 2**21  # swaps of one block
# Sums of the same terms in another order may differ in their last digits: equal is "as extreme".
TIE = 1e-9


def swaps(design: Design, clusters: int) -> Iterator[Floats]:
    """Which clusters each draw swaps, 0 or 1, (some draws, clusters), block by block.

    The same seed gives the same swaps, in every test.
    """
    generator, words = design.generator(), -(-clusters // 64)
    portion = max(1, AT_ONCE // max(clusters, 1))
    for start in range(0, design.draws, portion):
        size = (min(portion, design.draws - start), words)
        words_drawn = generator.integers(0, 2**64, size=size, dtype=np.uint64).astype("<u8")
        bits = np.unpackbits(words_drawn.view(np.uint8), axis=1, count=clusters, bitorder="little")
        yield bits.astype(float)


def sign_flip_tests(design: Design, differences: ArrayLike) -> Floats:
    """Two-sided p, (m,), of sums of differences (m, turns) against swaps of whole clusters.

    All m share the swaps. p = (1 + draws as extreme) / (1 + draws): the observed labelling is one
    of the possible ones, so p is never 0 (Phipson & Smyth 2010).
    """
    sums = group_sums(np.atleast_2d(np.asarray(differences, float)).T, design.cluster)
    total, scale = sums.sum(axis=0), np.abs(sums).sum(axis=0)
    extreme = np.zeros(len(total))
    for swapped in swaps(design, len(sums)):
        flipped = total - 2 * (swapped @ sums)  # (draws, m)
        extreme += np.count_nonzero(np.abs(flipped) >= np.abs(total) - TIE * scale, axis=0)
    return (1 + extreme) / (1 + design.draws)


def swap_test(design: Design, figure: Figure, ones: ArrayLike, others: ArrayLike) -> float:
    """Two-sided p of the difference of a figure of sums against swaps of whole clusters.

    `ones`, `others`: (k, turns); both figures are computed anew in each draw, so it serves figures
    whose denominators depend on the system. NaN if the observed difference is undefined; a draw in
    which it is undefined counts as extreme, so that p errs upwards.
    """
    one, other = (group_sums(np.asarray(each, float).T, design.cluster) for each in (ones, others))
    totals = one.sum(axis=0)[:, None], other.sum(axis=0)[:, None]  # each (k, 1)
    observed = _difference(figure, *totals)[0]
    if np.isnan(observed):
        return float("nan")
    extreme = 0
    for swapped in swaps(design, len(one)):
        moved = (swapped @ (other - one)).T  # (k, draws)
        shifted = _difference(figure, totals[0] + moved, totals[1] - moved)
        extreme += int(np.count_nonzero(~(np.abs(shifted) < abs(observed) - TIE)))
    return (1 + extreme) / (1 + design.draws)


def holm(ps: ArrayLike) -> Floats:
    """Holm's adjusted p-values, (m,), of m tests shown together. Holm, Scand. J. Stat. 6, 1979."""
    raw = np.asarray(ps, dtype=float)
    order = np.argsort(raw, kind="stable")
    stepped = np.maximum.accumulate(raw[order] * np.arange(len(raw), 0, -1))
    adjusted = np.empty_like(raw)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def _difference(figure: Figure, one: Floats, other: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(figure(one) - figure(other), dtype=float)
