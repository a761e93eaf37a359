"""Spans of a video as integer arrays: sliding windows, non-maximum suppression, the answer.

A span is (start, end) in ms, 0 <= start < end; several are an array of shape (n, 2). IoU is that of
`harness.temporal`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.base import Answer
from harness.records import Moment
from harness.temporal import Spans, overlaps

STEPS = 4  # of a window within its own length
MOMENTS = 10  # of an answer


class ScoredSpans(NamedTuple):
    """Spans of a video, (n, 2), and their scores, (n,), the better the higher."""

    video_id: str
    spans: Spans
    scores: NDArray[np.floating[Any]]


def best_moments(found: ScoredSpans | None) -> Answer:
    """The answer of at most MOMENTS moments, best first; None abstains.

    Raises ValueError if a score is NaN.
    """
    if found is None:
        return Answer()
    best = nms(found.spans, found.scores, most=MOMENTS)
    return Answer(moments=tuple(Moment(found.video_id, *map(int, found.spans[at])) for at in best))


def sliding_windows(duration: int, shortest: int) -> Spans:
    """Windows over a video of `duration` ms: (n, 2), by length, then by start.

    Lengths start at `shortest` and grow by a half; the last window is the whole video. Windows of
    one length are a quarter of it apart; the last of each length ends with the video.
    """
    lengths, length = [], shortest
    while length < duration:
        lengths.append(length)
        length = length * 3 // 2 + length % 2
    return np.concatenate([_of_length(length, duration) for length in [*lengths, duration]])


def nms(
    spans: Spans, scores: NDArray[np.floating[Any]], *, most: int, tenths: int = 5
) -> list[int]:
    """Non-maximum suppression: positions of at most `most` spans, best first, ties by position.

    spans: (n, 2); scores: (n,). A span is dropped if its IoU with a better span of the result is
    above tenths / 10. Raises ValueError if a score is NaN.
    """
    if np.isnan(scores).any():
        raise ValueError(f"{np.isnan(scores).sum()} of {len(scores)} scores are NaN")
    result: list[int] = []
    left = np.argsort(-scores, kind="stable")
    while len(left) and len(result) < most:
        best, left = int(left[0]), left[1:]
        result.append(best)
        left = left[~overlaps(spans[left], spans[best]).above(tenths)]
    return result


def _of_length(length: int, duration: int) -> Spans:
    stride = max(1, length // STEPS)
    starts = np.arange(0, duration - length + 1, stride, dtype=np.int64)
    if starts[-1] != duration - length:
        starts = np.append(starts, duration - length)
    return np.stack([starts, starts + length], axis=1)
