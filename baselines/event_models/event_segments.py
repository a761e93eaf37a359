"""A video's frames put together into segments, each the trace of one event or of none.

Successive frames are merged pairwise, the likest neighbours first (Ward's criterion on the
attributes' probabilities), until the next merger would cost more than LIMIT an attribute.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.event_models.event_annotations import Attribute, Script

LIMIT = 2.0  # for each attribute of events
GOING_ON = 0.3
FLOOR = 0.03  # probabilities are compared as logarithms, from here up
Rows = NDArray[np.float32]


class Segments(NamedTuple):
    """Segments of a video in order of time.

    values: (n, values) mean probabilities, those of events times the probability that one is going
    on. spans: (n, 2) in ms.
    """

    values: Rows
    spans: NDArray[np.int64]


def segments(rows: Rows, times: NDArray[np.int32], attributes: tuple[Attribute, ...]) -> Segments:
    """The events of a video, from a recogniser's rows, (frames, values + 1) at `times`.

    Segments in which nothing seems to go on are left out; the surest one stays in any case.
    """
    gated = gate(rows, attributes)
    bounds = merged(gated, LIMIT * sum(attribute.of_event for attribute in attributes))
    starts, ends = bounds[:-1], bounds[1:]
    going = np.array([rows[a:b, -1].mean() for a, b in zip(starts, ends, strict=True)])
    kept = np.flatnonzero(going > min(GOING_ON, float(going.max()) - 1e-6))
    half = int(times[0])  # the first frame stands half a step from the start
    spans = np.stack([times[starts] - half, times[ends - 1] + half], axis=1)[kept]
    return Segments(pooled(gated, starts[kept], ends[kept]), spans.astype(np.int64))


def of_events(times: NDArray[np.int32], script: Script) -> NDArray[np.int64] | None:
    """The frames of each annotated event, first and one past the last: (n, 2).

    None if there is no event, or one falls between two frames.
    """
    if not script.events:
        return None
    edges = np.array([(event.start, event.end) for event in script.events])
    found = np.searchsorted(times, edges)
    return None if (found[:, 1] <= found[:, 0]).any() else found


def doubts(values: Iterable[Rows], attributes: Sequence[Attribute]) -> NDArray[np.float64]:
    """How unsure a recogniser is of each attribute, from segments that it was not trained on.

    One less the mean of the greatest share, within [0.03, 0.4]; 0.1 where there are no segments.
    """
    rows = list(values)
    if not rows:
        return np.full(len(attributes), 0.1)
    every = np.concatenate(rows)
    found = []
    for attribute in attributes:
        part = every[:, attribute.slice]
        share = part.max(axis=1) / np.maximum(part.sum(axis=1), 1e-6)
        found.append(np.clip(1 - share.mean(), 0.03, 0.4))
    return np.array(found)


def unsure(
    values: Rows,
    attributes: Sequence[Attribute],
    doubt: NDArray[np.float64],
    drawn: np.random.Generator,
) -> Rows:
    """Rows as a recogniser might have them that is twice as unsure: some mixed with random ones."""
    values = values.copy()
    for attribute, often in zip(attributes, doubt, strict=True):
        for row in np.flatnonzero(drawn.random(len(values)) < 2 * often):
            part = values[row, attribute.slice]
            other = drawn.dirichlet(np.full(len(part), 0.3)) * part.sum()
            mixed = drawn.random()
            values[row, attribute.slice] = (1 - mixed) * part + mixed * other
    return values


def gate(rows: Rows, attributes: tuple[Attribute, ...]) -> Rows:
    """Rows without their last column, by which what is said of events is multiplied."""
    gated = np.array(rows[:, :-1])
    for attribute in attributes:
        if attribute.of_event:
            gated[:, attribute.slice] *= rows[:, -1:]
    return gated


def pooled(rows: Rows, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Rows:
    """Means of rows start <= i < end: (n, d)."""
    sums = np.zeros((len(rows) + 1, rows.shape[1]))
    np.cumsum(rows, axis=0, dtype=np.float64, out=sums[1:])
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts)[:, None], np.float32)


def logarithms(values: Rows) -> Rows:
    """Probabilities as logarithms, brought to [0, 1]: 0 for none, 1 for certain."""
    scaled = (np.log(values + FLOOR) - np.log(FLOOR)) / np.log1p(1 / FLOOR)
    return np.asarray(scaled, np.float32)


def merged(rows: Rows, limit: float) -> NDArray[np.int64]:
    """Where segments begin, and where the last one ends: ascending from 0 to len(rows).

    Mergers that cost more than `limit` are not made.
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
            apart = sums[left] / m - sums[right] / n
            cost = float(apart @ apart) * m * n / (m + n)
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
