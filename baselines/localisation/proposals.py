"""Spans of a video as integer arrays: sliding windows and non-maximum suppression.

A span is (start, end) in ms, 0 <= start < end; several are an array of shape (n, 2). IoU is that of
`harness.temporal`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.temporal import Spans, overlaps

STEPS = 4  # of a window within its own length


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
