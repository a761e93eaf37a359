"""The hash of the code that answers depend on: of the files at hand, and of those of a commit."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from harness.checkout import files_at

FOLDER = "baselines"


def code_sha256(folder: Path, *outside: Path) -> str:
    """SHA-256 (hex) over the names and bytes of all Python files in `folder`, by name.

    So nobody has to know which modules around a baseline's file its answers depend on. outside:
    files or folders of baselines that lie elsewhere, as own1/, own2/ ...
    """
    files = python_files(folder)
    for number, place in enumerate(outside, start=1):
        files |= {f"own{number}/{name}": path for name, path in python_files(place).items()}
    return _total({name: path.read_bytes() for name, path in files.items()})


def code_sha256_at(commit: str) -> str:
    """The same over the files of a commit, without any outside.

    Raises HistoryError where the commit is not in the history at hand.
    """
    return _total(files_at(commit, FOLDER, ".py"))


def python_files(place: Path) -> dict[str, Path]:
    """By name the Python files in a folder, or the one file."""
    if place.is_file():
        return {place.name: place}
    return {path.relative_to(place).as_posix(): path for path in place.rglob("*.py")}


def _total(files: Mapping[str, bytes]) -> str:
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n".encode())
    return total.hexdigest()
