"""Which file of a submission's folder holds the predictions."""

from __future__ import annotations

import os
from pathlib import Path

from harness.submission import PREDICTIONS
from harness.validation.report import Log, named
from harness.validation.rule import Fault, declared

NO_PREDICTIONS = declared(
    "S101", "error", "there is a predictions file", "a folder with predictions.json alone"
)
TWO_PREDICTIONS = declared(
    "S102", "error", "there is one predictions file", "predictions.jsonl and predictions.jsonl.gz"
)
REPORTED = declared(
    "S100", "error", "a reported card stands alone", 'kind = "reported" beside predictions.jsonl'
)


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
