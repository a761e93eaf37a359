"""The statement about scores, as in-toto has it (Statement v1).

https://github.com/in-toto/attestation/tree/main/spec/v1: subjects with their digests, and a
predicate of a type of ours. Subjects are the submission and the document of its scores.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from harness.errors import SubmissionError
from harness.files import canonical, shown
from harness.untrusted import UnfitFileError, json_document

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:ivcr:attestation:1:scores"
SUBMISSION, SCORES = "submission", "scores.json"
_NEXT = "ask whoever gave it to you for a statement that `ivcr attest make` made"


class AttestedBenchmark(Struct, frozen=True, forbid_unknown_fields=True):
    """The benchmark and split; its hashes are those of benchmark.json."""

    name: str
    version: str
    split: str
    fingerprint: str
    gold_sha256: str


class AttestedCode(Struct, frozen=True, forbid_unknown_fields=True):
    """What computed the scores.

    version: of the harness. scorer: changes only when a figure can move. changed: whether the code
    was changed since its commit.
    """

    version: str
    scorer: str
    commit: str | None
    changed: bool | None


class ScoreStatement(Struct, frozen=True, forbid_unknown_fields=True):
    """A statement: these scores are what this code computes of this submission.

    submission_sha256: as `ivcr submission info` shows it. scores_sha256: of the bytes of
    scores.json. signature: the line of scores.json. expires: RFC 3339, None for never.
    """

    team: str
    system: str
    submission_sha256: str
    scores_sha256: str
    signature: str
    benchmark: AttestedBenchmark
    code: AttestedCode
    expires: str | None = None


class _Predicate(Struct, frozen=True, forbid_unknown_fields=True):
    team: str
    system: str
    signature: str
    benchmark: AttestedBenchmark
    code: AttestedCode
    expires: str | None = None


class _Subject(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    digest: dict[Literal["sha256"], str]


class _Document(Struct, frozen=True, rename={"type": "_type", "predicate_type": "predicateType"}):
    type: str
    predicate_type: str
    subject: tuple[_Subject, ...]
    predicate: _Predicate


class _Types(Struct, frozen=True, rename={"type": "_type", "predicate_type": "predicateType"}):
    """What is looked at first, so that another kind of statement is named as such."""

    type: str = ""
    predicate_type: str = ""


def statement_bytes(statement: ScoreStatement) -> bytes:
    """The statement as in-toto's JSON: same statement, same bytes."""
    values = msgspec.structs.asdict(statement)
    digests = {name: values.pop(key) for name, key in _DIGESTS.items()}
    document = _Document(
        STATEMENT_TYPE,
        PREDICATE_TYPE,
        tuple(_Subject(name, {"sha256": digest}) for name, digest in digests.items()),
        _Predicate(**values),
    )
    return canonical(document)


def read_statement(payload: bytes, place: Path) -> ScoreStatement:
    """The statement in a payload; `place`: for messages.

    Raises SubmissionError if it is none of scores, or of another version.
    """
    _require_types(payload, place)
    try:
        document = json_document(payload, _Document)
    except UnfitFileError as error:
        raise SubmissionError(
            f"{place}: expected a statement about scores: {error}; {_NEXT}"
        ) from error
    digests = {subject.name: subject.digest.get("sha256") for subject in document.subject}
    if set(digests) != set(_DIGESTS) or None in digests.values():
        raise SubmissionError(
            f"{place}: expected the subjects {SUBMISSION} and {SCORES} with their SHA-256, found "
            f"others; {_NEXT}"
        )
    named: dict[str, Any] = {key: digests[name] for name, key in _DIGESTS.items()}
    return ScoreStatement(**msgspec.structs.asdict(document.predicate), **named)


def expiry(text: str) -> datetime:
    """A time in RFC 3339; a day alone is its beginning in UTC. Raises ValueError at other text."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _require_types(payload: bytes, place: Path) -> None:
    try:
        found = json_document(payload, _Types)
    except UnfitFileError as error:
        raise SubmissionError(f"{place}: expected a statement: {error}; {_NEXT}") from error
    for name, value, expected in (
        ("_type", found.type, STATEMENT_TYPE),
        ("predicateType", found.predicate_type, PREDICATE_TYPE),
    ):
        if value != expected:
            raise SubmissionError(
                f"{place}: {name}: expected {expected}, found {shown(value)}; {_NEXT}"
            )


_DIGESTS = {SUBMISSION: "submission_sha256", SCORES: "scores_sha256"}
