"""A submission's card and scores as records, from files of an unknown author."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import SubmissionError
from harness.records import Card
from harness.schemas.documents import plain, require
from harness.untrusted import UnfitFileError, json_document, read_small, toml_table

CARD, CARD_BYTES, VALIDATE = "card.toml", 1 << 16, "`ivcr validate` says more"
RECORD, RECORD_BYTES = "run.json", 1 << 22
SCORES, SCORES_BYTES, AGAIN = "scores.json", 1 << 22, "make it again with `ivcr score`"
NO_SCORES = f"{SCORES}: there is none yet; make it with `ivcr score`"


def read_card(folder: Path) -> Card:
    """card.toml. Raises SubmissionError if it is no card."""
    with _named(CARD, VALIDATE):
        table = plain(toml_table(read_small(folder / CARD, CARD_BYTES)))
        require("card", table, CARD, VALIDATE, SubmissionError)
        return msgspec.convert(table, Card)


def scores_document(folder: Path) -> dict[str, Any]:
    """scores.json as it stands in the file.

    Raises SubmissionError if there is none or it is something else.
    """
    if not os.path.lexists(folder / SCORES):
        raise SubmissionError(NO_SCORES)
    with _named(SCORES, AGAIN):
        document = json_document(read_small(folder / SCORES, SCORES_BYTES), dict[str, Any])
        require("scores", _one_of_each_form(document), SCORES, AGAIN, SubmissionError)
        return document


def run_record(folder: Path) -> dict[str, Any] | None:
    """run.json as it stands in the file, None if there is none.

    Raises SubmissionError if it is no JSON object.
    """
    if not os.path.lexists(folder / RECORD):
        return None
    with _named(RECORD, "make the run again, or take the file out"):
        return json_document(read_small(folder / RECORD, RECORD_BYTES), dict[str, Any])


@contextmanager
def _named(name: str, next_step: str) -> Iterator[None]:
    """Raise SubmissionError with the file's name, where it is unfit or no such record."""
    try:
        yield
    except (UnfitFileError, msgspec.ValidationError) as error:
        raise SubmissionError(f"{name}: {error}; {next_step}") from error


def _one_of_each_form(document: Any) -> Any:
    """The document with the first cell of each form alone.

    The schema depends on the form of a cell, never on its figures. With all cells it takes 106 ms,
    with one of each form 9 ms: a build of 1,000 runs ends a minute and a half earlier.
    """
    if not isinstance(document, dict) or not isinstance(document.get("metrics"), dict):
        return document
    known: set[object] = set()
    metrics = {}
    for part, cells in document["metrics"].items():
        if isinstance(cells, dict):
            forms = {name: _form(cell) for name, cell in cells.items()}
            cells = {n: cells[n] for n, form in forms.items() if form not in known}
            known.update(forms.values())
        metrics[part] = cells
    return {**document, "metrics": metrics}


def _form(cell: Any) -> object:
    """All that the schema looks at: keys, types, signs, whole numbers, empty texts."""
    if not isinstance(cell, dict):
        return type(cell)
    return tuple((name, type(value), _side(value)) for name, value in cell.items())


def _side(value: Any) -> object:
    if isinstance(value, float):
        return value < 0, value.is_integer()
    return value < 0 if isinstance(value, int) else value == ""
