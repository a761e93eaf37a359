"""team.toml: a team is its folder, SUBMISSIONS/<team>/, and the file says how it is called."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

import msgspec
import tomli_w
from msgspec import Struct

from harness.errors import SubmissionError
from harness.files import write
from harness.schemas.documents import plain, require
from harness.teams.submission_folders import folder_name_problem
from harness.untrusted import UnfitFileError, is_absent, read_small, toml_table

TEAM = "team.toml"
LIMIT = 1 << 20  # bytes
NEXT_STEP = "mend team.toml"
_ANOTHER_TEAM = (
    f"its card names another team; write the folder's name, or the name in {TEAM}, as team into "
    "card.toml"
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
    if problem := folder_name_problem(folder.name):
        raise SubmissionError(f"{folder}: {problem}")
    return team_of(folder.name, read_table(folder))


def team_of(folder: str, table: dict[str, Any]) -> Team:
    """The team of a folder's name and of the table of its team.toml, which fits the schema."""
    return msgspec.convert({"name": folder, **table, "folder": folder}, Team)


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


def terms_version(terms: str | None) -> str | None:
    """The version of terms: 16 hex digits of the text's SHA-256, spaces at its ends left out."""
    if terms is None or not terms.strip():
        return None
    return hashlib.sha256(terms.strip().encode("utf-8", "surrogatepass")).hexdigest()[:16]


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
