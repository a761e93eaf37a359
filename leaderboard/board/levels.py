"""Whether a folder is that of all submissions, SUBMISSIONS/<team>/<run>/, and if not, which is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from harness.errors import EnvironmentFailure, WrongUsageError, did_you_mean
from harness.files import is_leftover, shown

CARD = "card.toml"
EXPECTED = "expected a folder of <team>/<run>/ submissions"
TEAMS_NAMED = 20


def subfolders(folder: Path) -> list[Path]:
    """Folders inside, by name, links to folders included; hidden ones and leftovers are left out.

    Raises OSError if the folder cannot be read.
    """
    if not folder.is_dir():
        return []
    inside = (path for path in folder.iterdir() if not path.name.startswith("."))
    return sorted(path for path in inside if path.is_dir() and not is_leftover(path.name))


def require_submissions(folder: Path) -> None:
    """Require that `folder` is a folder of teams' folders.

    Raises EnvironmentFailure if it is no folder; WrongUsageError, with the one that is meant, if no
    <team>/<run>/ is in it: it is a benchmark, a submission, a team's folder, one above, or empty.
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
    return (folder / CARD).is_file()


def run_folders(root: Path) -> Iterator[Path]:
    """The folders <team>/<run>/ below a root, and those with a card one level too high."""
    for first in subfolders(root):
        if first.is_symlink() or _is_run(first):
            yield first
        else:
            yield from subfolders(first)
