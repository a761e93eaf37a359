"""The files of a benchmark's videos: where they lie, and which bytes they hold."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

from msgspec import DecodeError, json

from harness.errors import EnvironmentFailure
from harness.files import canonical, shown
from harness.records import Video

READERS = 4  # threads that read files to hash them


def located(videos: Mapping[str, Video], folder: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """The videos' files by id, and why others have none: nothing outside `folder` is read."""
    root = folder.resolve()
    places = {video_id: _place(video, root) for video_id, video in videos.items()}
    found = {name: place for name, place in places.items() if isinstance(place, Path)}
    return found, {name: place for name, place in places.items() if isinstance(place, str)}


def _place(video: Video, root: Path) -> Path | str:
    if video.path is None:
        return "no path"
    try:
        path = (root / video.path).resolve()
        if not path.is_relative_to(root):
            return "path leaves the folder"
        return path if path.is_file() else f"missing: no file {shown(video.path)}"
    except (OSError, ValueError, RuntimeError):  # a NUL, a name too long, a circle of links
        return f"missing: no path {shown(video.path)}"


def hashed(located: Mapping[str, Path], hashes: Hashes, skipped: dict[str, str]) -> dict[str, str]:
    """The SHA-256 of each file; one that cannot be read is added to `skipped`."""

    def one(path: Path) -> str | None:
        try:
            return hashes.of(path)
        except OSError:
            return None

    with ThreadPoolExecutor(READERS) as pool:
        found = dict(zip(located, pool.map(one, located.values()), strict=True))
    hashes.save()
    skipped |= {name: "missing: may not be read" for name, digest in found.items() if not digest}
    return {name: digest for name, digest in found.items() if digest}


class Hashes:
    """The SHA-256 of files by path, remembered in `file` while size and time of change stay."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known = _remembered(file)
        self._new: dict[str, tuple[int, int, str]] = {}

    def of(self, path: Path) -> str:
        """The hash of a file, read again if need be. Raises OSError."""
        state = path.stat()
        size, changed, value = self._known.get(str(path), (-1, -1, ""))
        if (size, changed) == (state.st_size, state.st_mtime_ns):
            return value
        with path.open("rb") as stream:
            value = hashlib.file_digest(stream, "sha256").hexdigest()
        self._new[str(path)] = (state.st_size, state.st_mtime_ns, value)
        return value

    def save(self) -> None:
        """Keep what was learnt, beside what another process has kept meanwhile."""
        if self._new:
            self._known = _remembered(self._file) | self._known | self._new
            replace(self._file, canonical(self._known))


def _remembered(file: Path) -> dict[str, tuple[int, int, str]]:
    try:
        return json.decode(file.read_bytes(), type=dict[str, tuple[int, int, str]])
    except (OSError, DecodeError):
        return {}


def replace(path: Path, data: bytes) -> None:
    """Write a small file; the last of several processes wins. Raises EnvironmentFailure."""
    part = path.with_name(f".{uuid4().hex}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        raise EnvironmentFailure(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
