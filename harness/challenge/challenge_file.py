"""challenge.toml: what a challenge is, and its phases with their times."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from harness.errors import EnvironmentFailure, WrongUsageError, did_you_mean
from harness.files import shown
from harness.records import CandidateUse, History
from harness.schemas.documents import plain, require
from harness.teams.submission_folders import CHALLENGE, require_submissions
from harness.teams.team_file import terms_version
from harness.untrusted import UnfitFileError, is_absent, read_small, toml_table

LIMIT = 1 << 20  # bytes
NEXT_STEP = "mend challenge.toml (docs/organizing.md has an example)"
Feedback = Literal["exact", "ladder", "none"]
# What a phase that names no feedback gives.
DEFAULT_FEEDBACK: Feedback = "ladder"


class Headline(Struct, frozen=True):
    """The kind of runs that the first page ranks."""

    track: str
    history: History
    candidates: CandidateUse


class Phase(Struct, frozen=True, kw_only=True):
    """A phase: open from `opens` on and until before `closes`, both in UTC.

    `quota`: scored submissions a team; `daily`: a team and day of UTC; None: no bound. `feedback`:
    what a receipt says of figures. `exam_hours`, `dialogues`: of exams alone.
    """

    name: str
    kind: Literal["files", "exam"]
    split: str
    history: History
    opens: datetime
    closes: datetime
    quota: int | None = None
    daily: int | None = None
    feedback: Feedback = DEFAULT_FEEDBACK
    exam_hours: float | None = None
    dialogues: int | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether the phase is open at a time (with its zone)."""
        return self.opens <= now < self.closes


class Challenge(Struct, frozen=True, kw_only=True):
    """A challenge, as challenge.toml declares it."""

    title: str
    phases: tuple[Phase, ...] = field(name="phase")
    description: str | None = None
    organizers: tuple[str, ...] = ()
    contact: str | None = None
    links: dict[str, str] = field(default_factory=dict)
    citation: str | None = None
    licence: str | None = None
    terms: str | None = None
    headline: Headline | None = None

    @property
    def terms_version(self) -> str | None:
        """What team.toml names to accept the terms: 16 hex digits of the text's SHA-256."""
        return terms_version(self.terms)

    def phase(self, name: str) -> Phase:
        """The phase of that name. Raises WrongUsageError if there is none."""
        for phase in self.phases:
            if phase.name == name:
                return phase
        names = [phase.name for phase in self.phases]
        raise WrongUsageError(
            f"{CHALLENGE} has no phase {shown(name)}; {did_you_mean(name, names)}"
            f"its phases: {', '.join(map(shown, names))}"
        )


def read_challenge(submissions: Path) -> Challenge | None:
    """The challenge of a submissions folder, None where it has no challenge.toml.

    Raises WrongUsageError, with the place and the next step, if the file is not as it must be,
    EnvironmentFailure if it cannot be read.
    """
    path = submissions / CHALLENGE
    if is_absent(path):
        return None
    try:
        table: dict[str, Any] = plain(toml_table(read_small(path, LIMIT)))
    except UnfitFileError as error:
        if error.reason == "unreadable":
            raise EnvironmentFailure(f"{path}: {error}") from error
        raise WrongUsageError(f"{path}: {error}; {NEXT_STEP}") from error
    require("challenge", table, path, NEXT_STEP, WrongUsageError)
    return _challenge(table, path)


def require_challenge(submissions: Path) -> Challenge:
    """As read_challenge; raises WrongUsageError where there is no challenge.toml.

    EnvironmentFailure where there is no such folder at all.
    """
    require_submissions(submissions)
    found = read_challenge(submissions)
    if found is None:
        raise WrongUsageError(
            f"{submissions / CHALLENGE}: expected the challenge's file, found none; write one "
            "(docs/organizing.md has an example)"
        )
    return found


def _challenge(table: dict[str, Any], path: Path) -> Challenge:
    phases = []
    for number, phase in enumerate(table["phase"]):
        place = f"{path}: phase.{number}"
        times = {key: _time(phase[key], f"{place}.{key}") for key in ("opens", "closes")}
        phases.append(phase | times)
    challenge = msgspec.convert(table | {"phase": phases}, Challenge)
    for problem in _phase_problems(challenge.phases):
        raise WrongUsageError(f"{path}: {problem}; {NEXT_STEP}")
    return challenge


def _time(text: str, place: str) -> datetime:
    """A time of RFC 3339 in UTC."""
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise WrongUsageError(
            f"{place}: expected a time with its offset, found {shown(text)} ({error}); {NEXT_STEP}"
        ) from error


def _phase_problems(phases: tuple[Phase, ...]) -> Iterator[str]:
    known: set[str] = set()
    for number, phase in enumerate(phases):
        if phase.opens >= phase.closes:
            yield (
                f"phase.{number}: expected to open before it closes, found opens "
                f"{phase.opens.isoformat()} and closes {phase.closes.isoformat()}"
            )
        if ";" in phase.name or phase.name != phase.name.strip():
            # The ledger says `phase NAME; admitted late: REASON` (harness.challenge.state).
            yield (
                f"phase.{number}.name: expected no semicolon and no space at its ends, found "
                f"{shown(phase.name)}"
            )
        if phase.name.casefold() in known:
            yield f"phase.{number}.name: expected a name of its own, found {shown(phase.name)}"
        known.add(phase.name.casefold())
