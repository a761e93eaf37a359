"""Swap tests, for comparison: whole clusters of two systems' answers change places.

The harness tested so until it was measured that boards of equal systems then show differences where
clusters fall back to units (see docs/statistics.md).
"""

from __future__ import annotations

import numpy as np

from harness.statistics import Design
from harness.statistics.intervals import group_sums
from tests.bench.simulation import Floats


def swapped_ps(design: Design, numerators: Floats) -> tuple[Floats, Floats]:
    """Single p and p by step-down max-T of all pairs of systems, (pairs,) each.

    `numerators`: (systems, turns). One vector of signs a draw flips the clusters of all pairs; a
    pair's statistic is its summed difference over the root of its summed squares.
    """
    sums = group_sums(numerators.T, design.cluster)  # (clusters, systems)
    one, other = np.triu_indices(sums.shape[1], k=1)
    signs = 1.0 - 2.0 * design.generator().integers(0, 2, (design.draws, len(sums)))
    flipped, totals = (signs @ sums).T, sums.sum(axis=0)  # (systems, draws)
    differences = sums[:, one] - sums[:, other]  # (clusters, pairs)
    scale = np.sqrt(np.maximum(np.square(differences).sum(axis=0), 1e-9))
    observed = np.abs(totals[one] - totals[other]) / scale
    drawn = np.abs(flipped[one] - flipped[other]) / scale[:, None]  # (pairs, draws)
    order = np.argsort(observed, kind="stable")
    single = _shares(drawn, observed)
    stepped = _shares(np.maximum.accumulate(drawn[order], axis=0), observed[order])
    adjusted = np.empty_like(stepped)
    adjusted[order] = np.maximum.accumulate(stepped[::-1])[::-1]
    return single, adjusted


def _shares(drawn: Floats, observed: Floats) -> Floats:
    reached = np.count_nonzero(drawn >= observed[:, None] - 1e-9, axis=1)
    return np.asarray((1 + reached) / (1 + drawn.shape[1]))
