"""Whether rows name a commit at which the hash of their code fits, by the history of git alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from baselines.provenance.code_hash import FOLDER, code_sha256_at
from baselines.reproduction.recorded_run import FLOORS, RunRecord, read_run
from baselines.running.provenance import RECORD
from harness.checkout import HistoryError
from harness.errors import SubmissionError
from harness.files import is_leftover, shown

_HASH = 12  # characters of a hash that are shown
UNNAMED = "run.json names no commit"
CHANGED = "the code was changed since; make the run again from a clean tree"


class CommitFinding(NamedTuple):
    """What was found of a row: `kind` is note where nothing could be compared."""

    run: str
    kind: Literal["fits", "note", "wrong"]
    text: str


def check_commits(submissions: Path, benchmark: Path | None = None) -> list[CommitFinding]:
    """Of each run of a baseline, and each floor of a benchmark: does its code hash fit its commit?

    Nothing is checked out. Runs that others made are passed over.
    """
    places = [*_runs(submissions, "*/*"), *(_runs(benchmark, f"{FLOORS}/*/*") if benchmark else ())]
    return [found for name, folder in places if (found := _finding(name, folder)) is not None]


def notes(findings: Sequence[CommitFinding]) -> Iterator[str]:
    """What does not fit or could not be compared, a line for all runs of which the same holds."""
    runs: dict[str, list[str]] = {}
    for found in findings:
        if found.kind != "fits":
            runs.setdefault(found.text, []).append(found.run)
    for text, names in runs.items():
        more = f" and {len(names) - 1:,} more" if len(names) > 1 else ""
        yield f"{shown(names[0])}{more}: {text}"


def require_fit(findings: Sequence[CommitFinding], submissions: Path) -> None:
    """Raises SubmissionError if the code of a row is not that of the commit which it names."""
    wrong = [found for found in findings if found.kind == "wrong"]
    if wrong:
        raise SubmissionError(
            f"{submissions}: expected runs that name a commit with the code that made them, found "
            f"{len(wrong):,} that do not, the first {shown(wrong[0].run)}; make them again from a "
            "clean tree"
        )


def commit_finding(run: str, record: RunRecord) -> CommitFinding:
    """The finding of one record; `run` is its name."""
    if record.commit is None:
        return CommitFinding(run, "note", UNNAMED)
    named = f"commit {shown(record.commit[:_HASH])[1:-1]}"
    if record.outside:
        return CommitFinding(run, "note", f"{named}: depends on code that no commit of ours holds")
    if record.changed:
        return CommitFinding(run, "note", f"{named}: {CHANGED}")
    try:
        there = _hash_at(record.commit)
    except HistoryError as error:
        return CommitFinding(run, "wrong" if error.complete else "note", f"not compared: {error}")
    if there != record.code_sha256:
        return CommitFinding(
            run, "wrong",
            f"{named}: its code has the hash {there[:_HASH]}, run.json says "
            f"{shown(record.code_sha256[:_HASH])[1:-1]}",
        )  # fmt: skip
    return CommitFinding(run, "fits", f"{named} has the code of the run")


def _finding(name: str, folder: Path) -> CommitFinding | None:
    try:
        row = read_run(folder)
    except SubmissionError as error:
        return CommitFinding(name, "note", f"not compared: {error}")
    if not (row.card.code or "").startswith(f"{FOLDER}/"):
        return None
    return commit_finding(name, row.record)


def _runs(root: Path, pattern: str) -> Iterator[tuple[str, Path]]:
    for path in sorted(root.glob(f"{pattern}/{RECORD}")):
        folder = path.parent
        if not any(map(is_leftover, folder.relative_to(root).parts)):
            yield folder.relative_to(root).as_posix(), folder


@cache
def _hash_at(commit: str) -> str:
    return code_sha256_at(commit)
