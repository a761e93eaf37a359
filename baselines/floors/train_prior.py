"""The most frequent relative spans of the train split: what habit alone is worth.

Reads: the train split's moments, durations, the given video (else the latest one that the history
names). Ignores: utterances, candidates. It says nothing of videos.

Most frequent: of all spans between twentieths of a video, the one that meets the most train moments
with IoU >= 0.5, ties to the larger sum of IoU, then to the earlier and the shorter; the next ones
meet the most of those that are left, up to five spans, so that R@5 has its floor too.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.base import About, Answer, Baseline, MissingInputError, Query, View
from baselines.dialogue_context import video_in_focus
from harness.records import Moment, Video
from harness.temporal import overlaps

ABOUT = About(needs=("train_labels",))
GRID = 20
SPANS = 5
WHOLE = 1_000_000
Milliseconds = NDArray[np.int64]


class TrainPrior(Baseline):
    """The same five relative spans of every video; an abstention where none is in focus."""

    def prepare(self, view: View) -> None:
        """Find the spans. Raises MissingInputError if no train moment has a known duration."""
        self._videos = view.videos
        moments = _train_moments(view)
        if not len(moments.start):
            raise MissingInputError(
                f"{view.folder}: train_prior needs train moments in videos of known duration, "
                "found none; import the train split with --videos META"
            )
        self._spans = frequent_spans(moments)

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """The spans in the video in focus, for each moment turn."""
        return [self._one(query) for query in queries]

    def _one(self, query: Query) -> Answer:
        video_id = video_in_focus(query)
        if query.task != "moment" or video_id is None:
            return Answer()
        return Answer(moments=_moments(self._videos[video_id], self._spans))


class Moments(NamedTuple):
    """Train moments and their videos' durations, in milliseconds: each of shape (moments,)."""

    start: Milliseconds
    end: Milliseconds
    duration: Milliseconds


def frequent_spans(moments: Moments) -> list[tuple[int, int]]:
    """The most frequent spans in twentieths of a video, most frequent first, at most five."""
    grid = list(combinations(range(GRID + 1), 2))  # by start, then by end
    iou = np.stack([_iou(moments, low, high) for low, high in grid])  # (spans, moments)
    found: list[tuple[int, int]] = []
    left = np.ones(iou.shape[1], dtype=bool)
    while len(found) < SPANS and left.any():
        met = (iou[:, left] >= WHOLE // 2).sum(axis=1)
        if not met.any():
            break
        tied = np.flatnonzero(met == met.max())
        best = int(tied[iou[tied][:, left].sum(axis=1, dtype=np.int64).argmax()])
        found.append(grid[best])
        left &= iou[best] < WHOLE // 2
    return found


def _iou(moments: Moments, low: int, high: int) -> NDArray[np.int32]:
    """IoU of each moment and a span in twentieths, in whole millionths, so that sums are exact."""
    spans = np.stack([moments.start, moments.end], axis=1) * GRID  # (moments, 2)
    relative = np.stack([low * moments.duration, high * moments.duration], axis=1)
    found = overlaps(spans, relative)
    iou: NDArray[np.int32] = (found.intersection * WHOLE // found.union).astype(np.int32)
    return iou


def _train_moments(view: View) -> Moments:
    assert view.training is not None  # noqa: S101 - ABOUT asks for it
    rows = [
        (gold.moment.start, gold.moment.end, duration)
        for gold in view.training.gold
        if gold.moment is not None
        and gold.video_id is not None
        and (duration := view.videos[gold.video_id].duration)
    ]
    return Moments(*np.array(rows, dtype=np.int64).reshape(-1, 3).T)


def _moments(video: Video, spans: Sequence[tuple[int, int]]) -> tuple[Moment, ...]:
    """Relative spans as moments of a video; none if its duration is unknown or too short."""
    if video.duration is None or video.duration < GRID:
        return ()
    return tuple(
        Moment(video.video_id, low * video.duration // GRID, high * video.duration // GRID)
        for low, high in spans
    )
