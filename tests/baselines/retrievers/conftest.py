"""The toy benchmark with pictures: each video a pattern of its own."""

import msgspec
import numpy as np
import pytest

from baselines.base import LabelledSplit, TrainerConfig, View
from baselines.registry import find, load
from harness.benchmark import Benchmark
from tests.baselines import tiny
from tests.baselines.conftest import CAT, COOK, DOG, FOX
from tests.baselines.videos import plain

COLOURS = {CAT: (220, 30, 30), DOG: (30, 200, 40), FOX: (40, 60, 220), COOK: (230, 220, 40)}


def striped(colour, width):
    """A picture of stripes that move with the level."""

    def picture(level):
        frame = np.zeros((48, 64, 3), np.uint8)
        frame[:, (np.arange(64) + level) // width % 2 == 0] = colour
        return frame

    return picture


@pytest.fixture(scope="session")
def films(tmp_path_factory):
    """By video id a file of 24 frames, 8 a second."""
    folder, made = tmp_path_factory.mktemp("films"), {}
    for number, (video_id, colour) in enumerate(COLOURS.items()):
        picture = striped(colour, 4 + 4 * number)
        made[video_id] = plain(folder / f"{number}.mp4", range(24), picture=picture)
    return made


@pytest.fixture
def filmed(toy, films):
    """The toy benchmark, its videos with a path each."""
    lines = []
    for line in (toy.folder / "videos.jsonl").read_bytes().splitlines():
        video = msgspec.json.decode(line)
        place = toy.folder / f"videos/{films[video['video_id']].name}"
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(films[video["video_id"]].read_bytes())
        video["path"] = place.relative_to(toy.folder).as_posix()
        lines.append(msgspec.json.encode(video))
    (toy.folder / "videos.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    return Benchmark(toy.folder)


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    return tiny.clip(tmp_path_factory.mktemp("clip") / "clip")


@pytest.fixture
def trained(filmed, clip, tmp_path):
    """Train on the toy's train split; the checkpoint folder."""

    def run(*assignments, name="xpool", out="out", steps=4):
        baseline, _ = load(find(name), [f"clip={clip}", "rate=4", "most=6", *assignments])
        split = filmed.split("train")
        labels = LabelledSplit(split.turns, filmed.gold("train"), {})
        view = View(filmed.videos, split.corpus, filmed.folder, "own", 0, labels, labels)
        baseline.train(view, TrainerConfig(tmp_path / out, steps=steps))
        return tmp_path / out

    return run
