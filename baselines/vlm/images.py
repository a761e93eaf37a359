"""The pictures of a video in a prompt: one strip of time-stamped frames, or single frames.

Pictures are JPEG; the time is drawn into each frame. The same frames and the same version of Pillow
give the same bytes. The cache holds them like features (baselines/video/features.py), in rows.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from baselines.base import View
from baselines.ranking import Corpus
from baselines.video.features import Encoder, Features, extract_features
from baselines.video.sampling import Frames, Sampler
from baselines.vlm.prompts import seconds

QUALITY = 85
RATE = 4.0  # frames a second at most
MARGIN = 2  # pixels around a time
Bytes = NDArray[np.uint8]


class Strip(NamedTuple):
    """Frames side by side in one picture, and their times in ms."""

    jpeg: bytes
    times: tuple[int, ...]


class Still(NamedTuple):
    """One frame and its time in ms."""

    jpeg: bytes
    time: int


class StripEncoder:
    """Makes one picture of all frames of a video; its bytes fill one row for each frame."""

    key = f"strip, JPEG {QUALITY}, Pillow {PIL.__version__}"

    def encode(self, frames: Frames) -> Bytes:
        """The strip, padded with zeros: (frames, bytes of the strip / frames)."""
        stamped = [_stamped(*frame) for frame in zip(frames.pixels, frames.times, strict=True)]
        whole = np.frombuffer(_jpeg(np.concatenate(stamped, axis=1)), np.uint8)
        rows = np.zeros((len(stamped), -(-len(whole) // len(stamped))), np.uint8)
        rows.reshape(-1)[: len(whole)] = whole
        return rows


class StillEncoder:
    """Makes a picture of each frame."""

    key = f"stills, JPEG {QUALITY}, Pillow {PIL.__version__}"

    def encode(self, frames: Frames) -> Bytes:
        """One picture a row, padded with zeros: (frames, bytes of the largest)."""
        jpegs = [_jpeg(_stamped(*frame)) for frame in zip(frames.pixels, frames.times, strict=True)]
        rows = np.zeros((len(jpegs), max(map(len, jpegs))), np.uint8)
        for row, jpeg in zip(rows, jpegs, strict=True):
            row[: len(jpeg)] = np.frombuffer(jpeg, np.uint8)
        return rows


class VideoImages:
    """The strips and stills of a corpus, by video id; an unreadable video has none.

    frames: of a strip; moment_frames: stills of a video (0: none are made); side: of a frame, in
    pixels.
    """

    def __init__(self, view: View, frames: int, moment_frames: int, side: int) -> None:
        """Make the pictures, or read them from the cache.

        Raises MissingInputError if no video can be read.
        """
        self._strips = _extracted(view, Sampler(RATE, side, frames), StripEncoder())
        self._stills = None
        if moment_frames:
            self._stills = _extracted(view, Sampler(RATE, side, moment_frames), StillEncoder())
        Corpus(view).readable(self._strips)

    def strip(self, video_id: str) -> Strip | None:
        """The strip of a video; None if it cannot be read."""
        if video_id not in self._strips:
            return None
        times = tuple(map(int, self._strips.times[video_id]))
        return Strip(unpadded(self._strips[video_id].reshape(-1)), times)

    def stills(self, video_id: str) -> tuple[Still, ...]:
        """The frames of a video in order; none if it cannot be read."""
        if self._stills is None or video_id not in self._stills:
            return ()
        rows, times = self._stills[video_id], self._stills.times[video_id]
        return tuple(Still(unpadded(row), int(time)) for row, time in zip(rows, times, strict=True))

    def details(self) -> dict[str, Any]:
        """How they were decoded and encoded, and which videos have none."""
        details = {"strips": self._strips.decoder, "skipped": self._strips.skipped}
        if self._stills is not None:
            details["stills"] = self._stills.decoder
        return details | {"encoder": StripEncoder.key}


def _extracted(view: View, sampler: Sampler, encoder: Encoder) -> Features:
    videos = [view.videos[video_id] for video_id in view.corpus]
    note: Callable[[str], None] = view.note
    return extract_features(videos, view.folder, sampler, encoder, cache=view.cache, note=note)


def unpadded(row: Bytes) -> bytes:
    """A picture without its padding, from a row (bytes,): a JPEG never ends with zeros."""
    return row.tobytes().rstrip(b"\0")


def _stamped(pixels: Bytes, time: np.int32) -> Bytes:
    """A frame with its time in the upper left corner, white on black."""
    picture = Image.fromarray(pixels)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default_imagefont()
    text = seconds(int(time))
    _, _, right, bottom = draw.textbbox((MARGIN, MARGIN), text, font=font)
    draw.rectangle((0, 0, right + MARGIN, bottom + MARGIN), fill=(0, 0, 0))
    draw.text((MARGIN, MARGIN), text, fill=(255, 255, 255), font=font)
    return np.asarray(picture)


def _jpeg(pixels: Bytes) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=QUALITY, subsampling=0, optimize=False)
    return file.getvalue()
