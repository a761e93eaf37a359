"""Cells that hidden labels forbid: too small, or told by the difference of two that are shown."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.metrics import Column, Metric
from harness.outcomes import Bools, Floats, Frame

SMALLEST_CELL = 30  # turns, or dialogues for metrics of dialogues and segments


def counted_in(metric: Metric) -> str:
    """What SMALLEST_CELL counts for a metric."""
    return "turns" if metric.scope == "turn" else "dialogues"


def withheld(
    metric: Metric, column: Column, frame: Frame, slices: Mapping[str, Bools]
) -> frozenset[str]:
    """The slices, of those given by name as (turns,), in which the metric must not be shown.

    Those that rest on fewer than SMALLEST_CELL. Then, since `all` is the sum of the slices of one
    kind, the smallest further ones of a kind until what is not shown of it makes up SMALLEST_CELL;
    and a slice that lies in another and leaves fewer of it over.
    """
    names = list(slices)
    inside = _incidence(metric, column, frame, list(slices.values()))  # (slices, counted)
    shared = inside @ inside.T
    open_ = np.array([_size(metric, column, slices[name]) for name in names])
    open_ = np.minimum(open_, np.diag(shared)) >= SMALLEST_CELL
    within = (shared == np.diag(shared)[:, None]) & _few(np.diag(shared) - shared)
    open_ &= ~(within & open_).any(axis=1)
    kinds = np.array([name.partition("=")[0] for name in names])
    for kind in np.unique(kinds[kinds != "all"]):
        members = np.flatnonzero(kinds == kind)
        by_size = members[np.argsort(np.diag(shared)[members], kind="stable")]
        for member in by_size:
            unseen = inside[0] * (1 - inside[members[open_[members]]].max(axis=0, initial=0.0))
            if not _few(unseen.sum()):
                break
            open_[member] = False
    return frozenset(name for name, shown in zip(names, open_, strict=True) if not shown)


def _few(number: Floats) -> Bools:
    return np.logical_and(number > 0, number < SMALLEST_CELL)


def _incidence(metric: Metric, column: Column, frame: Frame, masks: list[Bools]) -> Floats:
    """Which turns, or dialogues, each slice counts: 0 or 1, (slices, turns or dialogues)."""
    turns = np.array(masks) & column.counted
    if counted_in(metric) == "turns":
        return turns.astype(float)
    return np.array([np.bincount(frame.dialogue, weights=row) > 0 for row in turns], dtype=float)


def _size(metric: Metric, column: Column, turns: Bools) -> float:
    return np.inf if metric.size is None else metric.size(column.table @ turns)
