"""Discrimination: how well a turn separates strong systems from weak ones."""

from __future__ import annotations

import numpy as np

from harness.outcomes import Bools, Floats


def item_rest_correlation(right: Bools) -> Floats:
    """The item-rest correlation of each turn, (turns,), in [-1, 1].

    `right`: (systems, turns). Pearson's correlation, over the systems, of right or wrong in the
    turn with the share right in all other turns (the corrected point-biserial: Henrysson,
    Psychometrika 28(2), 1963). NaN where all systems are right, all are wrong, or all are equally
    strong in the other turns.
    """
    marks = right.astype(float)
    rest = marks.sum(axis=1, keepdims=True) - marks  # (systems, turns)
    item, other = _centred(marks), _centred(rest)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.sqrt(np.square(item).sum(axis=0) * np.square(other).sum(axis=0))
        found: Floats = np.clip((item * other).sum(axis=0) / scale, -1.0, 1.0)
    return found


def _centred(table: Floats) -> Floats:
    """Differences from the column's mean, times the rows: whole numbers, so no spread is just 0."""
    centred: Floats = table * len(table) - table.sum(axis=0)
    return centred
