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

import msgspec

from harness.benchmark import VideoLine
from harness.declarations import declaring_files
from harness.errors import EnvironmentFailure, WrongUsageError, did_you_mean
from harness.files import plain, shown
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


def dialogues_of(name: str, file: InputFile) -> Iterator[Any]:
    """The dialogues of a file by the source of that name, whatever library it reads with.

    Raises WrongUsageError if there is no such source, EnvironmentFailure at what it cannot read and
    at a value that JSON does not have.
    """
    source = source_named(name)
    if name == OFFICIAL:  # what a JSON parser gave is plain already
        return source.samples(file)
    return _plain(source.samples(file), f"{file.name}: dialogue", Any)


def videos_of(name: str, file: InputFile) -> Iterator[VideoLine]:
    """What a file says of its videos, likewise."""
    return _plain(source_named(name).videos(file), f"{file.name}: video", VideoLine)


def _plain(values: Iterator[Any], what: str, kind: Any) -> Iterator[Any]:
    for number, value in enumerate(values, start=1):
        try:
            yield msgspec.convert(plain(value), kind)
        except (TypeError, ValueError, RecursionError) as error:
            raise EnvironmentFailure(
                f"{what} {number}: expected values as JSON has them: {error}; mend the source"
            ) from error


def source_named(name: str) -> Source:
    """The source of that name, which imports its file. Raises WrongUsageError if there is none."""
    if name not in SOURCES:
        raise WrongUsageError(
            f"{shown(name)}: no such source; {did_you_mean(name, SOURCES)}expected one of: "
            + ", ".join(SOURCES)
        )
    declared: Source = importlib.import_module(f"harness.sources.{name}").SOURCE
    return declared
