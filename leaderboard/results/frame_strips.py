"""Frame strips: some frames of a video side by side, as one small picture."""

from __future__ import annotations

import io

import av
import numpy as np
from av.container import InputContainer

from harness.benchmark import Benchmark, VideoFolder
from harness.records import VIDEO_CONTAINERS

FRAMES, HEIGHT, GAP = 6, 54, 2  # of a strip; pixels
WIDEST = 120  # pixels of one frame
LARGEST = 4096  # pixels of a video's side
MOST_DECODED = 400  # frames decoded for one of a strip


def frame_strip(benchmark: Benchmark, video_id: str) -> bytes | None:
    """Frames of a video side by side as a JPEG; None where there are no pixels to decode."""
    video = benchmark.videos.get(video_id)
    if video is None:
        return None
    path = VideoFolder(benchmark.folder).find(video)
    if isinstance(path, str):
        return None
    try:
        with av.open(str(path), options={"format_whitelist": VIDEO_CONTAINERS}) as container:
            return _jpeg(container)
    # A video that cannot be decoded has no strip: one broken file stops no build.
    except (av.FFmpegError, ValueError, IndexError):
        return None


def _jpeg(container: InputContainer) -> bytes | None:
    stream = container.streams.video[0]
    width, height = stream.width, stream.height
    if not 0 < width <= LARGEST or not 0 < height <= LARGEST or not stream.duration:
        return None
    small = min(max(2 * round(HEIGHT * width / height / 2), 2), WIDEST)
    pictures = []
    for part in range(FRAMES):
        at = int(stream.duration * (part + 0.5) / FRAMES) + (stream.start_time or 0)
        container.seek(at, stream=stream)
        for number, picture in enumerate(container.decode(stream)):
            if number == MOST_DECODED or picture.pts is None or picture.pts >= at:
                break
        pictures.append(picture.to_ndarray(width=small, height=HEIGHT, format="rgb24"))
    between = np.full((HEIGHT, GAP, 3), 255, dtype=np.uint8)
    parts = [part for picture in pictures for part in (between, picture)][1:]
    return _encoded(np.concatenate(parts, axis=1).astype(np.uint8, copy=False))


def _encoded(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    joined = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    out = io.BytesIO()
    with av.open(out, "w", format="image2pipe") as target:
        encoder = target.add_stream("mjpeg", options={"q": "5"})
        encoder.width, encoder.height, encoder.pix_fmt = joined.width, joined.height, "yuvj420p"
        for packet in (*encoder.encode(joined), *encoder.encode()):
            target.mux(packet)
    return out.getvalue()
