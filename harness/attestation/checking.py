"""Comparing a statement with a submission and a benchmark at hand, and with the time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from harness.attestation.making import statement_of
from harness.attestation.statement import ScoreStatement, expiry
from harness.benchmark import Benchmark
from harness.errors import SubmissionError
from harness.files import shown
from harness.validation.inspection import summarise

_HASH = 12  # characters of a hash that are shown


def check_statement(
    statement: ScoreStatement,
    *,
    submission: Path | None = None,
    benchmark: Path | None = None,
    now: datetime | None = None,
) -> list[str]:
    """What was compared, a line each.

    submission: its SHA-256 is compared. benchmark: its fingerprint and the hash of its gold are;
    with both, the submission is scored again and the scores are compared. now: the time for
    `expires`, by default the present. Raises SubmissionError if something does not fit.
    """
    _require_in_time(statement, now or datetime.now(UTC))
    return list(_compared(statement, submission, benchmark))


def _compared(
    statement: ScoreStatement, submission: Path | None, benchmark: Path | None
) -> Iterator[str]:
    if submission is not None:
        found = summarise(submission).sha256
        _require(f"{submission}: SHA-256", statement.submission_sha256, found or "none")
        yield f"submission: {submission}"
    if benchmark is None:
        return
    split = statement.benchmark.split
    where = Benchmark(benchmark).checked(split if (benchmark / split).is_dir() else None)
    header = where.header
    _require(f"{benchmark}: fingerprint", statement.benchmark.fingerprint, header.fingerprint)
    gold = header.gold_sha256.get(split, "none")
    _require(f"{benchmark}: hash of the gold of {split}", statement.benchmark.gold_sha256, gold)
    yield f"benchmark: {benchmark}"
    if submission is not None:
        again = statement_of(submission, where, split)
        made_by = f"by version {shown(statement.code.version)}, now {again.code.version}"
        _require(f"scores ({made_by})", statement.scores_sha256, again.scores_sha256)
        yield "scores: computed again, the same bytes"


def _require(what: str, stated: str, found: str) -> None:
    if stated != found:
        raise SubmissionError(
            f"{what}: expected {shown(stated[:_HASH])} as the statement has it, found "
            f"{shown(found[:_HASH])}; it is about another one"
        )


def _require_in_time(statement: ScoreStatement, now: datetime) -> None:
    if statement.expires is None:
        return
    try:
        expired = expiry(statement.expires) <= now
    except ValueError as error:
        raise SubmissionError(
            f"expires: expected a time in RFC 3339, found {shown(statement.expires)}"
        ) from error
    if expired:
        raise SubmissionError(
            f"the statement expired at {shown(statement.expires)[1:-1]}; ask for a new one"
        )
