"""Opens a video file that cannot be trusted, within limits, and checks that it is complete."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import IO

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from harness.errors import IvcrError
from harness.records import VIDEO_CONTAINERS

MAX_PIXELS = 4096 * 4096  # of one frame: no decoder allocates a larger one
HEADER_TOLERANCE = 1.0  # seconds by which a header may overstate the duration
BEYOND_LIMIT = "more than is read of one video"


class BadVideoError(IvcrError):
    """A video that cannot be read completely (exit code 3); `reason` omits its path."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.reason = reason


class VideoDefectError(Exception):
    """The defect of a file that `open_video` has opened; it becomes a BadVideoError."""


@contextmanager
def open_video(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Open the file and its best video stream.

    Raises BadVideoError if the file cannot be opened, or if anything fails inside the block.
    """
    options = {"format_whitelist": VIDEO_CONTAINERS, "max_pixels": str(MAX_PIXELS)}
    try:
        with av.open(str(path), options=options, metadata_errors="replace") as container:
            stream = _best_stream(container)
            yield container, stream
    except VideoDefectError as error:
        raise BadVideoError(path, str(error)) from error
    except (av.ArgumentError, av.InvalidDataError) as error:
        raise BadVideoError(path, "is damaged, or no video of a kind that is read") from error
    except av.FFmpegError as error:
        raise BadVideoError(path, f"cannot be decoded: {error.strerror or error}") from error
    # What PyAV raises at odd numbers in a damaged file.
    except (ValueError, IndexError, ArithmeticError, AssertionError, MemoryError, OSError) as error:
        raise BadVideoError(path, f"cannot be decoded: {type(error).__name__} {error}") from error


def _best_stream(container: InputContainer) -> VideoStream:
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream) or stream.codec_context is None:
        raise VideoDefectError("has no video stream that can be decoded")
    if not 0 < stream.width * stream.height <= MAX_PIXELS:
        # A size that no decoder may allocate is read as no size.
        raise VideoDefectError(
            f"has frames of no known size, or of more than {MAX_PIXELS:,} pixels"
        )
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    stream.thread_count = 1  # the worker processes fill the cores
    return stream


def end_tick(container: InputContainer, stream: VideoStream) -> int:
    """The end of the last packet, in ticks of the stream, read without decoding.

    Raises VideoDefectError if the file is truncated or has no frame with a time stamp.
    """
    stamps, packets, last, length = 0, 0, 0, 0
    first = None
    for packet in container.demux(stream):
        if packet.is_corrupt:
            raise VideoDefectError("is truncated or damaged: its container holds a partial packet")
        packets += packet.size > 0
        time = packet.dts if packet.pts is None else packet.pts
        if time is None or packet.is_discard:
            continue
        if first is None or time >= last:
            last, length = time, packet.duration or 0
        first = time if first is None else min(first, time)
        stamps += 1
    if first is None:
        raise VideoDefectError("has no frame with a time stamp")
    if length <= 0:
        length = (last - first) // (stamps - 1) if stamps > 1 else _single_frame_ticks(stream)
    _check_complete(container, stream, packets, last + length)
    return last + max(length, 1)


def _check_complete(container: InputContainer, stream: VideoStream, packets: int, end: int) -> None:
    """Refuse a file that was cut between two packets; its reader does not report this.

    Its index lists more packets, or its header states a longer duration. Streaming formats
    (MPEG-TS, fragmented MP4) have neither, and are accepted as they are.
    """
    if packets < (listed := len(stream.index_entries)):
        raise VideoDefectError(f"is truncated: lists {listed} packets, holds {packets}")
    if container.format.name == "gif" and not _is_whole_gif(Path(container.name)):
        raise VideoDefectError("is truncated: it has no trailer, with which a GIF ends")
    declared, actual = _declared_duration(container, stream), float(end * tick_seconds(stream))
    if declared - actual > HEADER_TOLERANCE:
        raise VideoDefectError(f"is truncated: declares {declared:.1f} s, holds {actual:.1f} s")


def _is_whole_gif(path: Path) -> bool:
    """Whether the blocks of a GIF reach its trailer; its reader takes a part for the whole.

    Blocks as in the GIF89a specification (W3C, https://www.w3.org/Graphics/GIF/spec-gif89a.txt).
    """
    with path.open("rb") as stream:
        _skip_colours(stream, stream.read(13)[10:11])
        while (kind := stream.read(1)) in (b"!", b","):
            if kind == b"!":
                stream.read(1)  # which extension
            else:
                _skip_colours(stream, stream.read(9)[8:9])
                stream.read(1)  # the size of codes
            while size := stream.read(1)[:1].strip(b"\0"):
                stream.seek(size[0], os.SEEK_CUR)
        return kind == b";"


def _skip_colours(stream: IO[bytes], flags: bytes) -> None:
    """Pass over a table of colours, where `flags` says that one follows."""
    if flags and flags[0] & 0x80:
        stream.seek(3 << (flags[0] & 7) + 1, os.SEEK_CUR)


def _declared_duration(container: InputContainer, stream: VideoStream) -> float:
    """The video's duration by its header, in seconds; 0 where no header states it reliably."""
    if container.format.name == "avi":
        return float((stream.duration or 0) * tick_seconds(stream))
    # In Matroska the duration is that of all tracks: without sound, that of the video.
    if "matroska" in container.format.name and len(container.streams) == 1:
        return (container.duration or 0) / av.time_base
    return 0.0


def _single_frame_ticks(stream: VideoStream) -> int:
    """The duration of a single frame where the file does not state it: one frame at its rate."""
    return math.ceil(1 / ((stream.average_rate or 25) * tick_seconds(stream)))


def tick_seconds(stream: VideoStream) -> Fraction:
    """A tick of the stream in seconds. Raises VideoDefectError if the stream has no time base."""
    if not stream.time_base:
        raise VideoDefectError("has no time base")
    return stream.time_base
