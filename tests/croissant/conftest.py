"""Benchmarks to describe: public labels and films; hidden labels, and their public copy."""

import json

import pytest

from harness.benchmark import Benchmark
from harness.files import readable
from harness.public_copy import publish
from tests.baselines.conftest import imported
from tests.public_copy.conftest import make_full

EVENTS = [
    {"background": "black", "video_id": "a.mp4",
     "events": [{"start": 1.5, "end": 2.0, "colour": "red"}, {"start": 3.0, "end": 4.25}]},
    {"background": "white", "video_id": "b.mp4", "events": [{"start": 0, "end": 1}]},
]  # fmt: skip
ABOUT = {
    "licence": "https://spdx.org/licenses/CC-BY-4.0.html",
    "citation": "@misc{films, title = {Films}}",
    "url": "https://example.org/films",
    "creators": ["The makers"],
    "published": "2026-02-03",
}


@pytest.fixture(scope="session")
def described(tmp_path_factory):
    """A benchmark with public labels, films and annotated events, of which its makers say all."""
    folder = tmp_path_factory.mktemp("films")
    imported(folder, name="toy", filmed=True)
    header = folder / "toy/benchmark.json"
    header.write_bytes(readable(json.loads(header.read_bytes()) | {"about": ABOUT}))
    (folder / "toy/train").mkdir(exist_ok=True)
    (folder / "toy/train/events.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in EVENTS)
    )
    return Benchmark(folder / "toy")


@pytest.fixture(scope="session")
def hidden(tmp_path_factory):
    """A benchmark that hides val and test; not to be changed."""
    return make_full(tmp_path_factory.mktemp("hidden"))


@pytest.fixture(scope="session")
def public(hidden, tmp_path_factory):
    """Its public copy; not to be changed."""
    return Benchmark(publish(hidden, tmp_path_factory.mktemp("public") / "copy").folder)
