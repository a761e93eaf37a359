"""Where features are kept: one file a video, written whole, checked when it is read.

A file holds the rows and the times, both in NumPy's own format, one after the other; then the
SHA-256 of the pixels that the rows were made of, and one over all that stands before. Opening
checks the form and the length. The contents are hashed again if the file was touched since it was
written, which its time of change tells: that is set to SEAL, a time that no other writer leaves.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple
from uuid import uuid4

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from baselines.video.files import replace
from harness.errors import EnvironmentFailure
from harness.files import canonical

Rows = NDArray[Any]
SEAL = 1_000_000_000 * 10**9  # ns: 2001-09-09, in whole seconds, which every disk can keep
DIGEST = 32  # bytes


class Entry(NamedTuple):
    """What is kept of one video beside its rows: their times in ms, the hash of their pixels."""

    times: NDArray[np.int32]  # (n,)
    pixels: bytes


class Store:
    """A folder of features that were made in one way, which `made` describes; keyed by `made`.

    Several processes may use it at once. Raises EnvironmentFailure if it cannot be made.
    """

    def __init__(self, cache: Path, made: dict[str, Any]) -> None:
        key = hashlib.sha256(canonical(made)).hexdigest()[:16]
        self._folder = cache / key
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EnvironmentFailure(
                f"{cache}: no features can be kept there: {error.strerror or error}; "
                "name another folder for the cache"
            ) from error
        if not (self._folder / "made.json").exists():
            replace(self._folder / "made.json", canonical(made))

    def path(self, video: str) -> Path:
        """Where the features of the video of that SHA-256 lie, if they are there."""
        return self._folder / f"{video}.npy"

    def read(self, video: str) -> Entry | None:
        """What is kept of a video; None where there is nothing sound."""
        try:
            return _checked(self.path(video))
        except (OSError, ValueError, EOFError, TypeError, SyntaxError):
            return None  # `write` will take its place

    def write(self, video: str, rows: Rows, entry: Entry) -> None:
        """Keep the features of a video: the whole file or nothing."""
        path, rows = self.path(video), np.ascontiguousarray(rows)
        part = path.with_name(f".{uuid4().hex}.part")
        try:
            with part.open("wb") as stream:
                npy.write_array(stream, rows, version=(1, 0), allow_pickle=False)
                npy.write_array(stream, entry.times, version=(1, 0), allow_pickle=False)
                stream.write(entry.pixels + _digest(rows, entry))
                stream.flush()
                os.fsync(stream.fileno())
            os.utime(part, ns=(SEAL, SEAL))
            part.replace(path)
        except OSError as error:
            raise EnvironmentFailure(f"{path}: cannot be written: {error.strerror}") from error
        finally:
            part.unlink(missing_ok=True)


def _checked(path: Path) -> Entry:
    """The entry of a file of features. Raises ValueError if it is not sound."""
    with path.open("rb") as stream:
        rows = _mapped(path, stream)
        entry = Entry(npy.read_array(stream, allow_pickle=False), stream.read(DIGEST))
        check, rest = stream.read(DIGEST), stream.read(1)
        touched = os.fstat(stream.fileno()).st_mtime_ns != SEAL
    if len(check) != DIGEST or rest or entry.times.shape != rows.shape[:1]:
        raise ValueError(f"{path}: not the length that it declares")
    if touched:
        if check != _digest(rows, entry):
            raise ValueError(f"{path}: not what was written")
        with suppress(OSError):  # a cache that may only be read is checked each time
            os.utime(path, ns=(SEAL, SEAL))
    return entry


def _mapped(path: Path, stream: IO[bytes]) -> Rows:
    """The rows, mapped; `stream` then stands after them."""
    rows: Rows = np.load(path, mmap_mode="r", allow_pickle=False)
    if npy.read_magic(stream) != (1, 0):
        raise ValueError(f"{path}: not in the version of the format that is written")
    npy.read_array_header_1_0(stream)
    stream.seek(rows.nbytes, os.SEEK_CUR)
    return rows


def _digest(rows: Rows, entry: Entry) -> bytes:
    """SHA-256 over all that a file says."""
    found = hashlib.sha256(repr((rows.dtype.str, rows.shape, entry.times.dtype.str)).encode())
    for part in (rows, entry.times):
        found.update(np.ascontiguousarray(part).reshape(-1).view(np.uint8).data)
    found.update(entry.pixels)
    return found.digest()
