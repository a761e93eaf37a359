"""Reading a submission's card and scores: small plain files from an unknown author."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import SubmissionError
from harness.records import Card
from harness.schemas.documents import plain, require
from leaderboard.board.records import Scores

LARGEST = {"card.toml": 1 << 16, "scores.json": 1 << 22}  # bytes


def read_card(folder: Path) -> Card:
    """card.toml. Raises SubmissionError if it is no card."""
    try:
        table = plain(tomllib.loads(_bytes(folder / "card.toml").decode("utf-8-sig")))
        require("card", table, "card.toml", "`ivcr validate` says more", SubmissionError)
        return msgspec.convert(table, Card)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SubmissionError(f"card.toml: {error}; `ivcr validate` says more") from error


def read_scores(folder: Path) -> Scores:
    """scores.json. Raises SubmissionError if there is none or it is something else."""
    path = folder / "scores.json"
    if not os.path.lexists(path):
        raise SubmissionError("scores.json: there is none yet; make it with `ivcr score`")
    try:
        document = msgspec.json.decode(_bytes(path))
        require(
            *("scores", _one_of_each_form(document), "scores.json"),
            *("make it again with `ivcr score`", SubmissionError),
        )
        return msgspec.convert(document, Scores)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SubmissionError(f"scores.json: {error}; make it again with `ivcr score`") from error


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


def _bytes(path: Path) -> bytes:
    """A small regular file, never a link, a pipe or a device."""
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise SubmissionError(f"{path.name}: expected a regular file, found something else")
        if found.st_size > LARGEST[path.name]:
            raise SubmissionError(
                f"{path.name}: {found.st_size:,} bytes; expected at most {LARGEST[path.name]:,}"
            )
        return path.read_bytes()
    except OSError as error:
        raise SubmissionError(f"{path.name}: cannot be read: {error.strerror}") from error
