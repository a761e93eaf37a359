"""A submission's folder: which file holds the predictions, how large it may be, its SHA-256."""

from __future__ import annotations

import hashlib
import os
from itertools import islice
from pathlib import Path

from harness.errors import SubmissionError
from harness.files import is_leftover
from harness.submission import CARD, EXAMPLE, PREDICTIONS, predictions_in
from harness.untrusted import read_small
from harness.validation.reading.source import CARD_CODES, faults, read_chunks
from harness.validation.report import display
from harness.validation.rules.card import CARD_LIMIT
from harness.validation.rules.folder import NO_PREDICTIONS, TWO_PREDICTIONS
from harness.validation.rules.rule import Fault

# The next step where a file of another name is there, by how that name ends.
HINTS = {
    EXAMPLE: "; an example file only shows the form",
    ".json": "; write one JSON object a line into a file of that name",
    ".csv": "; convert it with `ivcr submission convert csv FILE --benchmark B --out SUB`",
    ".tsv": "; convert it with `ivcr submission convert csv FILE --benchmark B --out SUB`",
    ".run": "; convert it with `ivcr submission convert trec FILE --benchmark B --out SUB`",
}
_FREE_BYTES = 64 << 20
_BYTES_A_TURN = 32 << 10
_LOOKED_AT = 10_000  # files of a folder among which one with a similar name is looked for


def most_bytes(turns: int) -> int:
    """How many bytes of text the predictions for so many turns may have."""
    return _FREE_BYTES + _BYTES_A_TURN * turns


def sha256(folder: Path, turns: int) -> str:
    """The SHA-256 (hex) of a submission: over its card, then the uncompressed predictions.

    `turns`: of the split, for the limit on size. Raises SubmissionError if a file cannot be read.
    """
    digest, name = hashlib.sha256(), CARD
    try:
        with faults(CARD_CODES):
            digest.update(read_small(folder / CARD, CARD_LIMIT))
        name = predictions_file(folder)
        for chunk in read_chunks(folder / name, most_bytes(turns)):
            digest.update(chunk)
    except Fault as fault:
        raise SubmissionError(f"{folder / name}: {fault.text} [{fault.code}]") from fault
    return digest.hexdigest()


def predictions_file(folder: Path) -> str:
    """The name of the one predictions file. Raises Fault if there is none, or more than one."""
    names = predictions_in(folder)
    if len(names) > 1:
        raise Fault(TWO_PREDICTIONS, f"one predictions file only, found {', '.join(names)}")
    if names:
        return names[0]
    with os.scandir(folder) as inside:
        beside = [entry.name for entry in islice(inside, _LOOKED_AT)]
    alike = sorted(
        name for name in beside if name.lower().startswith("prediction") and not is_leftover(name)
    )
    found = ", ".join(map(display, alike[:3])) or "none"
    hint = next(
        (hint for ending, hint in HINTS.items() if any(name.endswith(ending) for name in alike)), ""
    )
    raise Fault(NO_PREDICTIONS, f"expected one of {', '.join(PREDICTIONS)}, found {found}{hint}")
