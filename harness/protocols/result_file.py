"""Official result files: a JSON list of {"user_q", "output"}, one entry for each item."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from pathlib import Path
from typing import IO, Any, NamedTuple

from harness.errors import EnvironmentFailure, SubmissionError
from harness.files import shown
from harness.submission import CARD, PREDICTIONS
from harness.validation.reading.place import GZIP, archive_kind

LARGEST = 1 << 30  # bytes, uncompressed; 200,000 items with their prompts take about 300 MB
_GZIP = b"\x1f\x8b"


class ResultEntry(NamedTuple):
    """One answer: the text of the last user message (`user_q`), and what was generated."""

    question: str
    output: str


class ResultFile(NamedTuple):
    """A result file's entries in order, and the SHA-256 (hex) of its uncompressed bytes."""

    entries: tuple[ResultEntry, ...]
    sha256: str


def require_result(path: Path) -> None:
    """Require a file that may be an official result file, by its name and first bytes.

    Raises EnvironmentFailure if it is absent, SubmissionError if it is another kind of file.
    """
    if not path.is_file():
        found = "a folder; name the file in it" if path.is_dir() else "no such file"
        raise EnvironmentFailure(
            f"{path}: expected an official result.json, found {found}; docs/official.md has "
            "the form"
        )
    kind = archive_kind(path)
    if kind is not None and kind != GZIP:
        raise SubmissionError(
            f"{path}: expected an official result.json, plain or .gz, found {kind}; unpack it, "
            "then name the file in it"
        )
    if path.name in (CARD, *PREDICTIONS):
        raise SubmissionError(
            f"{path}: expected an official result.json, found a file of a submission; "
            "`ivcr score FOLDER --protocol official` takes the folder that holds it"
        )


def read_result(path: Path) -> ResultFile:
    """Read an official result file, plain or gzip.

    Raises EnvironmentFailure if it is absent, SubmissionError if it is no such file.
    """
    require_result(path)
    data = _bytes(path)
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise SubmissionError(f"{path}: expected UTF-8 JSON: {error}") from error
    if not isinstance(document, list):
        raise SubmissionError(
            f"{path}: expected a list of entries, found {type(document).__name__}"
        )
    entries = tuple(_entry(path, number, entry) for number, entry in enumerate(document, start=1))
    return ResultFile(entries, hashlib.sha256(data).hexdigest())


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == _GZIP
            raw.seek(0)
            data = _unpacked(path, raw) if packed else raw.read(LARGEST + 1)
    except OSError as error:
        raise EnvironmentFailure(f"{path}: cannot be read: {error.strerror or error}") from error
    if len(data) > LARGEST:
        raise SubmissionError(f"{path}: longer than {LARGEST:,} bytes uncompressed")
    return data


def _unpacked(path: Path, raw: IO[bytes]) -> bytes:
    try:
        with gzip.open(raw) as stream:
            return stream.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise SubmissionError(f"{path}: broken gzip stream: {error}") from error


def _entry(path: Path, number: int, entry: Any) -> ResultEntry:
    if isinstance(entry, dict):
        question, output = entry.get("user_q"), entry.get("output")
        if isinstance(question, str) and isinstance(output, str):
            return ResultEntry(question, output)
    raise SubmissionError(
        f'{path}: entry {number}: expected {{"user_q": text, "output": text}}, found '
        f"{shown(json.dumps(entry, ensure_ascii=False))}"
    )
