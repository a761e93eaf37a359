"""A video's rows or frames as STEPS steps of equal length.

Training shows a random row of each step, so that no two steps of it see quite the same; answering
shows the mean of a step's rows. A step without a row of its own has the nearest one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from baselines.base import View
from baselines.localisation.heads import STEPS
from baselines.networks.frame_network import RATE, SIZE, FrameNetworkEncoder, frame_pairs
from baselines.video.feature_cache import Rows
from baselines.video.features import PIXELS, Features, extract_features
from baselines.video.sampling import Sampler

SHOWN = 24  # steps of a video whose frames training shows; each stands for two
SHIFT = 2  # pixels by which training moves a video's frames at most
Times = NDArray[np.int32]


class TimedRows(Protocol):
    """Rows of videos, and the times in ms of each row, both by video id."""

    @property
    def times(self) -> Mapping[str, Times]:
        """The times of the rows: (frames,)."""

    def __getitem__(self, video_id: str) -> Rows:
        """The rows of a video: (frames, ...)."""

    def __iter__(self) -> Iterator[str]:
        """The ids of the videos."""

    def __len__(self) -> int:
        """How many videos there are."""

    def __contains__(self, video_id: object, /) -> bool:
        """Whether there are rows of a video."""


class StepPlaces(NamedTuple):
    """The rows of each step: the first one and the one after the last, (steps,) each."""

    first: NDArray[np.int64]
    after: NDArray[np.int64]

    @classmethod
    def of_times(cls, times: Times, steps: int) -> StepPlaces:
        """The rows, at ascending times in ms, of so many steps of the whole video."""
        edges = np.arange(steps + 1) * video_end(times) / steps
        bounds = np.searchsorted(times, edges)
        first = np.minimum(bounds[:-1], len(times) - 1)
        centre = (edges[:-1] + edges[1:]) / 2
        nearest = np.abs(times[None].astype(np.float64) - centre[:, None]).argmin(axis=1)
        empty = bounds[:-1] >= bounds[1:]
        first = np.where(empty, nearest, first)
        return cls(first, np.where(empty, nearest + 1, bounds[1:]))

    def draw(self, generator: np.random.Generator) -> NDArray[np.int64]:
        """A random row of each step: (steps,)."""
        places: NDArray[np.int64] = generator.integers(self.first, self.after)
        return places

    def mean(self, rows: Rows) -> Rows:
        """The mean of each step's rows: (steps, width) of (frames, width)."""
        sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, 0, np.float64)])
        count = (self.after - self.first)[:, None]
        means: Rows = ((sums[self.after] - sums[self.first]) / count).astype(np.float32)
        return means


class VideoSource(Protocol):
    """What training shows of videos."""

    def draw(self, video_id: str, generator: np.random.Generator) -> NDArray[Any]:
        """One view of a video, the same shape for all: (steps, ...)."""

    def end(self, video_id: str) -> int:
        """The end of a video, in ms."""

    def __contains__(self, video_id: object, /) -> bool:
        """Whether a video can be shown."""


class PixelSource:
    """Frames, for the project's own frame network."""

    def __init__(self, pixels: Features) -> None:
        """pixels: at the frame network's rate and size."""
        self.pixels = pixels
        self._places = {
            video_id: StepPlaces.of_times(pixels.times[video_id], SHOWN) for video_id in pixels
        }

    def draw(self, video_id: str, generator: np.random.Generator) -> NDArray[np.uint8]:
        """Frames and the ones after them: (SHOWN, 2, SIZE, SIZE, 3)."""
        pairs = frame_pairs(self.pixels[video_id], self._places[video_id].draw(generator))
        return np.roll(pairs, generator.integers(-SHIFT, SHIFT + 1, 2).tolist(), axis=(2, 3))

    def end(self, video_id: str) -> int:
        """The end of a video, in ms."""
        return video_end(self.pixels.times[video_id])

    def __contains__(self, video_id: object, /) -> bool:
        """Whether a video can be read."""
        return video_id in self._places


class RowSource:
    """Rows of features."""

    def __init__(self, rows: TimedRows) -> None:
        """rows: of a FeatureSet."""
        self.rows = rows
        self._places = {
            video_id: StepPlaces.of_times(rows.times[video_id], STEPS) for video_id in rows
        }

    def draw(self, video_id: str, generator: np.random.Generator) -> Rows:
        """Rows: (STEPS, width)."""
        return np.asarray(self.rows[video_id][self._places[video_id].draw(generator)])

    def end(self, video_id: str) -> int:
        """The end of a video, in ms."""
        return video_end(self.rows.times[video_id])

    def __contains__(self, video_id: object, /) -> bool:
        """Whether there are rows of a video."""
        return video_id in self._places


def video_end(times: Times) -> int:
    """The end in ms of a video whose rows show what is around `times`, (frames,)."""
    return max(1, int(times[-1]) + int(times[0]))


def mean_steps(rows: TimedRows, video_id: str) -> Rows:
    """A video for answering: (STEPS, width)."""
    return StepPlaces.of_times(rows.times[video_id], STEPS).mean(np.asarray(rows[video_id]))


def read_pixels(view: View, video_ids: Iterable[str]) -> Features:
    """The frames of videos; kept as long as the result lives: 55 kB a second would fill a cache."""
    sampler = Sampler(rate=RATE, size=SIZE)
    videos = [view.videos[video_id] for video_id in video_ids if video_id in view.videos]
    return extract_features(videos, view.folder, sampler, PIXELS, cache=None, note=view.note)


def encode_frames(view: View, video_ids: Iterable[str], encoder: FrameNetworkEncoder) -> Features:
    """The frame network's rows of videos, (frames, width) each, kept in the cache."""
    videos = [view.videos[video_id] for video_id in video_ids if video_id in view.videos]
    return extract_features(
        videos, view.folder, encoder.sampler(), encoder, cache=view.cache, note=view.note
    )
