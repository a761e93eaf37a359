"""The folders of a board's runs: <team>/<run>/ and the benchmark's floors."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from harness.errors import SubmissionError
from harness.files import is_leftover
from harness.teams.submission_folders import FLOORS as FLOORS_NAME
from harness.teams.submission_folders import MOST, is_folder, is_visible

FLOORS = f"{FLOORS_NAME}/"
# Files of an unfinished `ivcr baseline run`, in <run>.run beside the submission to be.
_JOURNAL = re.compile(r"\d+-of-\d+\.(jsonl|traceback\.txt)")


def run_folders(submissions: Path, floors: Path) -> Iterator[tuple[str, Path | SubmissionError]]:
    """Key and folder of each run; instead of the folder, why none can be read under the key.

    A key is <team folder>/<run folder>, for a floor floors/<name>/<history>. Journals of unfinished
    runs, hidden folders and leftovers are passed over.
    """
    for prefix, root in (("", submissions), (FLOORS, floors)):
        for first in sorted(_inside(root)) if root.is_dir() else ():
            team = prefix + _readable(first)
            if reason := _misplaced(first, prefix):
                yield team, reason
                continue
            try:
                runs = sorted(_inside(first, MOST))
            except SubmissionError as error:
                yield team, error
                continue
            for second in runs:
                if not _unfinished(second):
                    yield f"{team}/{_readable(second)}", _unfit(second) or second


def folder_of(key: str, submissions: Path, floors: Path) -> Path:
    """Where the run of a key lies."""
    if key.startswith(FLOORS):
        return floors / key.removeprefix(FLOORS)
    return submissions / key


def _misplaced(team: Path, prefix: str) -> SubmissionError | None:
    if not prefix and team.name.casefold() == FLOORS_NAME:
        return SubmissionError(f"{team.name} is the name of the floors; name the team otherwise")
    # Path.is_file would raise where nobody may look.
    if not team.is_symlink() and os.path.isfile(team / "card.toml"):  # noqa: PTH113
        return SubmissionError("expected <team>/<run>/, found a card.toml one level too high")
    return _unfit(team)


def _unfit(folder: Path) -> SubmissionError | None:
    """The error for a folder that is a link, or whose name is no text."""
    if folder.is_symlink():
        return SubmissionError("the folder is a link; put the submission itself here")
    if _readable(folder) == folder.name:
        return None
    return SubmissionError("expected a folder's name in UTF-8, found other bytes; rename it")


def _inside(folder: Path, most: int | None = None) -> Iterator[Path]:
    """Folders inside, links to folders included: they are refused, not ignored.

    Raises SubmissionError if the folder cannot be read or holds more than `most` things.
    """
    try:
        with os.scandir(folder) as inside:
            for number, entry in enumerate(inside, start=1):
                if most is not None and number > most:
                    raise SubmissionError(f"expected at most {most:,} runs, found more")
                if is_visible(entry.name) and is_folder(entry):
                    yield folder / entry.name
    except OSError as error:
        raise SubmissionError(f"cannot be read: {error.strerror}") from error


def _readable(folder: Path) -> str:
    """The folder's name; bytes that are no UTF-8 as \\xff."""
    return os.fsencode(folder.name).decode("utf-8", "backslashreplace")


def _unfinished(folder: Path) -> bool:
    """Whether it is the journal of an unfinished run: <run>.run with files K-of-N.jsonl alone.

    Tracebacks of a baseline's own code, K-of-N.traceback.txt, may lie beside them. A folder with
    any other file is read as a submission.
    """
    if folder.suffix != ".run" or folder.is_symlink():
        return False
    try:
        with os.scandir(folder) as inside:
            names = (entry.name for entry in inside)
            return all(_JOURNAL.fullmatch(name) or is_leftover(name) for name in names)
    except OSError:
        return False
