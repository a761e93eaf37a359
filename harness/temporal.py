"""Spans of videos in integer milliseconds, and their IoU: thresholds compare exactly.

Temporal IoU of two spans, in [0, 1]: |p & g| / |p or g|, lengths in milliseconds; 0 where they do
not meet. Gao et al., TALL, ICCV 2017. This is the one implementation for numpy arrays.
`harness.protocols.judging.official_iou` is the published scorer's, in double precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.records import Gold, Moment, Prediction, Span

Spans = NDArray[np.int64]  # (..., 2): start and end in ms
IOU_TENTHS = (3, 5, 7)  # thresholds of IoU in tenths: integers compare exactly
DEPTH = 5  # moments of a turn that metrics read


class Overlap(NamedTuple):
    """Lengths of the intersection and of the union of pairs of spans, in ms; each of one shape."""

    intersection: NDArray[np.int64]
    union: NDArray[np.int64]

    def reaches(self, tenths: int) -> NDArray[np.bool_]:
        """Where IoU >= tenths / 10, in the shape of the pairs."""
        return np.asarray(10 * self.intersection >= tenths * self.union)

    def above(self, tenths: int) -> NDArray[np.bool_]:
        """Where IoU > tenths / 10, in the shape of the pairs."""
        return np.asarray(10 * self.intersection > tenths * self.union)

    def iou(self) -> NDArray[np.float64]:
        """Temporal IoU, in [0, 1], in the shape of the pairs."""
        return np.asarray(self.intersection / self.union)


def overlaps(ones: Spans, others: Spans) -> Overlap:
    """The overlaps, (...), of the spans `ones` and `others`, (..., 2) each, which are broadcast.

    `overlaps(a[:, None], b[None])` compares all pairs: (len(a), len(b)). Two spans that do not meet
    have intersection 0, and a union without the gap between them.
    """
    start = np.maximum(ones[..., 0], others[..., 0])
    end = np.minimum(ones[..., 1], others[..., 1])
    intersection = np.maximum(end - start, 0)
    lengths = (ones[..., 1] - ones[..., 0]) + (others[..., 1] - others[..., 0])
    return Overlap(intersection, lengths - intersection)


def reaches(video_id: str | None, gold: Span, moment: Moment, tenths: int) -> bool:
    """Whether `moment` has IoU >= tenths / 10 with the span `gold` of the video `video_id`."""
    if moment.video_id != video_id:
        return False
    ends = np.array([[gold.start, gold.end], [moment.start, moment.end]])
    return bool(overlaps(ends[0], ends[1]).reaches(tenths))


def moment_overlaps(gold: Sequence[Gold], predictions: Sequence[Prediction | None]) -> Overlap:
    """The overlaps of the first five moments of each turn with its gold one: (DEPTH, turns).

    Intersection 0 and union 1 where a turn has no such moment or where it is in another video.
    """
    found = Overlap(
        np.zeros((DEPTH, len(gold)), dtype=np.int64), np.ones((DEPTH, len(gold)), dtype=np.int64)
    )
    rows = [
        (place, row, answer.moment.start, answer.moment.end, moment.start, moment.end)
        for row, (answer, given) in enumerate(zip(gold, predictions, strict=True))
        if answer.moment is not None and given is not None and given.moments
        for place, moment in enumerate(given.moments[:DEPTH])
        if moment.video_id == answer.video_id
    ]
    flat = np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=6 * len(rows))
    table = flat.reshape(-1, 6)  # (moments, 6)
    place, row = table[:, 0], table[:, 1]
    found.intersection[place, row], found.union[place, row] = overlaps(table[:, 2:4], table[:, 4:6])
    return found
