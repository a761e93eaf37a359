"""The files of a benchmark's videos: their paths, and the hashes of their contents."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from msgspec import DecodeError, json

from harness.benchmark import MISSING, VideoFolder
from harness.files import canonical, write
from harness.records import Video

READERS = 4  # threads that read files to hash them


def locate_files(
    videos: Mapping[str, Video], folder: Path
) -> tuple[dict[str, Path], dict[str, str]]:
    """The videos' files by id, and the reasons of those without (see VideoFolder)."""
    home = VideoFolder(folder)
    places = {video_id: home.find(video) for video_id, video in videos.items()}
    paths = {name: place for name, place in places.items() if isinstance(place, Path)}
    return paths, {name: place for name, place in places.items() if isinstance(place, str)}


def hash_files(
    paths: Mapping[str, Path], index: HashIndex, skipped: dict[str, str]
) -> dict[str, str]:
    """The SHA-256 of each file by video id; an unreadable file is added to `skipped`."""

    def digest_of(path: Path) -> str | None:
        try:
            return index.digest(path)
        except OSError:
            return None

    with ThreadPoolExecutor(READERS) as pool:
        digests = dict(zip(paths, pool.map(digest_of, paths.values()), strict=True))
    index.save()
    skipped |= {
        name: f"{MISSING}: may not be read" for name, digest in digests.items() if not digest
    }
    return {name: digest for name, digest in digests.items() if digest}


class HashIndex:
    """The SHA-256 of files by path, stored in `file`; valid while size and time of change stay."""

    def __init__(self, file: Path) -> None:
        """A file that is absent or damaged counts as empty."""
        self._file = file
        self._known = _read_index(file)
        self._new: dict[str, tuple[int, int, str]] = {}

    def digest(self, path: Path) -> str:
        """The hash of a file, which is read again if it may have changed. Raises OSError."""
        state = path.stat()
        size, changed, value = self._known.get(str(path), (-1, -1, ""))
        if (size, changed) == (state.st_size, state.st_mtime_ns):
            return value
        with path.open("rb") as stream:
            value = hashlib.file_digest(stream, "sha256").hexdigest()
        self._new[str(path)] = (state.st_size, state.st_mtime_ns, value)
        return value

    def save(self) -> None:
        """Store the new hashes; those that another process stored meanwhile stay."""
        if self._new:
            self._known = _read_index(self._file) | self._known | self._new
            write(self._file, canonical(self._known), durable=False)


def _read_index(file: Path) -> dict[str, tuple[int, int, str]]:
    try:
        return json.decode(file.read_bytes(), type=dict[str, tuple[int, int, str]])
    except (OSError, DecodeError):
        return {}
