"""Which codecs PyAV decodes here, tried on clips that it makes itself.

Run as a program it prints what it found, so that a decoder that ends its process ends that one.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from typing import Any

import numpy as np

from harness.doctor.results import EnvironmentCheck, State, probe

GROUP = "video"
NEEDED = "h264"  # IVCR-Mini's own
# Codecs and the encoders that may make a clip of them.
ENCODERS = {
    "h264": ("libx264", "libopenh264"),
    "hevc": ("libx265",),
    "vp9": ("libvpx-vp9",),
    "av1": ("libsvtav1", "libaom-av1", "librav1e"),
    "mpeg4": ("mpeg4",),
}
FRAMES, SIZE = 4, 64
_CLOSE = 24  # levels of 255 that a lossy codec may move a frame's mean


def codecs() -> list[EnvironmentCheck]:
    """PyAV's version and a line for each codec; decoding is tried where an encoder exists."""
    found = probe("-m", "harness.doctor.codecs")
    step = "reinstall PyAV: pip install --force-reinstall av"
    results = [EnvironmentCheck(GROUP, "PyAV", "ok", found["version"], needed=True)]
    for codec, what in found["codecs"].items():
        needed = codec == NEEDED
        if what == "no decoder":
            state: State = "broken" if needed else "absent"
            results.append(EnvironmentCheck(GROUP, codec, state, what, step, needed=needed))
        elif what.startswith("failed"):
            results.append(EnvironmentCheck(GROUP, codec, "broken", what, step, needed=needed))
        else:
            results.append(EnvironmentCheck(GROUP, codec, "ok", what, needed=needed))
    return results


def ffprobe() -> list[EnvironmentCheck]:
    """The program ffprobe, which tests compare with and no command needs."""
    path = shutil.which("ffprobe")
    if path is None:
        step = "install ffmpeg to run the tests that compare with it"
        return [
            EnvironmentCheck(GROUP, "ffprobe", "absent", "not there; no command needs it", step)
        ]
    done = subprocess.run(  # noqa: S603 - found on the user's own path
        [path, "-version"], capture_output=True, text=True, timeout=10, check=False
    )
    first = done.stdout.splitlines()[0] if done.stdout else "says no version"
    return [EnvironmentCheck(GROUP, "ffprobe", "ok", first.partition(" Copyright")[0][:80])]


def tried(codec: str) -> str:
    """What became of a codec: `no decoder`, `failed: ...`, `decodes`, or that none was tried."""
    import av

    try:
        av.codec.Codec(codec, "r")
    except ValueError:
        return "no decoder"
    for encoder in ENCODERS[codec]:
        try:
            av.codec.Codec(encoder, "w")
        except ValueError:
            continue
        try:
            return _round_trip(encoder)
        except (av.error.FFmpegError, ValueError, OSError) as error:
            return f"failed: {error}"[:200]
    return "has a decoder; no encoder here to try it with"


def _round_trip(encoder: str) -> str:
    """Write grey frames, read them, compare."""
    import av

    levels = np.linspace(60, 180, FRAMES).astype(np.uint8)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska") as container:
        stream: Any = container.add_stream(encoder, rate=8)
        stream.width = stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for level in levels:
            pixels = np.full((SIZE, SIZE, 3), level, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer, "r") as container:
        frames = container.decode(video=0)
        means = [frame.to_ndarray(format="rgb24").mean() for frame in frames]
    if len(means) != FRAMES:
        return f"failed: wrote {FRAMES} frames, read {len(means)}"
    worst = float(np.abs(np.array(means) - levels).max())
    if worst > _CLOSE:
        return f"failed: a frame's brightness is off by {worst:.0f} of 255"
    return f"decodes (tried on {FRAMES} frames of {encoder})"


def _main() -> None:
    import av

    av.logging.set_level(av.logging.PANIC)
    version = f"{av.__version__}, FFmpeg libavcodec {'.'.join(map(str, _library(av)))}"
    print(json.dumps({"version": version, "codecs": {name: tried(name) for name in ENCODERS}}))


def _library(av: Any) -> tuple[int, ...]:
    return tuple(av.library_versions.get("libavcodec", ()))


if __name__ == "__main__":
    _main()
