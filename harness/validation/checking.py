"""One pass over a submission: every problem of every kind, and the predictions if asked for."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from harness.benchmark import Benchmark
from harness.errors import EnvironmentFailure
from harness.records import Card, Prediction
from harness.validation.public import read_public
from harness.validation.reading.predictions import Reading
from harness.validation.report import Log, Report
from harness.validation.rules.card import read_card
from harness.validation.rules.folder import refuse_predictions


class Checked(NamedTuple):
    """What checking a submission gives.

    `predictions` run along the split's turns, None where a turn is missing or its line is wrong;
    they and `sha256` are empty or None unless asked for. `sha256` (hex) is over the bytes of
    card.toml followed by the uncompressed bytes of the predictions, as in
    `cat card.toml predictions.jsonl | sha256sum`; None if one of them could not be read.
    """

    report: Report
    card: Card | None
    predictions: tuple[Prediction | None, ...]
    sha256: str | None


def check(folder: Path, benchmark: Benchmark, split: str = "test", *, keep: bool = True) -> Checked:
    """Check the submission in `folder` against what participants see of a split.

    `keep=False` reads the same and reports the same in bounded memory, without predictions and
    SHA-256. Raises EnvironmentFailure if `folder` or the benchmark cannot be read.
    """
    _readable(folder)
    known = read_public(benchmark, split)
    log = Log()
    digest = hashlib.sha256() if keep else None
    card, kind = read_card(folder, log, digest)
    reading = Reading(known, log, keep)
    complete = (
        refuse_predictions(folder, log) if kind == "reported" else reading.read(folder, digest)
    )
    return Checked(
        report=log.report(reading.answered, reading.abstentions),
        card=card,
        predictions=tuple(reading.predictions),
        sha256=digest.hexdigest() if digest is not None and complete and card else None,
    )


def _readable(folder: Path) -> None:
    try:
        next(folder.iterdir(), None)
    except OSError as error:
        raise EnvironmentFailure(
            f"{folder}: expected a submission's folder: {error.strerror or error}; "
            "start one with `ivcr submission init`"
        ) from error
