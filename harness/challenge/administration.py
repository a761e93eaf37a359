"""What organizers do by hand: withdraw, reveal, rename and admit, each one line of the ledger.

The line is written first. Whoever was killed behind it runs the same command again: it finds the
line there and does what is left.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.challenge.challenge_file import require_challenge
from harness.challenge.ledger import read_ledger, writing
from harness.challenge.ledger_lines import LedgerEvent, LedgerLine
from harness.challenge.reasons import (
    NAME_CHANGED,
    phase_reason,
    renamed_reason,
    require_reason,
)
from harness.challenge.state import ChallengeState, replay
from harness.errors import EnvironmentFailure, SubmissionError, WrongUsageError, did_you_mean
from harness.files import shown
from harness.schemas.documents import require
from harness.teams.submission_folders import folder_name_problem, is_folder_name
from harness.teams.team_file import read_table, read_team, write_table
from harness.validation.inspection import summarise

Decision = Callable[[ChallengeState], LedgerEvent | None]


def read_state(submissions: Path) -> ChallengeState:
    """What the ledger of a submissions folder says. Raises EnvironmentFailure if it is broken."""
    ledger = read_ledger(submissions)
    return replay(ledger.lines, ledger.head)


def withdraw(
    submissions: Path, name: str, why: str, *, now: datetime | None = None
) -> LedgerLine | None:
    """Withdraw the run TEAM/RUN, or all runs of TEAM: rows stay, struck, with the date and `why`.

    The files may be deleted afterwards. None if it was withdrawn already. Raises WrongUsageError if
    the ledger has no such run.
    """
    team, run = split_name(name)
    reason = require_reason(why)

    def decide(state: ChallengeState) -> LedgerEvent | None:
        runs = [known_run(state, name)] if run else list(state.of_team(team))
        if not runs:
            raise WrongUsageError(
                f"{shown(name)}: the ledger has no run of this team; "
                "`ivcr ledger show` lists all runs"
            )
        if all(state.runs[key].status == "withdrawn" for key in runs):
            return None
        return LedgerEvent(event="withdrawn", team=team, run=run, why=reason)

    return _decided(submissions, decide, now)


def reveal(
    submissions: Path, team: str, name: str, *, now: datetime | None = None
) -> LedgerLine | None:
    """Give an anonymous team its real name in team.toml; the ledger says that, not the name.

    None if the ledger had the line. Raises WrongUsageError if there is no such team, it is not
    anonymous, or team.toml cannot hold the name.
    """
    folder = _team_folder(submissions, team)
    table = read_table(folder)
    done = team in read_state(submissions).revealed
    if not table.get("anonymous") and not done:
        raise WrongUsageError(
            f"{shown(team)}: is not anonymous (team.toml has no `anonymous = true`); "
            "`ivcr rename TEAM --name NAME` changes a name"
        )
    named = _named(_without(table, "anonymous"), name)
    line = _decided(
        submissions,
        lambda state: None if team in state.revealed else LedgerEvent(event="revealed", team=team),
        now,
    )
    write_table(folder, named)
    return line


def change_name(
    submissions: Path, team: str, name: str, why: str, *, now: datetime | None = None
) -> LedgerLine | None:
    """Change a team's name in team.toml; its folder, and with it its key, stays.

    The ledger tells that it happened and `why`, neither name. Raises WrongUsageError if there is
    no such team, or team.toml cannot hold the name.
    """
    folder = _team_folder(submissions, team)
    table = read_table(folder)
    if table.get("name") == name:
        return None
    reason, named = f"{NAME_CHANGED}; {require_reason(why)}", _named(table, name)
    line = _decided(
        submissions, lambda _: LedgerEvent(event="replaced", team=team, why=reason), now
    )
    write_table(folder, named)
    return line


def _named(table: dict[str, Any], name: str) -> dict[str, Any]:
    """The table of a team with that name. Raises WrongUsageError, before any line is written."""
    named = table | {"name": name}
    require("team", named, "--name", "name another", WrongUsageError)
    return named


def rename(
    submissions: Path, name: str, new: str, why: str, *, now: datetime | None = None
) -> LedgerLine | None:
    """Give a run (TEAM/RUN) or a team's folder (TEAM) the new name NEW; its history goes with it.

    `new` is the run's or the team's name alone. Told by `replaced`: "renamed to NEW; why". None if
    the ledger had the line and the folder's move was all that was left. Raises WrongUsageError if
    the old name is not there, or the new one is taken.
    """
    team, run = split_name(name)
    reason = renamed_reason(_fit_name(new), require_reason(why))
    old, place = submissions / name, (submissions / name).with_name(new)

    def decide(state: ChallengeState) -> LedgerEvent | None:
        before = _keys(state, team, run)
        after = _keys(state, team if run else new, new if run else None)
        if state.renamed.get(name) == new and old.is_dir() and not place.exists():
            return None  # killed before the folder was moved
        if after or place.exists() or place.is_symlink():
            raise WrongUsageError(f"{shown(new)}: this name is taken; choose another one")
        if not before:
            known_run(state, name)
        return LedgerEvent(event="replaced", team=team, run=run, why=reason)

    line = _decided(submissions, decide, now)
    if old.is_dir():
        _move(old, place)
    return line


def admit(
    submissions: Path, name: str, phase: str, why: str, *, now: datetime | None = None
) -> LedgerLine | None:
    """Accept the run TEAM/RUN as it lies there into a phase, whatever its times and quota say.

    For appeals and late submissions; the next intake validates and scores it. None if this version
    was accepted already. Raises WrongUsageError if there is no such run or phase, SubmissionError
    if the folder holds no submission.
    """
    team, run = split_name(name)
    reason = require_reason(why)
    chosen = require_challenge(submissions).phase(phase)
    folder = submissions / name
    if run is None or not folder.is_dir():
        raise WrongUsageError(
            f"{shown(name)}: expected a run's folder TEAM/RUN in {submissions}, found none; put it "
            "there first, as the team handed it in"
        )
    read_team(folder.parent)
    summary = summarise(folder)
    if summary.sha256 is None:
        first = next(iter(summary.problems), "it is incomplete")
        raise SubmissionError(f"{folder}: cannot be admitted: {first}")
    event = LedgerEvent(
        event="accepted",
        team=team,
        run=run,
        submission_sha256=summary.sha256,
        why=phase_reason(chosen.name, reason),
    )

    def decide(state: ChallengeState) -> LedgerEvent | None:
        known = state.accepted().get(name)
        if known is None or known.submission_sha256 != event.submission_sha256:
            return event
        return None if known.phase == chosen.name else event

    return _decided(submissions, decide, now)


def split_name(name: str) -> tuple[str, str | None]:
    """TEAM/RUN or TEAM as two names. Raises WrongUsageError if it is neither."""
    team, slash, run = name.partition("/")
    if not is_folder_name(team) or (slash and not is_folder_name(run)):
        raise WrongUsageError(
            f"{shown(name)}: expected TEAM or TEAM/RUN, names of letters, digits, dots, hyphens "
            "and underscores"
        )
    return team, run or None


def known_run(state: ChallengeState, name: str) -> str:
    """The key of a run that the ledger knows. Raises WrongUsageError, with the nearest one."""
    if name in state.runs:
        return name
    raise WrongUsageError(
        f"{shown(name)}: the ledger has no such run; {did_you_mean(name, state.runs)}"
        "`ivcr ledger show` lists them"
    )


def _decided(submissions: Path, decide: Decision, now: datetime | None) -> LedgerLine | None:
    """Write what is decided upon the ledger's state, while nobody else writes."""
    with writing(submissions, now) as writer:
        ledger = writer.read()
        event = decide(replay(ledger.lines, ledger.head))
        return None if event is None else writer.append([event])[0]


def _keys(state: ChallengeState, team: str, run: str | None) -> list[str]:
    runs = state.of_team(team)
    return [key for key in runs if run is None or key == f"{team}/{run}"]


def _team_folder(submissions: Path, team: str) -> Path:
    folder = submissions / team
    if not is_folder_name(team) or not folder.is_dir():
        raise WrongUsageError(f"{shown(team)}: expected a team's folder in {submissions}")
    return folder


def _fit_name(new: str) -> str:
    if problem := folder_name_problem(new):
        raise WrongUsageError(f"{shown(new)}: {problem}")
    return new


def _move(old: Path, new: Path) -> None:
    try:
        old.rename(new)
    except OSError as error:
        raise EnvironmentFailure(
            f"{old}: cannot be moved to {new.name}: {error.strerror or error}; run the command "
            "again"
        ) from error


def _without(table: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name != key}
