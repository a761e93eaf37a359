"""Opening a stranger's video file, within limits, and finding out whether it is whole."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from harness.errors import IvcrError

MOST_PIXELS = 4096 * 4096  # of one frame: no decoder makes room for a larger one
SPARE = 1.0  # seconds by which a header may overstate
TOO_MUCH = "more than is read of one video"
# Containers of moving pictures. Playlists and concatenation scripts are left out, because they name
# other files and addresses.
FORMATS = "mov,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf,gif,apng,rm,nut"


class BadVideoError(IvcrError):
    """A video that cannot be read whole (exit code 3); `reason` says why, without its path."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.reason = reason


class UnsoundError(Exception):
    """Why a file that `opened` has opened is refused; it becomes a BadVideoError."""


@contextmanager
def opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The file and its best video stream; whatever goes wrong meanwhile is a BadVideoError."""
    options = {"format_whitelist": FORMATS, "max_pixels": str(MOST_PIXELS)}
    try:
        with av.open(str(path), options=options, metadata_errors="replace") as container:
            stream = _best_stream(container)
            yield container, stream
    except UnsoundError as error:
        raise BadVideoError(path, str(error)) from error
    except (av.ArgumentError, av.InvalidDataError) as error:
        raise BadVideoError(path, "is damaged, or no video of a kind that is read") from error
    except av.FFmpegError as error:
        raise BadVideoError(path, f"cannot be decoded: {error.strerror or error}") from error
    # What PyAV makes of odd numbers in a stranger's file.
    except (ValueError, IndexError, ArithmeticError, AssertionError, MemoryError, OSError) as error:
        raise BadVideoError(path, f"cannot be decoded: {type(error).__name__} {error}") from error


def _best_stream(container: InputContainer) -> VideoStream:
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream) or stream.codec_context is None:
        raise UnsoundError("has no video stream that can be decoded")
    if not 0 < stream.width * stream.height <= MOST_PIXELS:
        # A size that no decoder may make room for is read as none.
        raise UnsoundError(f"has frames of no known size, or of more than {MOST_PIXELS:,} pixels")
    stream.codec_context.options = {"max_pixels": str(MOST_PIXELS)}
    stream.thread_count = 1  # the worker processes fill the cores
    return stream


def end_of(container: InputContainer, stream: VideoStream) -> int:
    """Where the last packet ends, in ticks of the stream, read without decoding."""
    stamps, packets, last, length = 0, 0, 0, 0
    first = None
    for packet in container.demux(stream):
        if packet.is_corrupt:
            raise UnsoundError("is truncated or damaged: its container holds a partial packet")
        packets += packet.size > 0
        time = packet.dts if packet.pts is None else packet.pts
        if time is None or packet.is_discard:
            continue
        if first is None or time >= last:
            last, length = time, packet.duration or 0
        first = time if first is None else min(first, time)
        stamps += 1
    if first is None:
        raise UnsoundError("has no frame with a time stamp")
    if length <= 0:
        length = (last - first) // (stamps - 1) if stamps > 1 else _still(stream)
    _check_complete(container, stream, packets, last + length)
    return last + max(length, 1)


def _check_complete(container: InputContainer, stream: VideoStream, packets: int, end: int) -> None:
    """Refuse a file that was cut between two packets, of which its reader says nothing.

    Its index lists more packets, or its header a longer time. Formats made for streaming (MPEG-TS,
    fragmented MP4) have neither, and are taken as they are.
    """
    if packets < (listed := len(stream.index_entries)):
        raise UnsoundError(f"is truncated: lists {listed} packets, holds {packets}")
    declared, found = _declared(container, stream), float(end * base(stream))
    if declared - found > SPARE:
        raise UnsoundError(f"is truncated: declares {declared:.1f} s, holds {found:.1f} s")


def _declared(container: InputContainer, stream: VideoStream) -> float:
    """How long the video is by its header, in seconds; 0 where no header says it for sure."""
    if container.format.name == "avi":
        return float((stream.duration or 0) * base(stream))
    # In Matroska the time is that of all tracks: without sound, that of the video.
    if "matroska" in container.format.name and len(container.streams) == 1:
        return (container.duration or 0) / av.time_base
    return 0.0


def _still(stream: VideoStream) -> int:
    """How long a single frame is shown where the file does not say: one frame at its rate."""
    return math.ceil(1 / ((stream.average_rate or 25) * base(stream)))


def base(stream: VideoStream) -> Fraction:
    """A tick of the stream in seconds."""
    if not stream.time_base:
        raise UnsoundError("has no time base")
    return stream.time_base
