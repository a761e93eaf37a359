"""The report on a change: findings, runs and counts, as JSON of a published schema."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import msgspec
from msgspec import Struct

from harness.files import shown

FINDINGS_OF_A_CODE = 20
PROBLEMS_OF_A_RUN = 20
SHOWN_PATH = 240
MESSAGE = 1000  # characters
Verdict = Literal["accepted", "refused"]
Severity = Literal["error", "warning"]


class ChangeFinding(Struct, frozen=True):
    """Something found about a change. `path` and what `message` echoes are escaped and cut."""

    code: str
    severity: Severity
    path: str | None
    message: str


class TouchedTeam(Struct, frozen=True):
    """The one team folder that a change touches.

    `owner`: whether the author may change it; None if no author was named, or the team is new.
    """

    folder: str
    new: bool
    owner: bool | None


class RunProblem(Struct, frozen=True):
    """A problem that validation found in a run."""

    code: str
    severity: Severity
    file: str
    line: int | None
    message: str


class RunReport(Struct, frozen=True):
    """One run folder that a change adds or edits; `sha256` is the submission's, in hex."""

    folder: str
    new: bool
    valid: bool
    errors: int
    warnings: int
    answered: int
    abstentions: int
    sha256: str | None
    problems: tuple[RunProblem, ...]


class ChangeReport(Struct, frozen=True):
    """What `ivcr pr check` found (schema `pr_check`).

    `base`, `head`, `merge_base`: commits or trees in hex, None for folders. `number`: of the pull
    request, as it was given. `commits`: None where no commits were compared. `findings`: the first
    FINDINGS_OF_A_CODE of each code; `totals`: all of them by code.
    """

    schema: int
    verdict: Verdict
    number: int | None
    base: str | None
    head: str | None
    merge_base: str | None
    fingerprint: str
    split: str
    team: TouchedTeam | None
    files: int
    bytes: int
    commits: int | None
    runs: tuple[RunReport, ...]
    findings: tuple[ChangeFinding, ...]
    totals: dict[str, int]


class FindingLog:
    """The findings of one check: the first of each code, and the totals."""

    def __init__(self) -> None:
        self._findings: list[ChangeFinding] = []
        self.totals: Counter[str] = Counter()
        self.errors = 0

    def add(self, code: str, path: bytes | None, text: str, severity: Severity = "error") -> None:
        """Take a finding in; `text` is safe to show, `path` is not yet."""
        self.totals[code] += 1
        self.errors += severity == "error"
        if self.totals[code] <= FINDINGS_OF_A_CODE:
            self._findings.append(ChangeFinding(code, severity, shown_path(path), text[:MESSAGE]))

    @property
    def findings(self) -> tuple[ChangeFinding, ...]:
        """The findings in the order in which they came, errors first."""
        return tuple(sorted(self._findings, key=lambda each: each.severity))


def shown_path(path: bytes | None) -> str | None:
    """An untrusted path for a report: escaped and cut."""
    if path is None:
        return None
    return shown(path.decode("utf-8", "backslashreplace"), SHOWN_PATH)[1:-1]


def report_json(report: ChangeReport) -> dict[str, object]:
    """The report as JSON has it."""
    document: dict[str, object] = msgspec.to_builtins(report)
    return document
