"""Reading a submission's card and scores: small plain files from an unknown author."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path

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
            "scores", document, "scores.json", "make it anew with `ivcr score`", SubmissionError
        )
        return msgspec.convert(document, Scores)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SubmissionError(f"scores.json: {error}; make it anew with `ivcr score`") from error


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
