"""The data formats that can be imported: each is a file of this package that declares SOURCE.

    SOURCE = Source(samples)

Whatever its files look like, a source turns them into dialogues of the official format, which the
import then treats all alike (official_dialogue.py has the keys).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from harness.benchmark import VideoLine
from harness.declarations import declaring_files
from harness.errors import WrongUsageError, did_you_mean
from harness.files import shown
from harness.sources.json_stream import Progress

OFFICIAL = "ivcr200k"
# By name, the first line of the source's file.
SOURCES = declaring_files(Path(__file__).parent, "SOURCE")


class InputFile(NamedTuple):
    """A file to import. `name`: what messages call it; `progress`: bytes read, of how many."""

    path: Path
    name: Path
    progress: Progress | None = None


def no_videos(file: InputFile) -> Iterator[VideoLine]:
    """No video: the files say nothing of videos beyond their ids."""
    yield from ()


class Source(NamedTuple):
    """What a source's file declares as SOURCE.

    `samples` gives the dialogues of a file in its order; `videos` what the file itself says of
    videos, which META replaces. Both raise EnvironmentFailure, with the place, at what they cannot
    read.
    """

    samples: Callable[[InputFile], Iterator[Any]]
    videos: Callable[[InputFile], Iterator[VideoLine]] = no_videos


def source_named(name: str) -> Source:
    """The source of that name, which imports its file. Raises WrongUsageError if there is none."""
    if name not in SOURCES:
        raise WrongUsageError(
            f"{shown(name)}: no such source; {did_you_mean(name, SOURCES)}expected one of: "
            + ", ".join(SOURCES)
        )
    declared: Source = importlib.import_module(f"harness.sources.{name}").SOURCE
    return declared
