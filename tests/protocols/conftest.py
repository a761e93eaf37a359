"""Benchmarks made of official samples."""

import json
from pathlib import Path

import pytest

from harness.benchmark import Benchmark
from harness.sources.importing import ImportSettings, import_files


@pytest.fixture
def benchmark_of(tmp_path):
    """A function that imports official samples into a benchmark."""

    def made(samples, name="tiny", labels="public", durations=None):
        return make(tmp_path, samples, name=name, labels=labels, durations=durations)

    return made


def make(folder: Path, samples, *, name="tiny", labels="public", durations=None):
    """Import `samples` into `folder`/`name`; `durations`: seconds by video id."""
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}.json"
    file.write_text(json.dumps(samples), "utf-8")
    meta = None
    if durations is not None:
        meta = folder / f"{name}.videos.json"
        rows = [{"video_id": video, "duration": length} for video, length in durations.items()]
        meta.write_text(json.dumps(rows), "utf-8")
    made = import_files([file], folder / name, ImportSettings(name, labels=labels), videos=meta)
    return Benchmark(made.folder)


@pytest.fixture
def result_of(tmp_path):
    """A function that writes an official result file."""

    def written(entries, name="result.json"):
        path = tmp_path / name
        path.write_text(json.dumps([dict(entry) for entry in entries]), "utf-8")
        return path

    return written
