"""How predicted moments meet the gold ones, in integer milliseconds: thresholds compare exactly."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.records import Gold, Moment, Prediction, Span

THRESHOLDS = (3, 5, 7)  # IoU in tenths: integers compare exactly
DEPTH = 5  # moments looked at in a turn


def overlap(video_id: str | None, gold: Span, moment: Moment) -> tuple[int, int]:
    """Length of the intersection and of the union, in ms; (0, 1) where they do not meet."""
    if moment.video_id != video_id:
        return 0, 1
    met, joined = _overlaps(gold.start, gold.end, moment.start, moment.end)
    return int(met), int(joined)


def overlaps(
    gold: Sequence[Gold], predictions: Sequence[Prediction | None]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Intersections and unions of the first five moments with the gold one, each (DEPTH, turns).

    In ms; 0 and 1 where a turn has no such moment, where it is in another video or does not meet.
    """
    met = np.zeros((DEPTH, len(gold)), dtype=np.int64)
    joined = np.ones((DEPTH, len(gold)), dtype=np.int64)
    found = [
        (place, row, answer.moment.start, answer.moment.end, moment.start, moment.end)
        for row, (answer, given) in enumerate(zip(gold, predictions, strict=True))
        if answer.moment is not None and given is not None and given.moments
        for place, moment in enumerate(given.moments[:DEPTH])
        if moment.video_id == answer.video_id
    ]
    flat = np.fromiter(chain.from_iterable(found), dtype=np.int64, count=6 * len(found))
    place, row, *ends = flat.reshape(-1, 6).T
    met[place, row], joined[place, row] = _overlaps(*ends)
    return met, joined


def _overlaps(start: Any, end: Any, other_start: Any, other_end: Any) -> tuple[Any, Any]:
    met = np.minimum(end, other_end) - np.maximum(start, other_start)
    joined = np.maximum(end, other_end) - np.minimum(start, other_start)
    return np.maximum(met, 0), np.where(met > 0, joined, 1)
