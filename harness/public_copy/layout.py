"""Which files of a benchmark participants may have, by name alone: what is not known stays out."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

import msgspec

from harness.benchmark import PUBLIC_SPLIT_FILES, VIDEOS_ROOT
from harness.files import is_leftover
from harness.records import SPLITS
from harness.untrusted import UnfitFileError, json_document, read_small

# public: everybody's. The others stay with the organizers, each for a reason (REASONS).
Role = Literal[
    "public", "video", "labels", "source", "floor figures", "floor reference", "root",
    "leftover", "unknown", "link", "special",
]  # fmt: skip
REASONS: dict[Role, str] = {
    "labels": "the labels of a hidden split",
    "source": "the imported file itself, answers included",
    "floor figures": "exact figures of a floor on a hidden split: anyone can make its predictions",
    "floor reference": "a floor's run with reference history, which repeats gold videos",
    "root": "names a folder of the organizers' machine",
    "leftover": "left by a system or an editor; it may hold an earlier state of any file",
    "unknown": "is not known to belong to a benchmark",
    "link": "is a link; it may lead anywhere",
    "special": "is no plain file",
}
# The description that `ivcr data croissant` writes. A copy gets its own, since it lists hashes.
DESCRIPTION = "croissant.json"
_FLOOR_NAME = re.compile(r"[a-z0-9_]{1,40}")
_FLOOR_FILES = frozenset(
    (
        *("card.toml", "run.json", "environment.json"),
        *("predictions.jsonl", "predictions.jsonl.gz", "predictions.jsonl.zst"),
    )
)
_FLOOR_FIGURES = frozenset(("scores.json", "scores.outcomes.npz", "scores.official.json"))
_PUBLIC_FILES = ("benchmark.json", "videos.jsonl", "train/events.jsonl", DESCRIPTION)
_LARGEST_RECORD = 1 << 20  # bytes of a floor's run.json


class CopyFile(NamedTuple):
    """A file of a folder: its name relative to it, with slashes, and its role."""

    name: str
    role: Role


class CopyLayout:
    """The roles of a benchmark's files where the labels of the splits `hidden` are hidden."""

    def __init__(
        self, splits: Collection[str], hidden: Collection[str], videos: Collection[str]
    ) -> None:
        """`splits`: all of the benchmark; `videos`: the places of videos' files in the folder."""
        self._splits, self._hidden = frozenset(splits), frozenset(hidden)
        self._videos = frozenset(videos)

    def entries(self, folder: Path) -> Iterator[CopyFile]:
        """All files of `folder` by name, with their roles; folders that hold none are unknown."""
        for name in sorted(_names(folder)):
            mode = (folder / name).lstat().st_mode
            if stat.S_ISREG(mode):
                yield CopyFile(name, self.role(name, folder))
            elif stat.S_ISDIR(mode):
                yield CopyFile(name, "unknown")
            else:
                yield CopyFile(name, "link" if stat.S_ISLNK(mode) else "special")

    def role(self, name: str, folder: Path) -> Role:
        """The role of a plain file; of floors `folder` tells which split they answer."""
        parts = name.split("/")
        if any(map(is_leftover, parts)):
            return "leftover"
        if parts[0] == "source":
            return "source"
        if parts[0] == "floors":
            return self._floor_role(parts, folder) if len(parts) == 4 else "unknown"
        # META names the videos' places: none of them makes a file of labels one of a video.
        if name in self._videos and parts[0] not in SPLITS and len(parts) > 1:
            return "video"
        return self._own_role(parts)

    def _own_role(self, parts: list[str]) -> Role:
        if "/".join(parts) in _PUBLIC_FILES:
            return "public"
        if parts == [VIDEOS_ROOT]:
            return "root"
        if len(parts) != 2 or parts[0] not in self._splits:
            return "unknown"
        if parts[1] in PUBLIC_SPLIT_FILES:
            return "public"
        if parts[1] in ("gold.jsonl", "reference.jsonl"):
            return "labels" if parts[0] in self._hidden else "public"
        return "unknown"

    def _floor_role(self, parts: list[str], folder: Path) -> Role:
        _, floor, history, file = parts
        if not _FLOOR_NAME.fullmatch(floor) or file not in _FLOOR_FILES | _FLOOR_FIGURES:
            return "unknown"
        split = floor_split(folder.joinpath(*parts[:3]))
        if split in self._splits - self._hidden:
            return "public"
        if file in _FLOOR_FIGURES:
            return "floor figures"
        if history == "reference":
            return "floor reference"
        return "public" if history in ("none", "own") else "unknown"


class _RunOf(msgspec.Struct, frozen=True):
    benchmark: dict[str, str]


def floor_split(folder: Path) -> str | None:
    """The split that a floor's run answers, as its run.json says; None where it does not."""
    try:
        record = json_document(read_small(folder / "run.json", _LARGEST_RECORD), _RunOf)
    except UnfitFileError:
        return None
    return record.benchmark.get("split")


def inner_path(path: str | None) -> str | None:
    """A path of META in its plain form, if it stays inside the folder; else None."""
    if path is None or "\0" in path:
        return None
    pure = PurePosixPath(path)
    return None if pure.is_absolute() or ".." in pure.parts or not pure.parts else pure.as_posix()


def _names(folder: Path) -> Iterator[str]:
    """All that is no folder, and folders that hold nothing; links are not followed."""
    for place, folders, files in os.walk(folder):
        at = Path(place)
        links = [name for name in folders if (at / name).is_symlink()]
        for name in (*files, *links):
            yield (at / name).relative_to(folder).as_posix()
        if not files and not folders and at != folder:
            yield at.relative_to(folder).as_posix()
