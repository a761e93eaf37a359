"""A submission's folder: which file holds the predictions, and how large it may be."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from harness.files import is_leftover
from harness.submission import EXAMPLE, PREDICTIONS, predictions_in
from harness.validation.report import display
from harness.validation.rules.folder import NO_PREDICTIONS, TWO_PREDICTIONS
from harness.validation.rules.rule import Fault

# The next step where a file of another name is there, by how that name ends.
HINTS = {
    EXAMPLE: "; an example file only shows the form: write one line a turn to predictions.jsonl",
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
