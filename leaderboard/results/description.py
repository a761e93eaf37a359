"""The benchmark split and the metrics of a board, as plain records."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from harness.benchmark import Benchmark
from harness.errors import EnvironmentFailure, did_you_mean
from harness.metrics import METRICS


class Bench(NamedTuple):
    """The benchmark split that the board is about, as its own files describe it.

    `floors`: a folder <name>/<history>/ of the floors' submissions and scores, which may be absent.
    `url`: the benchmark's address as its makers give it, "" where they give none.
    """

    name: str
    version: str
    labels: Literal["public", "hidden"]
    fingerprint: str
    gold_sha256: str
    split: str
    type_names: dict[str, str]
    counts: dict[str, int]
    floors: Path
    url: str = ""


class MetricInfo(NamedTuple):
    """What a reader must know of a metric; `low` and `high` bound its values.

    `scope` says what its rows are: turns, dialogues, segments or turns of segments;
    `answers_count` whether how many of them count depends on the answers.
    """

    name: str
    formula: str
    unit: str
    low: float
    high: float
    better: Literal["higher", "lower"]
    abstention: float
    over: str
    source: str
    scope: str = "turn"
    answers_count: bool = False


def describe_metrics() -> dict[str, MetricInfo]:
    """The METRICS table by name."""
    fields = MetricInfo._fields
    return {
        name: MetricInfo(*(getattr(metric, field) for field in fields))
        for name, metric in METRICS.items()
    }


def describe_benchmark(benchmark: Benchmark, split: str) -> Bench:
    """A split of a benchmark. Raises EnvironmentFailure if it has no such split with gold."""
    header = benchmark.header
    if split not in header.splits or split not in header.gold_sha256:
        raise EnvironmentFailure(
            f"{benchmark.folder}: expected a split {split!r} with gold, found none; "
            f"{did_you_mean(split, header.splits)}name one of: " + ", ".join(header.splits)
        )
    return Bench(
        name=header.name,
        version=header.version,
        labels=benchmark.labels(split),
        fingerprint=header.fingerprint,
        gold_sha256=header.gold_sha256[split],
        split=split,
        type_names=header.type_names,
        counts=header.splits[split],
        floors=benchmark.folder / "floors",
        url=header.about.url if header.about else "",
    )
