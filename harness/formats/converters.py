"""The formats that can be converted: each is a file of this package that declares FORMAT.

    FORMAT = Format(convert)

`convert(file, benchmark, split)` gives a Conversion. It raises EnvironmentFailure if the file
cannot be read and SubmissionError if it is not in the format.
"""

from __future__ import annotations

import importlib
from pathlib import Path

from harness.benchmark import Benchmark
from harness.declarations import declaring_files
from harness.errors import WrongUsageError, did_you_mean
from harness.files import shown
from harness.formats.conversion import Conversion, ConversionReport, Format

# By name, the first line of the format's file.
FORMATS = declaring_files(Path(__file__).parent, "FORMAT")


def format_named(name: str) -> Format:
    """The format of that name, which imports its file. Raises WrongUsageError if there is none."""
    if name not in FORMATS:
        raise WrongUsageError(
            f"{shown(name)}: no such format; {did_you_mean(name, FORMATS)}expected one of: "
            + ", ".join(FORMATS)
        )
    module = importlib.import_module(f"harness.formats.{name}")
    declared: Format = module.FORMAT
    return declared


def converter_named(name: str, *, by_rank: bool = False) -> Format:
    """The format, or with `by_rank` the one that orders by the file's rank column.

    Raises WrongUsageError if there is none, or it has no rank column.
    """
    found = format_named(name)
    if not by_rank:
        return found
    if found.by_rank is None:
        raise WrongUsageError(
            f"--order rank: a file of format {name} has no rank column; leave --order out"
        )
    return found._replace(convert=found.by_rank)


def convert(
    name: str, file: Path, benchmark: Benchmark, split: str = "test"
) -> Conversion[ConversionReport]:
    """Read `file` in the format `name` as answers to a split."""
    return format_named(name).convert(file, benchmark, split)
