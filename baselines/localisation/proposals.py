"""Spans of a video as integer arrays: enumerating them, comparing them, thinning them out.

A span is (start, end) in ms, 0 <= start < end; several are an array of shape (n, 2). Thresholds
compare tenths in integers, as the moment metrics do: no pair of spans fails one that it meets.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Spans = NDArray[np.int64]  # (n, 2)
STEPS = 4  # of a window in its own length


class Met(NamedTuple):
    """What pairs of spans share, and what they cover together, in ms; IoU is the quotient."""

    intersection: NDArray[np.int64]
    union: NDArray[np.int64]

    def above(self, tenths: int) -> NDArray[np.bool_]:
        """Where IoU > tenths / 10."""
        return np.asarray(10 * self.intersection > tenths * self.union)

    def iou(self) -> NDArray[np.float64]:
        """Temporal IoU, in [0, 1]: 0 where they do not meet."""
        return np.asarray(self.intersection / self.union)


def met(ones: Spans, others: Spans) -> Met:
    """Each of `ones`, (..., 2), beside the span of `others` that it is broadcast to, (..., 2).

    `met(a[:, None], b[None])` compares all pairs: (len(a), len(b)). Two spans that do not meet have
    intersection 0, and a union without the gap between them.
    """
    start = np.maximum(ones[..., 0], others[..., 0])
    end = np.minimum(ones[..., 1], others[..., 1])
    intersection = np.maximum(end - start, 0)
    lengths = (ones[..., 1] - ones[..., 0]) + (others[..., 1] - others[..., 0])
    return Met(intersection, lengths - intersection)


def windows(duration: int, shortest: int) -> Spans:
    """Windows over a video of `duration` ms: (n, 2), shorter ones first, then from its start.

    Lengths grow by half from `shortest` on; the last window is the whole video. A window moves by a
    quarter of its length; of each length one ends with the video.
    """
    lengths, length = [], shortest
    while length < duration:
        lengths.append(length)
        length = length * 3 // 2 + length % 2
    found = [_of_length(length, duration) for length in [*lengths, duration]]
    return np.concatenate(found)


def nms(
    spans: Spans, scores: NDArray[np.floating[Any]], *, most: int, tenths: int = 5
) -> list[int]:
    """Non-maximum suppression: positions of at most `most` spans, best first, ties by position.

    A span goes if its IoU with a better one that is kept is above tenths / 10. Raises ValueError at
    a score that is NaN.
    """
    if np.isnan(scores).any():
        raise ValueError(f"{np.isnan(scores).sum()} of {len(scores)} scores are NaN")
    kept: list[int] = []
    waiting = np.argsort(-scores, kind="stable")
    while len(waiting) and len(kept) < most:
        best, waiting = int(waiting[0]), waiting[1:]
        kept.append(best)
        waiting = waiting[~met(spans[waiting], spans[best]).above(tenths)]
    return kept


def _of_length(length: int, duration: int) -> Spans:
    stride = max(1, length // STEPS)
    starts = np.arange(0, duration - length + 1, stride, dtype=np.int64)
    if starts[-1] != duration - length:
        starts = np.append(starts, duration - length)
    return np.stack([starts, starts + length], axis=1)
