"""The results folder: what was computed, one folder a result, each whole or not there."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from harness.errors import WrongUsageError, unwritable
from harness.files import canonical, write
from harness.replacement import replaced_folder
from harness.scoring import ScoringResult, write_outcomes

MARK = "ivcr-results"  # says that a folder is ours to write to
RECORD, SCORES, OUTCOMES = "result.json", "scores.json", "scores.outcomes.npz"


class _Record(Struct, frozen=True):
    """result.json: what the other two files are, so that a damaged result is noticed."""

    schema: int
    key: str
    scores_sha256: str
    outcomes_sha256: str
    abstentions: int


class StoredResult(NamedTuple):
    """One result: its folder with scores.json and scores.outcomes.npz, and what the first holds.

    `scores` is canonical JSON, `sha256` (hex) its hash; `abstentions`: in how many turns the
    submission gives an empty answer.
    """

    key: str
    folder: Path
    scores: bytes
    sha256: str
    abstentions: int


class ResultsFolder:
    """Results by key (see harness.results.key), for their owner's eyes alone.

    Per-turn outcomes and exact figures lie in it: where labels are hidden, it tells them.
    """

    def __init__(self, folder: Path) -> None:
        """Make the folder where it is absent, with mode 0700.

        Raises WrongUsageError if it holds something else than results, EnvironmentFailure if it
        cannot be made.
        """
        self.folder = folder
        try:
            if not os.path.lexists(folder):
                folder.mkdir(mode=0o700, parents=True)
            _require_results(folder)
            if not (folder / MARK).is_file():
                write(folder / MARK, b"Results that `ivcr` computed; remove it to compute again.\n")
            folder.chmod(0o700)
        except OSError as error:
            raise unwritable(folder, error) from error

    def find(self, key: str) -> StoredResult | None:
        """The result of a key; None if there is none, or a damaged one, which is made again."""
        place = self.place(key)
        try:
            record = msgspec.json.decode((place / RECORD).read_bytes(), type=_Record)
            scores = (place / SCORES).read_bytes()
            outcomes = _sha256((place / OUTCOMES).read_bytes())
        except (OSError, msgspec.DecodeError):
            return None
        sha256 = _sha256(scores)
        if (record.key, record.scores_sha256, record.outcomes_sha256) != (key, sha256, outcomes):
            return None
        return StoredResult(key, place, scores, sha256, record.abstentions)

    def holds(self, key: str) -> bool:
        """Whether there is a result of a key, without a look into it."""
        return (self.place(key) / RECORD).is_file()

    def keep(self, key: str, scored: ScoringResult, abstentions: int) -> StoredResult:
        """Write a result, whole or not at all. Raises EnvironmentFailure."""
        place, scores = self.place(key), canonical(scored.document)
        sha256 = _sha256(scores)
        # It can be computed again: no write waits for the disk.
        with replaced_folder(place, parents=True) as folder:
            write(folder / SCORES, scores, durable=False)
            write_outcomes(scored, folder / OUTCOMES)
            outcomes = _sha256((folder / OUTCOMES).read_bytes())
            record = _Record(2, key, sha256, outcomes, abstentions)
            write(folder / RECORD, canonical(record), durable=False)
        return StoredResult(key, place, scores, sha256, abstentions)

    def place(self, key: str) -> Path:
        """The folder of a key's result, whether there is one or not."""
        return self.folder / key[:2] / key


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _require_results(folder: Path) -> None:
    if not folder.is_dir():
        raise WrongUsageError(f"{folder}: expected a folder for results; name another --results")
    if not (folder / MARK).is_file() and any(folder.iterdir()):
        raise WrongUsageError(
            f"{folder}: holds files, and no results (no {MARK}); name another --results or empty it"
        )
