"""Folders that are made beside and then take their place, and folders that vanish with their maker.

Both are in a part, so what a killed process leaves is removed by the next one that writes there.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from harness.errors import unwritable
from harness.replacement.exchange import exchange
from harness.replacement.parts import OLD, make_folder, open_place, remove_folder, remove_stale


class PartFolder:
    """An empty folder in `parent`, for its owner alone, until it is closed or its maker ends."""

    def __init__(self, parent: Path) -> None:
        """Make it, after the stale ones in `parent` are removed. Raises OSError."""
        remove_stale(parent)
        self._place = open_place(parent)
        try:
            self._lock, self._name = make_folder(self._place)
        except BaseException:
            os.close(self._place)
            raise
        self.path = parent / self._name

    def close(self) -> None:
        """Remove it with all it holds; no error if it is gone."""
        remove_folder(self._name, self._place)
        os.close(self._lock)
        os.close(self._place)


@contextmanager
def replaced_folder(
    out: Path, *, must_be_new: bool = False, parents: bool = False
) -> Iterator[Path]:
    """A new empty folder that takes the place of `out` if the block succeeds, and vanishes if not.

    `out` is absent or a folder. `must_be_new`: nothing but an empty folder is replaced. `parents`:
    the folders above are made where absent. At each moment `out` is the old folder or the new one,
    with one exception: where the system cannot exchange two folders in one step and the process is
    killed between two, `out` is absent until a folder is written beside it, which puts it back.
    Raises EnvironmentFailure if the disk fails; `out` is then as it was.
    """
    out = out.resolve() if out.name in ("", "..") else out
    try:
        with _made(out.parent if parents else Path()), closing(PartFolder(out.parent)) as home:
            new = home.path / "new" / out.name
            new.parent.mkdir()
            new.mkdir()
            yield new
            if must_be_new or not os.path.lexists(out):
                new.rename(out)
            else:
                _put_in_place(new, out, home.path / OLD / out.name)
    except OSError as error:
        raise unwritable(out, error) from error


@contextmanager
def temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """An empty folder in `parent`, or among the system's temporary ones; gone after the block.

    Raises EnvironmentFailure if the disk fails.
    """
    place, advice = parent or Path("temporary files"), "name another place"
    try:
        if parent is None:
            place, advice = Path(tempfile.gettempdir()), "set TMPDIR to another folder"
        with closing(PartFolder(place)) as home:
            yield home.path
    except OSError as error:
        raise unwritable(place, error, advice) from error


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make a folder and those above it; those that were absent go again if the block fails."""
    absent = [each for each in (folder, *folder.parents) if not os.path.lexists(each)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for each in absent:
            with suppress(OSError):  # others put something there
                each.rmdir()
        raise


def _put_in_place(new: Path, out: Path, old: Path) -> None:
    if not exchange(new, out):
        old.parent.mkdir()
        out.rename(old)
        try:
            new.rename(out)
        except OSError:
            with suppress(OSError):  # else the part puts it back
                old.rename(out)
            raise
