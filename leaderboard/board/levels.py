"""Whether a folder is that of all submissions, SUBMISSIONS/<team>/<run>/, and if not, which is."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from itertools import islice
from pathlib import Path

from harness.errors import EnvironmentFailure, WrongUsageError, did_you_mean
from harness.files import is_leftover, shown

CARD = "card.toml"
EXPECTED = "expected a folder of <team>/<run>/ submissions"
TEAMS_NAMED = 20
MOST = 10_000  # files and folders in the folder of a team


def subfolders(folder: Path) -> list[Path]:
    """The first folders inside, by name, links included; hidden ones and leftovers are left out.

    Those of a folder that cannot be read are none: whoever reads its runs says so.
    """
    try:
        with os.scandir(folder) as inside:
            found = [entry for entry in islice(inside, MOST) if not entry.name.startswith(".")]
            names = [each.name for each in found if is_folder(each) and not is_leftover(each.name)]
    except OSError:
        return []
    return [folder / name for name in sorted(names)]


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder, or a link to one or one that cannot be followed."""
    try:
        return entry.is_dir()
    except OSError:
        return entry.is_symlink()


def require_submissions(folder: Path) -> None:
    """Require that `folder` is a folder of teams' folders.

    A folder with nothing in it is one: a challenge's first board shows floors alone. Raises
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
    if not teams and not any(map(_is_content, folder.iterdir())):
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


def _is_content(path: Path) -> bool:
    return not path.name.startswith(".") and not is_leftover(path.name)


def _is_run(folder: Path) -> bool:
    return os.path.isfile(folder / CARD)  # noqa: PTH113 - False where nobody may look
