"""Whether a path is a submission's folder, and if not, which path is meant."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from harness.errors import EnvironmentFailure
from harness.files import is_leftover, shown
from harness.submission import CARD, PREDICTIONS, predictions_in

LOOKED_AT = 1000  # entries of a folder
NAMED = 3  # folders that a message names
GZIP = "a gzip archive"
ARCHIVES = {
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": GZIP,
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ\x00": "an xz archive",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
}
_TAR = (b"ustar", 257)  # the mark of a tar archive, and where it stands
EXPECTED = "expected a submission's folder"


def require_folder(path: Path) -> None:
    """Require that `path` is a submission's folder.

    A folder without card and predictions passes, unless folders in it have a card. Raises
    EnvironmentFailure, with the path that is meant, if it is none.
    """
    try:
        with os.scandir(path) as entries:
            inside = sorted(path / entry.name for entry in islice(entries, LOOKED_AT))
    except NotADirectoryError as error:
        raise EnvironmentFailure(f"{path}: {EXPECTED}, found {_file(path)}") from error
    except OSError as error:
        raise EnvironmentFailure(
            f"{path}: {EXPECTED}: {error.strerror or error}; "
            "name the folder that holds card.toml, or start one with `ivcr submission init`"
        ) from error
    if os.path.lexists(path / CARD) or predictions_in(path):
        return
    if (path / "benchmark.json").is_file():
        raise EnvironmentFailure(f"{path}: {EXPECTED}, found a benchmark; name it as --benchmark")
    meant = [entry for entry in inside if not is_leftover(entry.name) and (entry / CARD).is_file()]
    if meant:
        places = ", ".join(shown(str(entry), 400) for entry in meant[:NAMED])
        more = f" and {len(meant) - NAMED:,} more" if len(meant) > NAMED else ""
        raise EnvironmentFailure(
            f"{path}: {EXPECTED}, found no {CARD} in it; name the folder that has one: {places}"
            f"{more}"
        )


def _file(path: Path) -> str:
    """What a file is, and the next step."""
    if path.name in (CARD, *PREDICTIONS):
        return f"the file {path.name}; name the folder that holds it: {path.parent}"
    if (kind := archive_kind(path)) is not None:
        return f"{kind}; unpack it, then name the folder in it that holds {CARD}"
    return f"a file; name the folder that holds {CARD}"


def archive_kind(path: Path) -> str | None:
    """What kind of archive a file is, by its first bytes; None if it is none."""
    if not path.is_file():
        return None
    mark, at = _TAR
    try:
        with path.open("rb") as stream:
            start = stream.read(at + len(mark))
    except OSError:  # what cannot be read is some file
        return None
    if start[at:] == mark:
        return "a tar archive"
    return next((kind for begins, kind in ARCHIVES.items() if start.startswith(begins)), None)
