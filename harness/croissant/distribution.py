"""The files of a benchmark that participants have, with sizes and hashes, and their videos."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from harness.benchmark import SPLIT_FILES, Benchmark
from harness.croissant.vocabulary import Node, media_type
from harness.errors import EnvironmentFailure
from harness.public_copy.expected import header_bytes, public_paths, video_lines
from harness.public_copy.layout import CopyLayout
from harness.records import SPLITS

VIDEO_FILES = "video-files"
EVENTS = "train/events.jsonl"
_MOST_PATTERNS = 50
_WHAT = {
    "benchmark.json": "Name, version, counts and fingerprint of the benchmark",
    "videos.jsonl": "All videos, one a line: durations, texts and paths",
    "corpus.txt": "The videos that may be ranked, one id a line",
    "turns.jsonl": "What the user says, one turn a line, dialogues together and turns in order",
    "candidates.jsonl": "The videos that a first stage gives each turn, best first",
    "reference.jsonl": "Reference answers and gold videos, as reference history shows them",
    "gold.jsonl": "The right video, moment and answer of each turn",
    "events.jsonl": "What happens when in each training video",
}


class PublicFile(NamedTuple):
    """A file that participants have: name relative to the folder, bytes, SHA-256 in hex."""

    name: str
    size: int
    sha256: str

    def node(self) -> Node:
        """The file as a FileObject."""
        split, _, file = self.name.rpartition("/")
        return {
            "@type": "cr:FileObject",
            "@id": self.name,
            "name": self.name,
            "description": _WHAT[file] + (f" (split {split})." if split else "."),
            "contentUrl": self.name,
            "contentSize": f"{self.size} B",
            "encodingFormat": media_type(self.name),
            "sha256": self.sha256,
        }

    def is_at(self, folder: Path) -> bool:
        """Whether the file stands in a folder with these bytes."""
        path = folder / self.name
        return path.is_file() and _file(self.name, path.read_bytes()) == self


def public_files(benchmark: Benchmark, hidden: Collection[str]) -> tuple[PublicFile, ...]:
    """The files of data in the copy that participants get, where `hidden` splits hide labels.

    benchmark.json and videos.jsonl are those of the copy, which differ from the organizers' own in
    hashes of labels and in places of videos. Raises EnvironmentFailure if the gold of a split is
    not the one of the import.
    """
    layout = CopyLayout(benchmark.header.splits, hidden, ())
    there = {name for name, role in layout.entries(benchmark.folder) if role == "public"}
    files = [
        _file("benchmark.json", header_bytes(benchmark.header, hidden)),
        _file("videos.jsonl", video_lines(benchmark)),
    ]
    for name in _names_of_splits():
        if name in there:
            files.append(_file(name, (benchmark.folder / name).read_bytes()))
            _require_imported(benchmark, files[-1])
    return tuple(files)


def _names_of_splits() -> Iterator[str]:
    for split in SPLITS:
        yield from (f"{split}/{file}" for file in SPLIT_FILES)
    yield EVENTS


def _file(name: str, data: bytes) -> PublicFile:
    return PublicFile(name, len(data), hashlib.sha256(data).hexdigest())


def _require_imported(benchmark: Benchmark, file: PublicFile) -> None:
    split, _, name = file.name.partition("/")
    if name == "gold.jsonl" and file.sha256 != benchmark.header.gold_sha256.get(split):
        raise EnvironmentFailure(
            f"{benchmark.folder / file.name}: changed since the import (its SHA-256 is not the one "
            "in benchmark.json); import the benchmark again"
        )


def video_files(benchmark: Benchmark) -> Node | None:
    """The videos' files in the copy as a FileSet; None where no video has a path.

    Each folder gives a pattern for each ending; many folders are summed up below the first part of
    their path.
    """
    paths = [PurePosixPath(path) for path in public_paths(benchmark)]
    if not paths:
        return None
    patterns = {_pattern(path.parent.as_posix(), path) for path in paths}
    if len(patterns) > _MOST_PATTERNS:
        patterns = {_pattern(path.parts[0], path, "**/*") for path in paths}
    return {
        "@type": "cr:FileSet",
        "@id": VIDEO_FILES,
        "name": VIDEO_FILES,
        "description": (
            f"The files of {len(paths)} videos, as `path` in videos.jsonl names them; a copy may "
            "come without them."
        ),
        "encodingFormat": sorted({media_type(path.name) for path in paths}),
        "includes": sorted(patterns),
    }


def _pattern(folder: str, path: PurePosixPath, inner: str = "*") -> str:
    return f"{glob.escape(folder)}/{inner}{glob.escape(path.suffix)}"
