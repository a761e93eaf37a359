"""The formats that can be converted, by name.

The module of a format has `convert(file, benchmark, split)`, which gives a Conversion. It raises
EnvironmentFailure if the file cannot be read and SubmissionError if it is not in the format.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from harness.benchmark import Benchmark
from harness.errors import WrongUsageError
from harness.formats.conversion import Conversion, ConversionReport
from harness.records import Card
from harness.submission import STARTER


class Format(NamedTuple):
    """A format: its module, and the card that its submissions start from."""

    module: str
    card: Card


FORMATS = {
    "trec": Format("harness.formats.trec", STARTER),
    "csv": Format("harness.formats.csv", STARTER),
    # The official setting gives gold history and the ten candidates.
    "official": Format(
        "harness.formats.official", replace(STARTER, history="reference", candidates="used")
    ),
}


def format_named(name: str) -> Format:
    """The format of that name. Raises WrongUsageError if there is none."""
    if name not in FORMATS:
        raise WrongUsageError(f"{name}: no such format; expected one of: {', '.join(FORMATS)}")
    return FORMATS[name]


def convert(
    name: str, file: Path, benchmark: Benchmark, split: str = "test"
) -> Conversion[ConversionReport]:
    """Read `file` in the format `name` as answers to a split."""
    module = importlib.import_module(format_named(name).module)
    conversion: Conversion[ConversionReport] = module.convert(file, benchmark, split)
    return conversion
