"""Frames of a video by time stamp: decoded by PyAV, scaled by libswscale, the same on every run.

A video is decoded from its first frame to its last, and the sampled frames are kept. On short
videos this is faster than seeking, and it checks the whole file. A damaged file is refused as a
whole, so that no figure depends on the half that could be read.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream
from msgspec import Struct
from msgspec.structs import force_setattr
from numpy.typing import NDArray

from baselines.video.containers import (
    BEYOND_LIMIT,
    MAX_PIXELS,
    VideoDefectError,
    end_tick,
    open_video,
    tick_seconds,
)

MAX_BYTES = 2**30  # of all sampled frames of one video
MAX_FRAMES = 100_000
MAX_SECONDS = 24 * 3600
# Exact rounding: the fast paths differ between kinds of processors.
SCALING = (
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.BITEXACT
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
)


class Sampler(Struct, frozen=True):
    """Which frames of a video are sampled, by time stamp, and their size.

    rate: frames a second, at the times (i + 0.5) / rate before the video's end. size: side of a
    frame in pixels. most: the largest number of frames; where the rate gives more, they are spread
    evenly over the whole video, at (i + 0.5) * duration / most. crop: scale the shorter side to
    `size` and cut out the middle; else the picture is stretched to a square. A video too short for
    one frame at `rate` gives its middle frame. Raises ValueError if a number is not above 0.
    """

    rate: float
    size: int
    most: int | None = None
    crop: bool = False

    def __post_init__(self) -> None:
        most = 1 if self.most is None else self.most
        if not 0 < self.rate < math.inf or self.size < 1 or most < 1:
            raise ValueError(f"expected rate, size and most above 0, got {self}")
        force_setattr(self, "rate", float(self.rate))  # 4 and 4.0 are one sampler


class Frames(NamedTuple):
    """Frames of one video: the sampling times in ms from its first frame, and RGB pixels."""

    times: NDArray[np.int32]  # (n,)
    pixels: NDArray[np.uint8]  # (n, size, size, 3)


class SampleTimes(NamedTuple):
    """The times at which frames are sampled: (2i + 1) * step / 2 seconds for i < total."""

    step: Fraction
    total: int

    def milliseconds(self) -> NDArray[np.int32]:
        """The times in ms, rounded.  # (total,)"""
        top, bottom = (self.step * 500).as_integer_ratio()
        return np.array([round(odd * top / bottom) for odd in self._odd()], np.int32)

    def ticks(self, tick: Fraction) -> list[int]:
        """The times in whole ticks of `tick` seconds, rounded down.

        A frame is shown at such a time if and only if its stamp is at or before it.
        """
        top, bottom = (self.step / tick / 2).as_integer_ratio()
        return [odd * top // bottom for odd in self._odd()]

    def _odd(self) -> range:
        return range(1, 2 * self.total, 2)


def sample(path: Path, sampler: Sampler) -> Frames:
    """Sample a video: at each time the last frame stamped at or before it.

    Times count from the first frame. The file's rotation is applied (to the nearest quarter turn);
    alpha is dropped. Pixels depend only on the file, the sampler and the libraries' versions.
    Raises BadVideoError if the file is unreadable, truncated, without a frame, or beyond one of the
    limits above.
    """
    with open_video(path) as (container, stream):
        end = end_tick(container, stream)
    with open_video(path) as (container, stream):
        return _take_frames(container, stream, end, sampler)


def library() -> str:
    """The libraries that decode and scale, with versions: pixels may differ between versions."""
    names = ("libavformat", "libavcodec", "libswscale")
    versions = (f"{name} {'.'.join(map(str, av.library_versions[name]))}" for name in names)
    return ", ".join([f"PyAV {av.__version__}", *versions])


def sample_times(duration: Fraction, sampler: Sampler) -> SampleTimes:
    """The times at which `sampler` samples a video of `duration` seconds: at least one."""
    step = 1 / Fraction(sampler.rate).limit_denominator(1_000_000)
    count = math.ceil(duration / step - Fraction(1, 2))
    if count < 1:
        return SampleTimes(duration, 1)
    if sampler.most is not None and count > sampler.most:
        return SampleTimes(duration / sampler.most, sampler.most)
    return SampleTimes(step, count)


def _take_frames(
    container: InputContainer, stream: VideoStream, end: int, sampler: Sampler
) -> Frames:
    """Decode all frames and keep those shown at the sampling times."""
    frames = _frames_in_order(container, stream)
    first, shown = next(frames, (0, None))
    if shown is None:
        raise VideoDefectError("has no frame")
    times = _times_within_limits(max(end - first, 1) * tick_seconds(stream), sampler)
    ticks, scaler, done = times.ticks(tick_seconds(stream)), VideoReformatter(), 0
    pixels = np.empty((times.total, sampler.size, sampler.size, 3), np.uint8)
    for stamp, frame in frames:
        until = bisect_left(ticks, stamp - first, done)
        if until > done:
            pixels[done:until] = _square(shown, sampler, scaler)
        done, shown = until, frame
    if done < times.total:
        pixels[done:] = _square(shown, sampler, scaler)
    return Frames(times.milliseconds(), pixels)


def _frames_in_order(
    container: InputContainer, stream: VideoStream
) -> Iterator[tuple[int, av.VideoFrame]]:
    """All frames with their stamps, in ascending order."""
    latest: int | None = None
    for frame in container.decode(stream):
        if frame.is_corrupt:
            raise VideoDefectError("is damaged: the decoder had to guess parts of a frame")
        if frame.pts is None:
            raise VideoDefectError("has a frame without a time stamp")
        # A frame whose stamp goes back is skipped, as players do.
        if latest is None or frame.pts >= latest:
            latest = frame.pts
            yield latest, frame


def _times_within_limits(duration: Fraction, sampler: Sampler) -> SampleTimes:
    if duration > MAX_SECONDS:
        raise VideoDefectError(f"declares {float(duration):.0f} s: {BEYOND_LIMIT}")
    times = sample_times(duration, sampler)
    if times.total > MAX_FRAMES or times.total * 3 * sampler.size**2 > MAX_BYTES:
        raise VideoDefectError(
            f"would give {times.total} frames of {sampler.size} pixels a side: {BEYOND_LIMIT}"
        )
    return times


def _square(frame: av.VideoFrame, sampler: Sampler, scaler: VideoReformatter) -> NDArray[np.uint8]:
    """One frame, scaled, cut and turned upright.  # (size, size, 3)"""
    size = sampler.size
    width = height = size
    if sampler.crop:
        short = min(frame.width, frame.height)
        width, height = (
            max(size, round(side * size / short)) for side in (frame.width, frame.height)
        )
    if width * height > MAX_PIXELS:
        raise VideoDefectError(
            f"is {frame.width}x{frame.height} pixels: too narrow to cut a square"
        )
    scaled = scaler.reformat(frame, width, height, "rgb24", interpolation=SCALING, threads=1)
    x, y = (width - size) // 2, (height - size) // 2
    cut = scaled.to_ndarray().astype(np.uint8, copy=False)[y : y + size, x : x + size]
    quarters = round(frame.rotation / 90)
    return np.rot90(cut, quarters) if quarters else cut
