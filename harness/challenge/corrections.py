"""Corrections: old and new figures of runs that were scored again, in a file that the ledger names.

SUBMISSIONS/correction-<16 hex digits>.json is called by its own SHA-256, and the `why` of each line
`rescored` ends with all of it, so the file is as sure as the ledger. Old figures cannot be computed
again where the old labels are gone; this is where they stay.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from harness.errors import EnvironmentFailure
from harness.files import readable, write
from harness.untrusted import UnfitFileError, json_document, read_small

LARGEST = 1 << 24  # bytes
_NAMED = re.compile(r"(.*); figures ([0-9a-f]{64})\Z", re.DOTALL)


class CorrectedFigure(Struct, frozen=True):
    """A figure before and after, in its metric's unit; None: undefined, or not kept."""

    metric: str
    old: float | None
    new: float | None


class CorrectedRanks(Struct, frozen=True):
    """The ranks that a run may have, before and after: best, worst, and of how many; None: none."""

    old: tuple[int, int, int] | None
    new: tuple[int, int, int] | None


class CorrectedRun(Struct, frozen=True):
    """A run that was scored again; no figures where the split's labels are hidden."""

    key: str
    split: str
    figures: tuple[CorrectedFigure, ...] = ()
    ranks: CorrectedRanks | None = None


class Correction(Struct, frozen=True):
    """All that one `intake --rescore` changed."""

    schema: int
    why: str
    runs: tuple[CorrectedRun, ...]


class CorrectionReason(NamedTuple):
    """The organizers' own words, and the SHA-256 of the file with the figures, if there is one."""

    why: str
    sha256: str | None


def write_correction(submissions: Path, correction: Correction) -> str:
    """Write a correction beside the ledger; returns its SHA-256. Raises EnvironmentFailure."""
    data = readable(correction)
    sha256 = hashlib.sha256(data).hexdigest()
    write(_place(submissions, sha256), data)
    return sha256


def read_correction(submissions: Path, sha256: str) -> Correction:
    """The correction of that SHA-256. Raises EnvironmentFailure if it is not there as written."""
    path = _place(submissions, sha256)
    try:
        data = read_small(path, LARGEST)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise EnvironmentFailure(
                f"{path}: changed since the ledger named it; put back the file of the commit that "
                "wrote it"
            )
        return json_document(data, Correction)
    except (UnfitFileError, msgspec.ValidationError) as error:
        raise EnvironmentFailure(
            f"{path}: expected the correction that the ledger names: {error}; put it back"
        ) from error


def correction_reason(why: str, sha256: str) -> str:
    """The `why` of a line `rescored`."""
    return f"{why}; figures {sha256}"


def parse_correction(why: str) -> CorrectionReason:
    """What the `why` of a line `rescored` says."""
    found = _NAMED.match(why)
    return CorrectionReason(why, None) if found is None else CorrectionReason(found[1], found[2])


def _place(submissions: Path, sha256: str) -> Path:
    return submissions / f"correction-{sha256[:16]}.json"
