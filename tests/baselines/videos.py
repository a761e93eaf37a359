"""Videos made for tests: plain colours at known times."""

from fractions import Fraction

import av
import numpy as np

TICKS = 1000  # a second, of `stamps`
LEVELS = range(0, 240, 20)


def plain(path, levels=LEVELS, stamps=None, *, rate=8, size=(64, 48), codec="libx264", **how):
    """A video of grey pictures, one for each of `levels` (0 to 255), at `stamps` (ms) if given.

    how: format, options, pix_fmt, rotation (degrees, counter-clockwise), picture (level -> RGB),
    x264 (parameters of the encoder).
    """
    picture = how.get("picture", lambda level: np.full((size[1], size[0], 3), level, np.uint8))
    options = how.get("options", {})
    with av.open(str(path), "w", format=how.get("format"), options=options) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = how.get("pix_fmt", "yuv420p")
        if codec == "libx264":
            stream.options = {"preset": "veryfast", "crf": "10", "threads": "1"}
            stream.options |= {"x264-params": how["x264"]} if "x264" in how else {}
        if stamps is not None:
            stream.time_base = stream.codec_context.time_base = Fraction(1, TICKS)
        if "rotation" in how:
            stream.set_display_rotation(how["rotation"])
        for number, level in enumerate(levels):
            frame = av.VideoFrame.from_ndarray(picture(level), format="rgb24")
            if stamps is not None:
                frame.pts, frame.time_base = stamps[number], Fraction(1, TICKS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def levels_of(frames):
    """The grey level of each frame, to the nearest ten."""
    return [10 * round(float(level) / 10) for level in frames.pixels.mean(axis=(1, 2, 3))]


def every_frame(path):
    """Times in seconds from the first, and RGB pixels, of all frames, by PyAV alone."""
    with av.open(str(path)) as container:
        found = [
            (float(frame.pts * frame.time_base), frame.to_ndarray(format="rgb24"))
            for frame in container.decode(video=0)
        ]
    times, pixels = zip(*found, strict=True)
    return np.array(times) - times[0], np.stack(pixels)
