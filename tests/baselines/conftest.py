"""A small benchmark in the official format, imported as any other, with tiny videos."""

import fcntl
import io
import json
import os
from functools import cache, partial
from itertools import chain

import av
import numpy as np
import pytest

from baselines.running.runner import RunContext, start
from harness.benchmark import Benchmark
from harness.sources.importing import ImportSettings, import_files
from tests.baselines.ready import OF_ONE_PROCESS, READY, configured

VIDEOS = {
    "A/cat.mp4": (10.0, {"title": "a cat sleeps on a sofa", "title_zh": "一只猫在沙发上睡觉"}),
    "A/dog.mp4": (20.0, {"title": "a dog runs on a beach", "title_zh": "一只狗在沙滩上奔跑"}),
    "A/fox.mp4": (None, {"title": "a fox digs in the snow"}),
    "B/cook.mp4": (40.0, {"title": "a man cooks rice in a kitchen"}),
}
CAT, DOG, FOX, COOK = VIDEOS


def ask(utterance, gold, candidates=(CAT, DOG, FOX, COOK), span=None, answer=None):
    """A turn: a human entry and its answer."""
    told = answer or ("It is video 1." if span is None else f"It is at {span[0]}s-{span[1]}s.")
    return [
        {"from": "human", "value": utterance},
        {"from": "gpt", "value": told, "video_id": gold, "candidate_videos": list(candidates),
         "gt_se": list(span or (-1, -1))},
    ]  # fmt: skip


def talk(utterance, answer):
    """A chat turn."""
    return [{"from": "human", "value": utterance}, {"from": "gpt", "value": answer}]


def dialogue(*turns, split="test", code=1):
    return {"split": split, "type": [code], "conversations": [*chain(*turns)]}


SAMPLES = [
    dialogue(
        ask("a sleeping cat", CAT, (DOG, CAT)),
        ask("when does it wake up?", CAT, (CAT, DOG), span=(2.5, 7.5)),
        ask("now a dog on a beach", DOG, (CAT, DOG)),
        ask("which runs", DOG, (COOK, DOG, CAT)),
    ),
    dialogue(talk("hello", "good day to you"), talk("bye", "so long"), code=0),
    dialogue(
        ask("找一只在沙滩上奔跑的狗", DOG),
        ask("雪里的狐狸", FOX),
        ask("什么时候?", FOX, span=(1, 2)),
    ),
    dialogue(ask("train cat", CAT), ask("when?", CAT, span=(1, 6)), split="train"),
    dialogue(ask("train dog", DOG), ask("when?", DOG, span=(2, 11)), split="train"),
    dialogue(ask("train cook", COOK), ask("when?", COOK, span=(30, 40)), split="train"),
]


def imported(folder, samples=SAMPLES, name="toy", videos=VIDEOS, *, filmed=False, **settings):
    """Samples in the official format, as the benchmark `folder`/`name`; `filmed`: with videos."""
    file, meta = folder / f"{name}.json", folder / f"{name}.meta.json"
    rows = [
        {"video_id": video_id, "duration": duration, "text": text}
        | ({"path": f"videos/{video_id}"} if filmed else {})
        for video_id, (duration, text) in videos.items()
    ]
    file.write_text(json.dumps(samples), "utf-8")
    meta.write_text(json.dumps(rows), "utf-8")
    import_files([file], folder / name, ImportSettings(name, **settings), videos=meta)
    for video_id, data in (films() if filmed else {}).items():
        place = folder / name / "videos" / video_id
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    return Benchmark(folder / name)


@cache
def films():
    """By video id the bytes of a file as long as VIDEOS says, the fox's 12 s; 64 x 64, 8 fps.

    A square of the video's own colour goes round on a background of its own, at its own pace.
    """
    return {
        video_id: _film(number, round(8 * (duration or 12)))
        for number, (video_id, (duration, _)) in enumerate(VIDEOS.items())
    }


def _film(number, frames):
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=8)
        stream.width = stream.height = 64
        stream.options = {"preset": "veryfast", "crf": "26", "threads": "1"}
        for at in range(frames):
            picture = np.full((64, 64, 3), 60 * number, np.uint8)
            left = (at * (number + 1)) % 48
            picture[left : left + 16, 8 * number : 8 * number + 16, number % 3] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()


class Ready:
    """What tests/baselines/ready.py makes for a baseline, once for all tests of all workers."""

    def __init__(self, folders):
        base = folders.getbasetemp()
        # Those of several workers of xdist lie side by side.
        self._root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "ready"
        self._root.mkdir(exist_ok=True)
        self._own, self._made = folders, {}

    def __call__(self, name):
        """What READY gives for it; nothing for a baseline that it does not know."""
        if name not in self._made:
            self._made[name] = self._make(name) if name in OF_ONE_PROCESS else self._shared(name)
        return self._made[name]

    def _shared(self, name):
        """What a worker made, or this one now; others wait for it."""
        told = self._root / f"{name}.json"
        with (self._root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not told.exists():
                told.write_text(json.dumps(self._make(name)), "utf-8")
        return json.loads(told.read_text("utf-8"))

    def _make(self, name):
        folder = self._own.mktemp(name)
        get = READY.get(name, lambda folder, benchmark: [])
        return get(folder / "made", imported(folder, filmed=True))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    """No test keeps features in the user's folder."""
    monkeypatch.setenv("IVCR_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def ready(tmp_path_factory):
    """By name the settings with which a baseline runs on the toy benchmark."""
    return Ready(tmp_path_factory)


@pytest.fixture
def make(tmp_path):
    """Import samples into a benchmark folder."""
    return partial(imported, tmp_path, filmed=True)


@pytest.fixture
def toy(make):
    return make()


@pytest.fixture
def said(tmp_path):
    """Run a baseline and give its predictions, dialogue by dialogue."""
    context = RunContext(tmp_path / "cache")

    def run(name, benchmark, history="own", *given, seed=0):
        config = configured(name, history, given, seed=seed)
        dialogues = {}
        for prediction in start(config, benchmark, context).predictions():
            dialogues.setdefault(prediction.dialogue_id, []).append(prediction)
        return list(dialogues.values())

    return run


@pytest.fixture(scope="session")
def charades(shared, tmp_path_factory):
    """The real text, test and train split."""
    data, out = shared / "data", tmp_path_factory.mktemp("charades") / "benchmark"
    files = [data / f"charades-ivcr.{split}.json.gz" for split in ("train", "test")]
    meta = data / "charades-ivcr.videos.json.gz"
    import_files(files, out, ImportSettings("charades"), videos=meta)
    return Benchmark(out)
