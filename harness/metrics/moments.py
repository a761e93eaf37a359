"""Metrics of moment turns. A moment in a video other than the gold one has IoU 0."""

from __future__ import annotations

from harness.metrics.metric import Column
from harness.outcomes import Outcomes
from harness.temporal import IOU_TENTHS


def recall(outcomes: Outcomes, first: int, tenths: int) -> Column:
    """1 if one of the first 1 or 5 moments has IoU >= tenths / 10, compared in milliseconds."""
    hits = outcomes.hit[{1: 0, 5: 1}[first], IOU_TENTHS.index(tenths)]
    return Column.of(hits, outcomes.frame.is_moment)


def mean_iou(outcomes: Outcomes) -> Column:
    """Temporal IoU of the first moment, in [0, 1]: |p & g| / |p or g|, lengths in milliseconds.

    0 where they do not overlap. Gao et al., TALL, ICCV 2017.
    """
    return Column.of(outcomes.iou, outcomes.frame.is_moment)
