"""Teams: a team is its folder, SUBMISSIONS/<team>/, and team.toml says how it is called."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal

import msgspec
import tomli_w
from msgspec import Struct

from harness.errors import EnvironmentFailure, SubmissionError
from harness.files import is_leftover, write
from harness.schemas.documents import plain, require
from harness.untrusted import UnfitFileError, is_absent, read_small, toml_table

TEAM = "team.toml"
LIMIT = 1 << 20  # bytes
NEXT_STEP = "mend team.toml"
_ANOTHER_TEAM = (
    f"its card names another team; write the folder's name, or the name in {TEAM}, as team into "
    "card.toml"
)
_FOLDER_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_WRONG_NAME = (
    "expected a folder's name of 1 to 100 letters, digits, dots, hyphens and underscores; rename it"
)


class Team(Struct, frozen=True, kw_only=True):
    """A team. `folder`: its folder's name; `name`: what people call it, by default the folder.

    `anonymous`: the name is an alias. `terms`: the version of the terms that it accepted. Members
    and contact are for the organizers: they never go to the ledger.
    """

    folder: str
    name: str
    members: tuple[str, ...] = ()
    contact: str | None = None
    anonymous: bool = False
    terms: str | None = None


def read_team(folder: Path) -> Team:
    """The team of a folder; without team.toml the folder's name is its name.

    Raises SubmissionError, with the next step, if the file or the folder's name is not fit.
    """
    if not is_folder_name(folder.name):
        raise SubmissionError(f"{folder}: {_WRONG_NAME}")
    return msgspec.convert({"name": folder.name, **read_table(folder), "folder": folder.name}, Team)


def read_table(folder: Path) -> dict[str, Any]:
    """The table of a folder's team.toml, {} where there is none. Raises SubmissionError."""
    path = folder / TEAM
    if is_absent(path):
        return {}
    try:
        table: dict[str, Any] = plain(toml_table(read_small(path, LIMIT)))
    except UnfitFileError as error:
        raise SubmissionError(f"{path}: {error}; {NEXT_STEP}") from error
    require("team", table, path, NEXT_STEP, SubmissionError)
    return table


def write_table(folder: Path, table: dict[str, Any]) -> None:
    """Write a folder's team.toml, whole or not at all."""
    write(folder / TEAM, tomli_w.dumps(table).encode())


def is_folder_name(name: str) -> bool:
    """Whether the ledger can name a team or run of that name."""
    return _FOLDER_NAME.fullmatch(name) is not None


def require_submissions(submissions: Path) -> None:
    """Raises EnvironmentFailure where there is no such folder, which is no empty challenge."""
    if not submissions.is_dir():
        raise EnvironmentFailure(
            f"{submissions}: expected a folder of submissions, found none; name the folder that "
            "holds challenge.toml"
        )


def folders_in(folder: Path) -> list[Path]:
    """The folders of teams, or of a team's runs, by name.

    Hidden ones, links and leftovers of systems are none. Raises EnvironmentFailure if `folder`
    cannot be read.
    """
    try:
        with os.scandir(folder) as inside:
            names = sorted(
                entry.name
                for entry in inside
                if entry.is_dir(follow_symlinks=False)
                and not entry.name.startswith(".")
                and not is_leftover(entry.name)
            )
    except OSError as error:
        raise EnvironmentFailure(f"{folder}: cannot be read: {error.strerror or error}") from error
    return [folder / name for name in names]


def team_problem(
    team: Team, card_team: str, terms: str | None
) -> tuple[Literal["team", "terms"], str] | None:
    """Why a team's run cannot be accepted: ground and reason; None if it can.

    `card_team`: whom its card names; `terms`: the version that must be accepted, if there is one.
    """
    if card_team not in (team.name, team.folder):
        return "team", _ANOTHER_TEAM
    if terms is not None and team.terms != terms:
        accepted = "another version" if team.terms else "none"
        return "terms", f"accept the terms: write terms = '{terms}' into {TEAM} (found {accepted})"
    return None
