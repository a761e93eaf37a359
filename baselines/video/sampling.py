"""Frames of a video by time stamp: decoded by PyAV, scaled by libswscale, the same on every run.

A video is decoded from its first frame to its last and what is wanted is kept: on short videos
that is faster than seeking, and it finds out whether the whole file is sound. One that is not is
refused as a whole, so that no figure rests on the half that could be read.
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

from baselines.video.containers import MOST_PIXELS, TOO_MUCH, UnsoundError, base, end_of, opened
from baselines.video.containers import BadVideoError as BadVideoError

MOST_BYTES = 2**30  # of all frames taken of one video
MOST_FRAMES = 100_000
LONGEST = 24 * 3600  # seconds
# The exact rounding: the fast paths differ from one kind of processor to another.
SCALING = (
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.BITEXACT
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
)


class Sampler(Struct, frozen=True):
    """Which frames are taken of a video, by time stamp, and their size.

    rate: frames a second, at the times (i + 0.5) / rate before the video's end. size: pixels a
    side. most: at most so many frames: where the rate gives more, they are spread evenly over the
    whole video, at (i + 0.5) * duration / most. crop: scale the shorter side to `size` and cut the
    middle out; else the picture is stretched to a square. A video too short for one frame at
    `rate` gives the one in its middle. Raises ValueError if a number is not above 0.
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
    """Frames of one video: the times asked for, in ms from its first frame, and RGB pixels."""

    times: NDArray[np.int32]  # (n,)
    pixels: NDArray[np.uint8]  # (n, size, size, 3)


class Targets(NamedTuple):
    """The times at which frames are taken: (2i + 1) * step / 2 seconds for i < total."""

    step: Fraction
    total: int

    def milliseconds(self) -> NDArray[np.int32]:
        """The times in ms, rounded.  # (total,)"""
        top, bottom = (self.step * 500).as_integer_ratio()
        return np.array([round(odd * top / bottom) for odd in self._odd()], np.int32)

    def ticks(self, base: Fraction) -> list[int]:
        """The times in whole ticks of `base` seconds: a frame is shown by then iff at or before."""
        top, bottom = (self.step / base / 2).as_integer_ratio()
        return [odd * top // bottom for odd in self._odd()]

    def _odd(self) -> range:
        return range(1, 2 * self.total, 2)


def sample(path: Path, sampler: Sampler) -> Frames:
    """The frames that `sampler` takes: at each time the last frame stamped at or before it.

    Times count from the first frame. Rotation that the file asks for is applied (to the nearest
    quarter turn); alpha is dropped. Pixels depend on the file, the sampler and the libraries'
    versions alone. Raises BadVideoError if the file is unreadable, truncated, without a frame, or
    beyond one of the limits above.
    """
    with opened(path) as (container, stream):
        end = end_of(container, stream)
    with opened(path) as (container, stream):
        return _taken(container, stream, end, sampler)


def library() -> str:
    """What decodes and scales, with versions: pixels may differ between two of them."""
    named = ("libavformat", "libavcodec", "libswscale")
    versions = (f"{name} {'.'.join(map(str, av.library_versions[name]))}" for name in named)
    return ", ".join([f"PyAV {av.__version__}", *versions])


def targets(duration: Fraction, sampler: Sampler) -> Targets:
    """The times that `sampler` takes of a video of `duration` seconds: at least one."""
    step = 1 / Fraction(sampler.rate).limit_denominator(1_000_000)
    count = math.ceil(duration / step - Fraction(1, 2))
    if count < 1:
        return Targets(duration, 1)
    if sampler.most is not None and count > sampler.most:
        return Targets(duration / sampler.most, sampler.most)
    return Targets(step, count)


def _taken(container: InputContainer, stream: VideoStream, end: int, sampler: Sampler) -> Frames:
    """Decode all frames and keep those shown at the targets."""
    stamped = _stamped(container, stream)
    first, shown = next(stamped, (0, None))
    if shown is None:
        raise UnsoundError("has no frame")
    wanted = _affordable(max(end - first, 1) * base(stream), sampler)
    ticks, scaler, done = wanted.ticks(base(stream)), VideoReformatter(), 0
    pixels = np.empty((wanted.total, sampler.size, sampler.size, 3), np.uint8)
    for stamp, frame in stamped:
        until = bisect_left(ticks, stamp - first, done)
        if until > done:
            pixels[done:until] = _square(shown, sampler, scaler)
        done, shown = until, frame
    if done < wanted.total:
        pixels[done:] = _square(shown, sampler, scaler)
    return Frames(wanted.milliseconds(), pixels)


def _stamped(container: InputContainer, stream: VideoStream) -> Iterator[tuple[int, av.VideoFrame]]:
    """All frames with their stamps, which never go back."""
    latest: int | None = None
    for frame in container.decode(stream):
        if frame.pts is None:
            raise UnsoundError("has a frame without a time stamp")
        # A stamp that goes back is passed over, as players do.
        if latest is None or frame.pts >= latest:
            latest = frame.pts
            yield latest, frame


def _affordable(duration: Fraction, sampler: Sampler) -> Targets:
    if duration > LONGEST:
        raise UnsoundError(f"declares {float(duration):.0f} s: {TOO_MUCH}")
    wanted = targets(duration, sampler)
    if wanted.total > MOST_FRAMES or wanted.total * 3 * sampler.size**2 > MOST_BYTES:
        raise UnsoundError(
            f"would give {wanted.total} frames of {sampler.size} pixels a side: {TOO_MUCH}"
        )
    return wanted


def _square(frame: av.VideoFrame, sampler: Sampler, scaler: VideoReformatter) -> NDArray[np.uint8]:
    """One frame, scaled, cut and turned upright.  # (size, size, 3)"""
    size = sampler.size
    width = height = size
    if sampler.crop:
        short = min(frame.width, frame.height)
        width, height = (
            max(size, round(side * size / short)) for side in (frame.width, frame.height)
        )
    if width * height > MOST_PIXELS:
        raise UnsoundError(f"is {frame.width}x{frame.height} pixels: too narrow to cut a square")
    scaled = scaler.reformat(frame, width, height, "rgb24", interpolation=SCALING, threads=1)
    x, y = (width - size) // 2, (height - size) // 2
    cut = scaled.to_ndarray().astype(np.uint8, copy=False)[y : y + size, x : x + size]
    quarters = round(frame.rotation / 90)
    return np.rot90(cut, quarters) if quarters else cut
