"""Official result files: a JSON list of {"user_q", "output"}, one entry for each item."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import EnvironmentFailure, SubmissionError
from harness.files import shown
from harness.sources.json_stream import list_elements
from harness.submission import CARD, PREDICTIONS
from harness.untrusted import UnfitFileError, unpacked
from harness.validation.reading.place import GZIP, archive_kind
from harness.validation.reading.source import Hash

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
    digest = hashlib.sha256()
    try:
        with path.open("rb") as raw:
            suffix = ".gz" if raw.read(2) == _GZIP else ""
            raw.seek(0)
            elements = list_elements(_through(path, unpacked(raw, suffix), digest))
            entries = tuple(_entry(path, number, each) for number, each in enumerate(elements, 1))
    except OSError as error:
        raise EnvironmentFailure(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnfitFileError as error:
        raise SubmissionError(f"{path}: broken gzip stream: {error}") from error
    except ValueError as error:
        raise SubmissionError(f"{path}: expected UTF-8 JSON: {error}") from error
    return ResultFile(entries, digest.hexdigest())


def _through(path: Path, chunks: Iterable[bytes], digest: Hash) -> Iterator[bytes]:
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > LARGEST:
            raise SubmissionError(f"{path}: longer than {LARGEST:,} bytes uncompressed")
        digest.update(chunk)
        yield chunk


def _entry(path: Path, number: int, entry: Any) -> ResultEntry:
    if isinstance(entry, dict):
        question, output = entry.get("user_q"), entry.get("output")
        if isinstance(question, str) and isinstance(output, str):
            return ResultEntry(question, output)
    raise SubmissionError(
        f'{path}: entry {number}: expected {{"user_q": text, "output": text}}, found '
        f"{shown(json.dumps(entry, ensure_ascii=False))}"
    )
