"""Files of one site in another: linked where the disk can, and the frozen boards of the last one.

Pages never change in place, so a second name of the same file will do.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from harness.errors import EnvironmentFailure
from harness.files import is_leftover, shown
from leaderboard.site.frozen.manifest import FOLDER, MANIFEST, FrozenBoard, read_manifest


def link_or_copy(old: Path, new: Path) -> None:
    """Let `new` be a second name of the file `old`, or a copy. Raises OSError."""
    try:
        new.hardlink_to(old)
    except OSError:  # a file system without links
        shutil.copy2(old, new, follow_symlinks=False)


def frozen_boards(site: Path) -> tuple[FrozenBoard, ...]:
    """The frozen boards of a site, the one whose ledger ends first first.

    Raises EnvironmentFailure if something else stands among them, SubmissionError if a manifest
    cannot be read.
    """
    boards = []
    for folder in _folders(site):
        manifest, digest = read_manifest(folder)
        boards.append(FrozenBoard(folder.name, digest, manifest.board))
    return tuple(sorted(boards, key=lambda each: (_last_event(each), each.name)))


def carry_frozen(site: Path, new: Path) -> None:
    """Put all frozen boards of `site` into the folder `new`, byte for byte.

    Raises EnvironmentFailure if something else than folders and files stands in one, OSError if the
    disk fails.
    """
    for folder in _folders(site):
        for path in plain_files(folder):
            target = new / FOLDER / folder.name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(folder / path, target)


def plain_files(folder: Path, left_out: str = "") -> Iterator[str]:
    """All files below a folder by their paths, sorted, without what an editor or a system left.

    `left_out`: a name at the top that is passed over. Raises EnvironmentFailure at a link or
    anything else that is neither folder nor file.
    """
    for path, mode in sorted(entries(folder, left_out).items()):
        if is_leftover(path.rpartition("/")[2]):
            continue
        if not stat.S_ISREG(mode):
            raise EnvironmentFailure(
                f"{folder / path}: expected folders and files alone in a site, found "
                f"{'a link' if stat.S_ISLNK(mode) else 'something else'}; remove it"
            )
        yield path


def entries(folder: Path, left_out: str = "") -> dict[str, int]:
    """By path the mode of all below a folder that is no folder itself; links are not followed.

    `left_out`: as in `plain_files`. Raises EnvironmentFailure if a folder cannot be read.
    """
    modes, left = {}, [""]
    while left:
        before = left.pop()
        try:
            with os.scandir(folder / before) as found:
                for entry in found:
                    path, mode = before + entry.name, entry.stat(follow_symlinks=False).st_mode
                    if stat.S_ISDIR(mode) and path != left_out:
                        left.append(f"{path}/")
                    elif path != left_out:
                        modes[path] = mode
        except OSError as error:
            raise EnvironmentFailure(
                f"{folder / before}: cannot be read: {error.strerror or error}"
            ) from error
    return modes


def _folders(site: Path) -> Iterator[Path]:
    place = site / FOLDER
    if not os.path.lexists(place):
        return
    if place.is_symlink() or not place.is_dir():
        raise EnvironmentFailure(f"{place}: expected a folder of frozen boards; move it away")
    for folder in sorted(place.iterdir()):
        if folder.name.startswith(".") or is_leftover(folder.name):  # an unfinished one, too
            continue
        if folder.is_symlink() or not (folder / MANIFEST).is_file():
            raise EnvironmentFailure(
                f"{place}: expected frozen boards alone, found {shown(folder.name)}, which has no "
                f"{MANIFEST}; move it away, or put the whole board back"
            )
        yield folder


def _last_event(board: FrozenBoard) -> str:
    return (board.state.ledger and board.state.ledger.last_event) or ""
