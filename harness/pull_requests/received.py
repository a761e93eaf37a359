"""A report that an untrusted job wrote, read within bounds and held against our own."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import msgspec

from harness.errors import SubmissionError
from harness.pull_requests.bounds import JSON_BYTES
from harness.pull_requests.change_report import ChangeReport, report_json
from harness.schemas.documents import require
from harness.untrusted import UnfitFileError, json_document, read_small

REPORT = "pr_check.json"
_MEMBERS = 16
_AGAIN = "run the check of the pull request again"


def read_report(path: Path) -> ChangeReport:
    """The report in a JSON file, or in a ZIP archive that holds one as pr_check.json.

    Raises SubmissionError if it is absent, larger than JSON_BYTES or not of the published schema.
    """
    try:
        document = json_document(_report_bytes(read_small(path, 2 * JSON_BYTES)), object)
    except UnfitFileError as error:
        raise SubmissionError(f"{path}: {error.text}; {_AGAIN}") from error
    require("pr_check", document, path, _AGAIN, SubmissionError)
    return msgspec.convert(document, ChangeReport)


def _report_bytes(data: bytes) -> bytes:
    found = _member(data) if data.startswith(b"PK") else data
    if len(found) > JSON_BYTES:
        raise UnfitFileError("too large", f"expected at most {JSON_BYTES:,} bytes, found more")
    return found


def _member(data: bytes) -> bytes:
    """The one file of an archive that is read; nothing is unpacked to the disk."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if len(archive.infolist()) > _MEMBERS:
                raise UnfitFileError("members", f"expected at most {_MEMBERS} files, found more")
            with archive.open(REPORT) as stream:
                return stream.read(JSON_BYTES + 1)
    except (KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise UnfitFileError(
            "not compressed", f"expected a ZIP archive with {REPORT}, found none"
        ) from error


def agreement(own: ChangeReport, other: ChangeReport) -> tuple[str, ...]:
    """Sentences for the comment where the report of an untrusted job departs from our own."""
    if report_json(own) == report_json(other):
        return ()
    return (
        "The job of the pull request reported something else than the check of the base branch, "
        "whose report this is; the base may have moved on, or the job was changed.",
    )
