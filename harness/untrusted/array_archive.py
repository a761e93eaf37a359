"""npz files of strangers: no pickle, no declared size believed, no header parsed as Python."""

from __future__ import annotations

import io
import os
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.untrusted.plain_file import UnfitFileError, open_untrusted

LARGEST = 1 << 28  # bytes of a file of outcomes, and of one array in it
CHUNK = 1 << 20
SMALL = 1 << 16  # bytes of an entry that is kept
_END = b"PK\x05\x06"  # 22 bytes with which a zip file without a comment ends
_END_OF_64 = b"PK\x06\x07"  # 20 bytes before them: what counts are the 56 bytes before these
_RECORD_OF_64 = b"PK\x06\x06"
_MAGIC = re.compile(rb"\x93NUMPY\x01\x00(..)", re.DOTALL)
_HEADER = re.compile(
    rb"\{'descr': '([<|](?:f[248]|i[1248]|b1|U[1-9][0-9]{0,3}))', 'fortran_order': (False|True), "
    rb"'shape': \(((?:[0-9]{1,15}, ){0,3}(?:[0-9]{1,15},?)?)\), \} *\n"
)
# What reading an array raises where the file is not sound.
BROKEN = (
    *(OSError, ValueError, KeyError, EOFError, RuntimeError, NotImplementedError),
    *(zipfile.BadZipFile, zlib.error),
)


class ArchiveLimits(NamedTuple):
    """What a file may have: bytes of the whole and of one array, entries, bytes of their list.

    any_writer: whether files of more than 4 GiB and arrays in the order of columns are taken, which
    `ivcr` itself does not write.
    """

    file: int
    array: int
    entries: int
    directory: int
    any_writer: bool = False


OUTCOMES = ArchiveLimits(LARGEST, LARGEST, 64, 1 << 14)


class ArrayHead(NamedTuple):
    """Type and shape of an array; its data begin at `start` in its entry; `order` as in NumPy."""

    kind: np.dtype[Any]
    shape: tuple[int, ...]
    start: int
    order: Literal["C", "F"] = "C"


class ArrayArchive:
    """The arrays of one open file."""

    def __init__(self, archive: zipfile.ZipFile, limits: ArchiveLimits = OUTCOMES) -> None:
        self._archive, self._limits = archive, limits
        self._heads: dict[str, ArrayHead] = {}
        self._small: dict[str, bytes] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the arrays."""
        return tuple(name.removesuffix(".npy") for name in self._archive.namelist())

    def head(self, name: str) -> ArrayHead:
        """Type and shape. Raises ValueError if its data are not as long as they say."""
        if name not in self._heads:
            self._heads[name] = self._read_head(name)
        return self._heads[name]

    def _read_head(self, name: str) -> ArrayHead:
        info = self._entry(name)
        with self._stream(info) as stream:
            found = _MAGIC.fullmatch(stream.read(10))
            length = 0 if found is None else int.from_bytes(found[1], "little")
            header = _HEADER.fullmatch(stream.read(length))
        if header is None or (header[2] == b"True" and not self._limits.any_writer):
            raise ValueError(f"{name}: expected an array {self._expected}")
        kind = np.dtype(header[1].decode())
        shape = tuple(int(number) for number in re.findall(rb"[0-9]+", header[3]))
        size = kind.itemsize
        for number in shape:
            size *= number
        if info.file_size != 10 + length + size:
            raise ValueError(f"{name} is not as long as it says")
        return ArrayHead(kind, shape, 10 + length, "F" if header[2] == b"True" else "C")

    @property
    def _expected(self) -> str:
        if self._limits.any_writer:
            return "of little-endian numbers as `numpy.savez` writes it, no objects (a pickle)"
        return "as `ivcr score` writes it"

    def array(self, name: str, most: int = CHUNK) -> NDArray[Any]:
        """An array of any shape () or (n, ...), of at most `most` bytes. Raises ValueError."""
        head, size = self.head(name), self._entry(name).file_size
        if size > most:
            raise ValueError(f"{name}: expected at most {most:,} bytes, found {size:,}")
        data = self._data(name, head.start, size - head.start)
        if head.kind.kind == "U" and (np.frombuffer(data, np.uint32) > sys.maxunicode).any():
            raise ValueError(f"{name}: expected text, found numbers that are no characters")
        return np.frombuffer(data, head.kind).reshape(head.shape, order=head.order)

    def rows(self, name: str, first: int, number: int) -> NDArray[np.float64]:
        """Rows of a table of floats, (number, columns); the others are read and not kept.

        Raises ValueError if there are no such rows.
        """
        head = self.head(name)
        if len(head.shape) != 2 or head.kind != np.float64 or head.order != "C":
            raise ValueError(f"{name}: expected a table of floats")
        if not 0 <= first <= first + number <= head.shape[0]:
            raise ValueError(f"{name}: expected {number} rows from row {first} on")
        width = head.shape[1] * head.kind.itemsize
        data = self._data(name, head.start + first * width, number * width)
        return np.frombuffer(data, np.float64).reshape(number, head.shape[1])

    def _entry(self, name: str) -> zipfile.ZipInfo:
        info = self._archive.getinfo(f"{name}.npy")
        if info.file_size > self._limits.array:
            raise ValueError(f"{name} has more than {self._limits.array:,} bytes")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{name}: expected deflate as its compression")
        return info

    def _stream(self, info: zipfile.ZipInfo) -> IO[bytes]:
        """An entry from its first byte on; a small one among few is unpacked once."""
        if info.file_size > SMALL or self._limits.entries > OUTCOMES.entries:
            return self._archive.open(info)
        if info.filename not in self._small:
            self._small[info.filename] = self._archive.read(info)
        return io.BytesIO(self._small[info.filename])

    def _data(self, name: str, start: int, length: int) -> bytes:
        """A part of an entry, which is read to its end: only there is its checksum compared."""
        info = self._entry(name)
        kept, at = bytearray(), 0
        with self._stream(info) as stream:
            while chunk := stream.read(CHUNK):
                kept += chunk[max(start - at, 0) : max(start + length - at, 0)]
                at += len(chunk)
        if at != info.file_size or len(kept) != length:
            raise ValueError(f"{name} is not as long as it says")
        return bytes(kept)


@contextmanager
def open_arrays(path: Path, limits: ArchiveLimits = OUTCOMES) -> Iterator[ArrayArchive]:
    """The arrays of an npz file within `limits`.

    Raises UnfitFileError if it is no such file, and for what is wrong with an array that the block
    reads.
    """
    with open_untrusted(path) as raw:
        try:
            _check_directory(raw, limits)
            with zipfile.ZipFile(raw) as archive:
                yield ArrayArchive(archive, limits)
        except BROKEN as error:
            reason = error.args[0] if isinstance(error, KeyError) else error
            raise UnfitFileError("syntax", f"no npz as expected: {reason}") from error


def _check_directory(raw: IO[bytes], limits: ArchiveLimits) -> None:
    """Raises ValueError before `zipfile` reads a list of entries that is long."""
    size = os.fstat(raw.fileno()).st_size
    if size > limits.file:
        raise ValueError(f"expected at most {limits.file:,} bytes, found {size:,}")
    raw.seek(max(size - 98, 0))
    end = raw.read(98)
    of_64 = end[-42:-38] == _END_OF_64
    if end[-22:-18] != _END or (of_64 and not limits.any_writer):
        raise ValueError("expected the end of a plain zip file")
    entries = int.from_bytes(end[-12:-10], "little")
    directory = int.from_bytes(end[-10:-6], "little")
    if of_64:
        record = end[-98:-42]
        if record[:4] != _RECORD_OF_64:
            raise ValueError("expected the end of a zip file")
        entries = int.from_bytes(record[32:40], "little")
        directory = int.from_bytes(record[40:48], "little")
    if entries > limits.entries or directory > limits.directory:
        raise ValueError(f"expected at most {limits.entries} entries, found more")
