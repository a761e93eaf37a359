"""A video as STEPS steps of equal length, each with what it and the segments around it show.

A step knows what its frames show, and which segment (baselines/event_models/event_segments.py)
contains it, precedes it and follows it. cross_modal_encoder.py compares a query with all of these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from baselines.event_models.event_annotations import Attribute
from baselines.event_models.event_segments import (
    apply_actionness,
    log_probs,
    mean_pool,
    segment_video,
)
from baselines.localisation.heads import STEPS

KNOWN = 10  # features of a step that need no query, see `step_features`
Rows = NDArray[np.float32]


class StepFeatures(NamedTuple):
    """A video as steps.

    shows: (STEPS, values) of each step; segments: (n + 1, values), the last one empty; owner:
    (STEPS, 3) the numbers of the segment around a step, the one before and the one after; known:
    (STEPS, KNOWN) features that need no query.
    """

    shows: Rows
    segments: Rows
    owner: NDArray[np.int64]
    known: Rows


class StepBatch(NamedTuple):
    """A batch of videos as steps: (n, ...) each; of `segments` the last one is empty."""

    shows: Tensor
    segments: Tensor
    owner: Tensor
    known: Tensor


class VideoFeatures(NamedTuple):
    """One video.

    rows: the recogniser's, (frames, values + 1). values: (segments, values). length: in ms.
    """

    rows: Rows
    values: Rows
    steps: StepFeatures
    length: int


def video_features(
    rows: Mapping[str, Rows],
    times: Mapping[str, NDArray[np.int32]],
    attributes: tuple[Attribute, ...],
) -> dict[str, VideoFeatures]:
    """Features by video id, from a recogniser's rows, (frames, values + 1), at times in ms."""
    videos = {}
    for name in rows:
        own, at = np.asarray(rows[name]), times[name]
        length = int(at[-1] + at[0])
        segments = segment_video(own, at, attributes)
        bounds = np.clip(segments.spans / length, 0, 1)
        steps = step_features(own, attributes, segments.values, bounds)
        videos[name] = VideoFeatures(own, segments.values, steps, length)
    return videos


def step_features(
    rows: Rows, attributes: tuple[Attribute, ...], values: Rows, bounds: NDArray[np.float64]
) -> StepFeatures:
    """A video's steps from a recogniser's rows and from its segments.

    rows: (frames, values + 1); values: (segments, values); bounds: (segments, 2), fractions of the
    video. `known` holds the probability that an event goes on; whether the step is in a segment;
    the segment's length (log), whether it is the longest, shortest, first, last, its start and end;
    the step's centre.
    """
    steps, count = np.arange(STEPS), len(values)
    first = steps * len(rows) // STEPS
    after = np.maximum(first + 1, -(-(steps + 1) * len(rows) // STEPS))
    centre = (steps + 0.5) / STEPS
    owner = _owners(centre, bounds)
    inside = owner[:, 0] < count
    actionness = mean_pool(rows[:, -1:], first, after)
    known = np.concatenate(
        [actionness, inside[:, None], _segment_facts(bounds)[owner[:, 0]], centre[:, None]], axis=1
    )
    empty = np.zeros((1, values.shape[1]), np.float32)
    return StepFeatures(
        log_probs(mean_pool(apply_actionness(rows, attributes), first, after)),
        np.concatenate([log_probs(values), empty]),
        owner,
        known.astype(np.float32),
    )


def _owners(centre: NDArray[np.float64], bounds: NDArray[np.float64]) -> NDArray[np.int64]:
    """The segments around, before and after each step: (STEPS, 3); len(bounds) means none."""
    count = len(bounds)
    before = np.searchsorted(bounds[:, 1], centre, side="right") - 1  # the last that has ended
    later = np.searchsorted(bounds[:, 0], centre, side="right")  # the first that has not begun
    own = np.where(later - before == 2, before + 1, count)
    return np.stack([own, np.where(before < 0, count, before), later], axis=1)


def _segment_facts(bounds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Facts of each segment, and zeros for none: (segments + 1, 7)."""
    count, lengths = len(bounds), bounds[:, 1] - bounds[:, 0]
    facts = np.zeros((count + 1, 7))
    facts[:count] = np.stack(
        [
            np.log(np.maximum(lengths, 1e-3)) + 2,
            lengths == lengths.max(),
            lengths == lengths.min(),
            np.arange(count) == 0,
            np.arange(count) == count - 1,
            *bounds.T,
        ],
        axis=1,
    )
    return facts


def collate_steps(videos: Sequence[StepFeatures]) -> StepBatch:
    """Pad videos to one number of segments; the empty segment is the last one in all."""
    most = max(len(each.segments) for each in videos)
    values = videos[0].shows.shape[1]
    padded = np.zeros((len(videos), most, values), np.float32)
    owner = np.zeros((len(videos), STEPS, 3), np.int64)
    for row, each in enumerate(videos):
        count = len(each.segments) - 1
        padded[row, :count] = each.segments[:count]
        owner[row] = np.where(each.owner == count, most - 1, each.owner)
    return StepBatch(
        torch.from_numpy(np.stack([each.shows for each in videos])),
        torch.from_numpy(padded),
        torch.from_numpy(owner),
        torch.from_numpy(np.stack([each.known for each in videos])),
    )
