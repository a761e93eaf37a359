"""What tan2d and moment_detr have in common: a video as steps that know what the question asks for.

A video is cut into STEPS steps of one length. Of each step is known what its frames show, and to
which segment (baselines/event_models/event_segments.py) it belongs: what that shows, and what the
ones before and after show. A question's roles (baselines/event_models/query_encoder.py) are
compared with all of these, so that a step is a small vector of agreements, of any colour or shape;
the question's gist is joined to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from baselines.event_models.event_annotations import Attribute
from baselines.event_models.event_segments import Segments, gate, logarithms, pooled, segments

STEPS = 48


KNOWN = 10  # of a step beside agreements, see `scene`


Rows = NDArray[np.float32]


class Scene(NamedTuple):
    """A video as steps.

    shows: (STEPS, values) of each step; segments: (n + 1, values), the last one nothing; owner:
    (STEPS, 3) the segment that a step is in, the one before and the one after; known: (STEPS,
    KNOWN) what needs no question.
    """

    shows: Rows
    segments: Rows
    owner: NDArray[np.int64]
    known: Rows


class Scenes(NamedTuple):
    """A batch of scenes."""

    shows: Tensor
    segments: Tensor
    owner: Tensor
    known: Tensor


def scene(
    rows: Rows, attributes: tuple[Attribute, ...], values: Rows, bounds: NDArray[np.float64]
) -> Scene:
    """A scene of a recogniser's rows and of segments: (n, values), (n, 2) fractions of the video.

    known: certainty that an event goes on; whether the step is in a segment; that segment's
    length (log), whether it is the longest, shortest, first, last; where it starts and ends; where
    the step is.
    """
    steps = np.arange(STEPS)
    first = steps * len(rows) // STEPS
    after = np.maximum(first + 1, -(-(steps + 1) * len(rows) // STEPS))
    centre = (steps + 0.5) / STEPS
    count = len(values)
    before = np.searchsorted(bounds[:, 1], centre, side="right") - 1  # the last that has ended
    later = np.searchsorted(bounds[:, 0], centre, side="right")  # the first that has not begun
    inside = later - before == 2
    own = np.where(inside, before + 1, count)
    owner = np.stack([own, np.where(before < 0, count, before), later], axis=1)
    lengths = bounds[:, 1] - bounds[:, 0]
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
    going = pooled(rows[:, -1:], first, after)
    known = np.concatenate([going, inside[:, None], facts[own], centre[:, None]], axis=1)
    shows = pooled(gate(rows, attributes), first, after)
    nothing = np.zeros((1, values.shape[1]), np.float32)
    return Scene(
        logarithms(shows),
        np.concatenate([logarithms(values), nothing]),
        owner,
        known.astype(np.float32),
    )


def together(scenes: Sequence[Scene]) -> Scenes:
    """Scenes side by side; "nothing" comes to stand last in all."""
    most = max(len(each.segments) for each in scenes)
    values = scenes[0].shows.shape[1]
    filled = np.zeros((len(scenes), most, values), np.float32)
    owner = np.zeros((len(scenes), STEPS, 3), np.int64)
    for row, each in enumerate(scenes):
        count = len(each.segments) - 1
        filled[row, :count] = each.segments[:count]
        owner[row] = np.where(each.owner == count, most - 1, each.owner)
    return Scenes(
        torch.from_numpy(np.stack([each.shows for each in scenes])),
        torch.from_numpy(filled),
        torch.from_numpy(owner),
        torch.from_numpy(np.stack([each.known for each in scenes])),
    )


class Footage(NamedTuple):
    """One video: the recogniser's rows, its segments' values, its scene, its length in ms."""

    rows: Rows
    values: Rows
    scene: Scene
    length: int


def footage(
    seen: Mapping[str, Rows],
    when: Mapping[str, NDArray[np.int32]],
    attributes: tuple[Attribute, ...],
) -> dict[str, Footage]:
    """By video id what is known of each, from a recogniser's rows at times in ms."""
    found = {}
    for name in seen:
        rows, times = np.asarray(seen[name]), when[name]
        length = int(times[-1] + times[0])
        cut: Segments = segments(rows, times, attributes)
        bounds = np.clip(cut.spans / length, 0, 1)
        found[name] = Footage(rows, cut.values, scene(rows, attributes, cut.values, bounds), length)
    return found
