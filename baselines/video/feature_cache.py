"""A cache of features on disk: one file for each video, written atomically, checked when read.

A file holds the rows and the times, both in NumPy's own format, one after the other; then the
SHA-256 of the pixels that the rows were computed from, and one over everything before it. Reading
checks the format and the length. The contents are hashed again if the file was changed since it was
written. The modification time shows this: it is set to SEAL, a time that no other writer sets.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from harness.errors import EnvironmentFailure
from harness.files import canonical, open_replacement, write

Rows = NDArray[Any]
SEAL = 1_000_000_000 * 10**9  # ns: 2001-09-09, in whole seconds, which every disk can keep
DIGEST = 32  # bytes


class FeatureRecord(NamedTuple):
    """What is stored of one video beside its rows: times in ms, (n,), and the pixels' SHA-256."""

    times: NDArray[np.int32]
    pixels: bytes


class FeatureStore:
    """A folder of features that were computed in one way; several processes may use it at once."""

    def __init__(self, cache: Path, recipe: dict[str, Any]) -> None:
        """recipe: everything that features depend on beside the video; its hash names the folder.

        Raises EnvironmentFailure if the folder cannot be made.
        """
        key = hashlib.sha256(canonical(recipe)).hexdigest()[:16]
        self._folder = cache / key
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EnvironmentFailure(
                f"{cache}: features cannot be stored there: {error.strerror or error}; "
                "name another folder for the cache"
            ) from error
        if not (self._folder / "made.json").exists():
            write(self._folder / "made.json", canonical(recipe), durable=False)

    def path(self, video: str) -> Path:
        """The file for the features of the video with this SHA-256, whether or not it exists."""
        return self._folder / f"{video}.npy"

    def read(self, video: str) -> FeatureRecord | None:
        """The record of a video; None if its file is absent or damaged."""
        try:
            return _read_record(self.path(video))
        except (OSError, ValueError, EOFError, TypeError, SyntaxError):
            return None  # `write` replaces it

    def write(self, video: str, rows: Rows, record: FeatureRecord) -> None:
        """Store the features of a video, (n, ...): the whole file or nothing.

        Raises EnvironmentFailure if the disk fails.
        """
        rows = np.ascontiguousarray(rows)
        with open_replacement(self.path(video), modified=SEAL) as stream:
            for array in (rows, record.times):
                npy.write_array_header_1_0(stream, npy.header_data_from_array_1_0(array))
                # Not NumPy's own writing: its errors do not say that the disk is full.
                stream.write(_bytes(array))
            stream.write(record.pixels + _digest(rows, record))


def _read_record(path: Path) -> FeatureRecord:
    """The record in a file of features. Raises ValueError if the file is damaged."""
    with path.open("rb") as stream:
        rows = _map_rows(path, stream)
        record = FeatureRecord(npy.read_array(stream, allow_pickle=False), stream.read(DIGEST))
        check, rest = stream.read(DIGEST), stream.read(1)
        changed = os.fstat(stream.fileno()).st_mtime_ns != SEAL
    if len(check) != DIGEST or rest or record.times.shape != rows.shape[:1]:
        raise ValueError(f"{path}: not of the length that it declares")
    if changed:
        if check != _digest(rows, record):
            raise ValueError(f"{path}: its contents do not match its hash")
        with suppress(OSError):  # a read-only cache is hashed each time
            os.utime(path, ns=(SEAL, SEAL))
    return record


def _map_rows(path: Path, stream: IO[bytes]) -> Rows:
    """The rows, mapped from disk; afterwards `stream` is positioned behind them."""
    rows: Rows = np.load(path, mmap_mode="r", allow_pickle=False)
    if npy.read_magic(stream) != (1, 0):
        raise ValueError(f"{path}: not in the expected version of NumPy's format")
    npy.read_array_header_1_0(stream)
    stream.seek(rows.nbytes, os.SEEK_CUR)
    return rows


def _bytes(array: Rows) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _digest(rows: Rows, record: FeatureRecord) -> bytes:
    """SHA-256 over everything that a file holds."""
    total = hashlib.sha256(repr((rows.dtype.str, rows.shape, record.times.dtype.str)).encode())
    for part in (rows, record.times):
        total.update(_bytes(part))
    total.update(record.pixels)
    return total.digest()
