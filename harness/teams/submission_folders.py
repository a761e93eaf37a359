"""Folders of submissions, SUBMISSIONS/<team>/<run>/: their names, their level, what is in them."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from itertools import islice
from pathlib import Path

from harness.errors import EnvironmentFailure, WrongUsageError, did_you_mean
from harness.files import is_leftover, shown

CARD = "card.toml"
CHALLENGE = "challenge.toml"
EXPECTED = "expected a folder of <team>/<run>/ submissions"
TEAMS_NAMED = 20
MOST = 10_000  # files and folders in the folder of a team
FLOORS = "floors"  # begins the keys of the benchmark's own runs
_FOLDER_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


def is_folder_name(name: str) -> bool:
    """Whether the ledger can name a team or run of that name."""
    return _FOLDER_NAME.fullmatch(name) is not None


def folder_name_problem(name: str) -> str | None:
    """What is wrong with the name of a team's folder; None if nothing is."""
    if not is_folder_name(name):
        return (
            "expected a folder's name of 1 to 100 letters, digits, dots, hyphens and underscores; "
            "rename it"
        )
    if name.casefold() == FLOORS:
        return f"{FLOORS} is the name of the benchmark's own runs; name the team otherwise"
    return None


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
                if is_visible(entry.name) and entry.is_dir(follow_symlinks=False)
            )
    except OSError as error:
        raise EnvironmentFailure(f"{folder}: cannot be read: {error.strerror or error}") from error
    return [folder / name for name in names]


def subfolders(folder: Path) -> list[Path]:
    """The first folders inside, by name, links included; hidden ones and leftovers are left out.

    Those of a folder that cannot be read are none: whoever reads its runs says so.
    """
    try:
        with os.scandir(folder) as inside:
            found = [entry for entry in islice(inside, MOST) if is_visible(entry.name)]
            names = [each.name for each in found if is_folder(each)]
    except OSError:
        return []
    return [folder / name for name in sorted(names)]


def is_visible(name: str) -> bool:
    """Whether a thing of that name is a part of the submissions: not hidden and no leftover."""
    return not name.startswith(".") and not is_leftover(name)


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder, or a link to one or one that cannot be followed."""
    try:
        return entry.is_dir()
    except OSError:
        return entry.is_symlink()


def require_submissions(folder: Path) -> None:
    """Require that `folder` is a folder of teams' folders.

    One with nothing in it, or with a challenge alone, is one: its first board shows floors. Raises
    EnvironmentFailure if it is no folder; WrongUsageError, with the one that is meant, if no
    <team>/<run>/ is in it: it is a benchmark, a submission, a team's folder, or one above.
    """
    if not folder.is_dir():
        raise EnvironmentFailure(f"{folder}: {EXPECTED}, found none")
    if (folder / "benchmark.json").is_file():
        raise WrongUsageError(f"{folder}: {EXPECTED}, found a benchmark; name it as --benchmark")
    if (folder / CARD).is_file():
        above = folder.resolve().parents
        meant = above[1] if len(above) > 1 else above[0]
        raise WrongUsageError(
            f"{folder}: {EXPECTED}, found one submission; name the folder of all teams: {meant}"
        )
    teams = subfolders(folder)
    if any(subfolders(team) for team in teams if not _is_run(team)):
        _refuse_level_above(folder, teams)
        return
    if any(map(_is_run, teams)):
        raise WrongUsageError(
            f"{folder}: {EXPECTED}, found a team's folder; name the folder above it: "
            f"{folder.resolve().parent}"
        )
    empty = not teams and not any(is_visible(path.name) for path in folder.iterdir())
    if empty or (folder / CHALLENGE).is_file():
        return
    raise WrongUsageError(
        f"{folder}: {EXPECTED}, found none in it; put each submission into a folder of its own "
        f"below its team's, as {folder / 'team' / 'run' / CARD}"
    )


def _refuse_level_above(folder: Path, teams: Iterable[Path]) -> None:
    """Raise WrongUsageError if cards lie in folders below <team>/<run>/ alone."""
    runs = [run for team in teams for run in subfolders(team)]
    if any(map(_is_run, runs)):
        return
    inner = next((run for run in runs if any(map(_is_run, subfolders(run)))), None)
    if inner is not None:
        raise WrongUsageError(f"{folder}: {EXPECTED}, found a folder above it; name {inner.parent}")


def require_teams(organizers: Collection[str], submissions: Path) -> None:
    """Require a team's folder for each of `organizers`. Raises WrongUsageError if there is none."""
    teams = [path.name for path in subfolders(submissions)]
    for name in organizers:
        if name not in teams:
            here = [shown(team) for team in teams]
            raise WrongUsageError(
                f"--organizers {shown(name)}: {submissions} has no team's folder of that name; "
                f"{did_you_mean(shown(name), here)}it has {', '.join(here[:TEAMS_NAMED])}"
            )


def _is_run(folder: Path) -> bool:
    return os.path.isfile(folder / CARD)  # noqa: PTH113 - False where nobody may look
