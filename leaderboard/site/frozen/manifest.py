"""The manifest of a frozen board: its files, and what its figures depend on."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta, Struct

from harness.errors import SubmissionError
from harness.untrusted import UnfitFileError, json_document, read_small

MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
FOLDER = "frozen"  # in the site; a board in it has the place frozen/NAME
NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
LONGEST_NAME = 64  # characters
LARGEST_MANIFEST = 1 << 26  # bytes
# Paths and sums as a build makes them: no other character can stand in SHA256SUMS unescaped.
_STEP = "[A-Za-z0-9_][A-Za-z0-9._-]*"
PATH = re.compile(rf"{_STEP}(?:/{_STEP})*")
_Path = Annotated[str, Meta(pattern=rf"\A{PATH.pattern}\Z", max_length=4000)]
Sha256 = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]


class LedgerState(Struct, frozen=True):
    """How far the challenge's ledger had gone: SHA-256 of its last line, time of its last event."""

    head: str
    last_event: str | None


class BoardState(Struct, frozen=True):
    """What all figures of a site depend on; `ledger`: None without a challenge."""

    benchmark: str
    version: str
    split: str
    labels: str
    fingerprint: str
    scorer: str
    ledger: LedgerState | None


class FileRecord(Struct, frozen=True):
    """A file's SHA-256 (hex) and its size in bytes."""

    sha256: Sha256
    size: Annotated[int, Meta(ge=0)]


class Manifest(Struct, frozen=True):
    """manifest.json of a frozen board; `files`: by path, all but the manifest and SHA256SUMS."""

    schema: Literal[1]
    name: Annotated[str, Meta(max_length=LONGEST_NAME)]
    board: BoardState
    files: dict[_Path, FileRecord]


class FrozenBoard(NamedTuple):
    """A frozen board: its name, SHA-256 of its manifest, and what its figures depend on."""

    name: str
    sha256: str
    state: BoardState


def read_manifest(folder: Path) -> tuple[Manifest, str]:
    """The manifest of a frozen board of an unknown author, and its SHA-256.

    Raises SubmissionError if there is none, or no such document.
    """
    path = folder / MANIFEST
    try:
        data = read_small(path, LARGEST_MANIFEST)
        return json_document(data, Manifest), sha256(data)
    except UnfitFileError as error:
        raise SubmissionError(
            f"{path}: expected the manifest of a frozen board: {error.text}; take the folder as it "
            "was published, with all its files"
        ) from error


def sums(manifest: Manifest, manifest_sha256: str) -> bytes:
    """The bytes of SHA256SUMS, which `sha256sum -c` reads: all files, and the manifest."""
    lines = {path: record.sha256 for path, record in manifest.files.items()}
    lines[MANIFEST] = manifest_sha256
    return "".join(f"{lines[path]}  {path}\n" for path in sorted(lines)).encode("ascii")


def sha256(data: bytes) -> str:
    """SHA-256 of bytes, as hex digits."""
    return hashlib.sha256(data).hexdigest()
