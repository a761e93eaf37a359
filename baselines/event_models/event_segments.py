"""Segments of a video from a recogniser's frame probabilities: each shows one event.

Neighbouring frames are merged pair by pair, the most similar pair first (Ward's criterion on the
probabilities of the attributes), until the next merge would cost more than MERGE_COST per
attribute.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.event_models.event_annotations import Attribute, VideoAnnotation

MERGE_COST = 2.0  # per attribute of events
ACTIONNESS = 0.3  # least mean probability that an event goes on, of a segment
PROBABILITY_FLOOR = 0.03  # added to probabilities before their logarithm is taken
Rows = NDArray[np.float32]


class EventSegments(NamedTuple):
    """Segments of a video in order of time.

    values: (segments, values), mean probabilities; those of event attributes are multiplied by the
    probability that an event goes on. spans: (segments, 2) in ms.
    """

    values: Rows
    spans: NDArray[np.int64]


def segment_video(
    rows: Rows, times: NDArray[np.int32], attributes: tuple[Attribute, ...]
) -> EventSegments:
    """The segments of a video from a recogniser's rows, (frames, values + 1), at `times` in ms.

    times: (frames,). Segments without an event are left out, but the most certain one always stays.
    """
    weighted = apply_actionness(rows, attributes)
    edges = merge_neighbours(weighted, MERGE_COST * sum(each.of_event for each in attributes))
    starts, ends = edges[:-1], edges[1:]
    actionness = np.array([rows[a:b, -1].mean() for a, b in zip(starts, ends, strict=True)])
    chosen = np.flatnonzero(actionness > min(ACTIONNESS, float(actionness.max()) - 1e-6))
    half = int(times[0])  # the first frame stands half a step from the start
    spans = np.stack([times[starts] - half, times[ends - 1] + half], axis=1)[chosen]
    values = mean_pool(weighted, starts[chosen], ends[chosen])
    return EventSegments(values, spans.astype(np.int64))


def event_frames(times: NDArray[np.int32], annotation: VideoAnnotation) -> NDArray[np.int64] | None:
    """The first frame of each annotated event, and the one after its last: (events, 2).

    times: (frames,) in ms. None if there is no event, or if an event falls between two frames.
    """
    if not annotation.events:
        return None
    spans = np.array([(event.start, event.end) for event in annotation.events])
    edges = np.searchsorted(times, spans)  # (events, 2)
    return None if (edges[:, 1] <= edges[:, 0]).any() else edges


def error_rates(values: Iterable[Rows], attributes: Sequence[Attribute]) -> NDArray[np.float64]:
    """A recogniser's expected error rate per attribute, (attributes,), from unseen videos.

    values: per video (segments, values), of videos that it was not trained on. The rate is 1 minus
    the mean of the greatest share, within [0.03, 0.4]; it is 0.1 where there are no segments.
    """
    parts = list(values)
    if not parts:
        return np.full(len(attributes), 0.1)
    rows = np.concatenate(parts)
    rates = []
    for attribute in attributes:
        part = rows[:, attribute.slice]
        share = part.max(axis=1) / np.maximum(part.sum(axis=1), 1e-6)
        rates.append(np.clip(1 - share.mean(), 0.03, 0.4))
    return np.array(rates)


def add_label_noise(
    values: Rows,
    attributes: Sequence[Attribute],
    rates: NDArray[np.float64],
    generator: np.random.Generator,
) -> Rows:
    """Values of segments as a recogniser with twice the error rates might give them.

    values: (segments, values), result alike; rates: (attributes,). With probability twice the rate
    an attribute's probabilities are mixed with random ones.
    """
    values = values.copy()
    for attribute, rate in zip(attributes, rates, strict=True):
        for row in np.flatnonzero(generator.random(len(values)) < 2 * rate):
            part = values[row, attribute.slice]
            other = generator.dirichlet(np.full(len(part), 0.3)) * part.sum()
            share = generator.random()
            values[row, attribute.slice] = (1 - share) * part + share * other
    return values


def apply_actionness(rows: Rows, attributes: tuple[Attribute, ...]) -> Rows:
    """Multiply the event attributes by the last column, the probability that an event goes on.

    rows: (frames, values + 1); returns (frames, values).
    """
    weighted = np.array(rows[:, :-1])
    for attribute in attributes:
        if attribute.of_event:
            weighted[:, attribute.slice] *= rows[:, -1:]
    return weighted


def mean_pool(rows: Rows, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Rows:
    """Means of the rows start <= i < end: (rows, d), (n,), (n,) to (n, d)."""
    sums = np.zeros((len(rows) + 1, rows.shape[1]))
    np.cumsum(rows, axis=0, dtype=np.float64, out=sums[1:])
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts)[:, None], np.float32)


def log_probs(values: Rows) -> Rows:
    """Logarithms of probabilities, scaled to [0, 1] (1 is certain): any shape, result alike."""
    scaled = (np.log(values + PROBABILITY_FLOOR) - np.log(PROBABILITY_FLOOR)) / np.log1p(
        1 / PROBABILITY_FLOOR
    )
    return np.asarray(scaled, np.float32)


def merge_neighbours(rows: Rows, limit: float) -> NDArray[np.int64]:
    """The starts of segments of rows, (rows, d), and the end of the last: (segments + 1,).

    Ascending from 0 to the number of rows. Merges that cost more than `limit` are not made.
    """
    sums = {at: row.astype(np.float64) for at, row in enumerate(rows)}
    ends = list(range(1, len(rows) + 1))  # of the segment that starts here
    before = list(range(-1, len(rows) - 1))  # where the segment before this one starts
    version = [0] * len(rows)
    heap: list[tuple[float, int, int, int, int]] = []

    def consider(left: int) -> None:
        right = ends[left]
        if right < len(rows):
            m, n = right - left, ends[right] - right
            difference = sums[left] / m - sums[right] / n
            cost = float(difference @ difference) * m * n / (m + n)
            heapq.heappush(heap, (cost, left, right, version[left], version[right]))

    for left in range(len(rows) - 1):
        consider(left)
    while heap:
        cost, left, right, left_version, right_version = heapq.heappop(heap)
        if right not in sums or left not in sums:
            continue
        if (version[left], version[right]) != (left_version, right_version):
            continue
        if cost > limit:
            break
        sums[left] += sums.pop(right)
        ends[left] = ends[right]
        version[left] += 1
        if ends[left] < len(rows):
            before[ends[left]] = left
        consider(left)
        if before[left] >= 0:
            consider(before[left])
    return np.array([*sorted(sums), len(rows)])
