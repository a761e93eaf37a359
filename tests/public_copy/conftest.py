"""A benchmark with hidden labels that is large enough for orders to show, and its public copy."""

import random
import shutil

import pytest

from baselines.running.run import run_floors
from harness.benchmark import Benchmark
from harness.public_copy import publish
from harness.scoring import score_to_files
from tests.baselines.conftest import ask, dialogue, imported, talk

COLOURS = ["red", "green", "blue", "black", "white", "yellow", "purple", "orange"]
THINGS = ["dog", "cat", "horse", "kettle", "bicycle", "umbrella", "violin", "candle"]
DEEDS = ["turns", "rolls", "falls", "rises", "sleeps", "jumps", "burns", "shines"]


def videos(seed=1, count=48):
    """META: ids of letters and digits, durations, and texts of their own."""
    draw = random.Random(seed)
    found = {}
    for number in range(count):
        name = f"Films/{draw.randrange(16**8):08x}.mp4"
        text = {"title": f"{draw.choice(COLOURS)} {draw.choice(THINGS)}, take {number}"}
        found[name] = (draw.randrange(200, 900) / 10, text)
    return found


def samples(seed=1, splits=(("train", 12), ("val", 16), ("test", 40))):
    """Dialogues in the official format: gold among ten candidates in a random place."""
    draw, known = random.Random(seed), videos(seed)
    return [
        _dialogue(draw, known, split, number) for split, count in splits for number in range(count)
    ]


def _dialogue(draw, known, split, number):
    if number % 8 == 7:
        return dialogue(talk("What do you have?", f"Films of things, number {number}, {split}."),
                        split=split, code=0)  # fmt: skip
    gold = draw.choice(list(known))
    turns = [_turn(draw, known, gold) for _ in range(2)]
    start = draw.randrange(100, 9000) / 1000
    span = (start, start + draw.randrange(1000, 9000) / 1000)
    told = f"You will find it at {span[0]}s-{span[1]}s."
    say = f"When is it that the {draw.choice(THINGS)} {draw.choice(DEEDS)}?"
    turns.append(ask(say, gold, _candidates(draw, known, gold), span, told))
    return dialogue(*turns, split=split, code=4)


def _turn(draw, known, gold):
    names = _candidates(draw, known, gold)
    say = f"I look for a {draw.choice(COLOURS)} {draw.choice(THINGS)} that {draw.choice(DEEDS)}."
    return ask(say, gold, names, answer=f"The query matches video {names.index(gold) + 1}.")


def _candidates(draw, known, gold):
    names = [gold, *draw.sample([name for name in known if name != gold], 9)]
    draw.shuffle(names)
    return names


def make_full(folder, given=None, name="full", meta=None, **settings):
    """A benchmark that hides val and test, unless `settings` say otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    hidden = {"labels": "hidden", "hide": ("test", "val")}
    return imported(folder, given or samples(), name, meta or videos(), **(hidden | settings))


def with_floors(benchmark):
    """The same with the floors' runs on test, and their scores."""

    run_floors(
        benchmark, lambda folder: score_to_files(folder, benchmark, "test"), note=lambda line: None
    )
    return benchmark


@pytest.fixture(scope="session")
def public_labels(tmp_path_factory):
    """A benchmark with public labels and floors, those with reference history too."""
    return with_floors(make_full(tmp_path_factory.mktemp("open"), labels="public"))


@pytest.fixture(scope="session")
def full(tmp_path_factory):
    """A benchmark that hides val and test, with floors."""
    return with_floors(make_full(tmp_path_factory.mktemp("full")))


@pytest.fixture(scope="session")
def published(full, tmp_path_factory):
    """Its public copy; not to be changed."""
    return publish(full, tmp_path_factory.mktemp("public") / "copy").folder


@pytest.fixture
def copy(published, tmp_path):
    """A public copy to plant in."""
    return shutil.copytree(published, tmp_path / "copy")


@pytest.fixture
def own_full(full, tmp_path):
    """A copy of the full benchmark to change."""
    return Benchmark(shutil.copytree(full.folder, tmp_path / "own"))
