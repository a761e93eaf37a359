"""A submission's folder: which file holds the predictions, how large it may be, its SHA-256."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from harness.errors import SubmissionError
from harness.submission import CARD, PREDICTIONS
from harness.validation.reading.source import chunks, opened
from harness.validation.report import Log, named
from harness.validation.rules.rule import Fault, declared

NO_PREDICTIONS = declared(
    "S101", "error", "there is a predictions file", "a folder with predictions.json alone"
)
TWO_PREDICTIONS = declared(
    "S102", "error", "there is one predictions file", "predictions.jsonl and predictions.jsonl.gz"
)
REPORTED = declared(
    "S100", "error", "a reported card stands alone", 'kind = "reported" beside predictions.jsonl'
)
_FREE_BYTES = 64 << 20
_BYTES_A_TURN = 32 << 10


def most_bytes(turns: int) -> int:
    """How many bytes of text the predictions for so many turns may have."""
    return _FREE_BYTES + _BYTES_A_TURN * turns


def sha256(folder: Path, turns: int) -> str:
    """The SHA-256 (hex) of a submission: over its card, then the uncompressed predictions.

    `turns`: of the split, for the limit on size. Raises SubmissionError if a file cannot be read.
    """
    digest, name = hashlib.sha256(), CARD
    try:
        with opened(folder / CARD) as card:
            digest.update(card.read())
        name = the_file(folder)
        for chunk in chunks(folder / name, most_bytes(turns)):
            digest.update(chunk)
    except Fault as fault:
        raise SubmissionError(f"{folder / name}: {fault.text} [{fault.code}]") from fault
    return digest.hexdigest()


def the_file(folder: Path) -> str:
    """The name of the one predictions file. Raises Fault if there is none, or more than one."""
    present = _present(folder)
    if len(present) > 1:
        raise Fault(TWO_PREDICTIONS, f"one predictions file only, found {', '.join(present)}")
    if present:
        return present[0]
    alike = sorted(
        entry.name for entry in folder.iterdir() if entry.name.lower().startswith("prediction")
    )
    found = ", ".join(map(named, alike[:3])) or "none"
    raise Fault(NO_PREDICTIONS, f"expected one of {', '.join(PREDICTIONS)}, found {found}")


def refuse_predictions(folder: Path, log: Log) -> bool:
    """Report the predictions that a reported card must not have; whether there are none."""
    present = _present(folder)
    for name in present:
        log.add(
            REPORTED,
            'a card of kind "reported" has no predictions; remove the file, or set '
            'kind = "predictions"',
            name,
        )
    return not present


def _present(folder: Path) -> list[str]:
    return [name for name in PREDICTIONS if os.path.lexists(folder / name)]
