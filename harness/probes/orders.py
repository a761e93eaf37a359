"""Orders of videos that an answer might follow: of files, ids, durations, time stamps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from harness.benchmark import VideoFolder
from harness.outcomes import Floats, Ints
from harness.probes.runs import Field


class VideoOrder(NamedTuple):
    """An order of the corpus. place: (corpus,) from 0, ties at their mean place."""

    name: str
    place: Floats


class OrderSet(NamedTuple):
    """The orders that can be looked at, and notes on those that cannot."""

    orders: tuple[VideoOrder, ...]
    notes: tuple[str, ...]


def video_orders(field: Field) -> OrderSet:
    """The orders of a split's corpus that differ from each other; reads no pixel and no text."""
    found: list[VideoOrder] = []
    notes: list[str] = []
    for name, values in _values(field):
        place = None if values is None else mean_places(values)
        twin = next((o.name for o in found if place is not None and _equal(o.place, place)), None)
        if place is None or np.ptp(place) == 0:
            notes.append(f"order by {name}: not known or the same for all videos; left out.")
        elif twin is not None:
            notes.append(f"order by {name}: the same as by {twin}.")
        else:
            found.append(VideoOrder(name, place))
    return OrderSet(tuple(found), tuple(notes))


def strata(field: Field) -> Ints:
    """A number for the source of each video, (corpus,): videos of one source stand together."""
    sources = [field.benchmark.videos[video].source for video in field.split.corpus]
    return np.unique(sources, return_inverse=True)[1].astype(np.int64)


def mean_places(values: ArrayLike) -> Floats:
    """The place of each value in ascending order from 0, (n,); equal ones share their mean."""
    _, label, count = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    last = np.cumsum(count) - 1
    places: Floats = (last - (count - 1) / 2)[label]
    return places


def _equal(one: Floats, other: Floats) -> bool:
    return np.array_equal(one, other) or np.array_equal(one, other[::-1].max() - other)


def _values(field: Field) -> Iterator[tuple[str, Ints | list[str] | None]]:
    corpus, videos = field.split.corpus, field.benchmark.videos
    yield "line of corpus.txt", np.arange(len(corpus), dtype=np.int64)
    yield "id", list(corpus)
    line = {video: at for at, video in enumerate(videos)}
    yield "line of videos.jsonl", np.array([line[video] for video in corpus], dtype=np.int64)
    yield "duration", None if (field.durations < 0).any() else field.durations
    yield "time stamp of the video's file", _time_stamps(field)


def _time_stamps(field: Field) -> Ints | None:
    """Times of change, (corpus,) in nanoseconds; None if a video has no file."""
    folder = VideoFolder(field.benchmark.folder)
    stamps = []
    for video in field.split.corpus:
        path = folder.find(field.benchmark.videos[video])
        if isinstance(path, str):
            return None
        stamps.append(path.stat().st_mtime_ns)
    return np.array(stamps, dtype=np.int64)
