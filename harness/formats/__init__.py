"""Converters: from what other tools write to predictions, with a report of what was dropped.

The module of a format has `convert(file, benchmark, split)`, which gives a prediction for every
turn of the split, in its order, and a report whose `lines()` are text. It raises EnvironmentFailure
if the file cannot be read and SubmissionError if it is not in the format.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from harness.benchmark import Benchmark
from harness.records import Card, Prediction
from harness.submission import STARTER


class Report(Protocol):
    """What a converter says of its work."""

    def lines(self) -> list[str]:
        """The report as text."""


class Converted(Protocol):
    """Predictions for every turn of the split, in its order, and the report."""

    @property
    def predictions(self) -> tuple[Prediction, ...]:
        """The predictions."""

    @property
    def report(self) -> Report:
        """What was dropped, and why."""


class Format(NamedTuple):
    """A format: its module, and the card that its submissions start from."""

    module: str
    card: Card


FORMATS = {
    "trec": Format("harness.formats.trec", STARTER),
    "csv": Format("harness.formats.csv", STARTER),
    # The official setting hands over gold history and the ten candidates.
    "official": Format(
        "harness.formats.official_results", replace(STARTER, history="reference", candidates="used")
    ),
}


def convert(name: str, file: Path, benchmark: Benchmark, split: str = "test") -> Converted:
    """Read `file` in the format `name` (a key of FORMATS) as answers to a split."""
    module = importlib.import_module(FORMATS[name].module)
    converted: Converted = module.convert(file, benchmark, split)
    return converted
