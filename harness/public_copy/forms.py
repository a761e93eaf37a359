"""The forms in which text can stand in a file: packed, encoded, escaped, in another alphabet.

Everything is tried, again on what comes out, up to DEPTH times and within a bounded size.
"""

from __future__ import annotations

import base64
import bz2
import codecs
import html
import io
import lzma
import math
import re
import zipfile
import zlib
from binascii import Error as BinaryError
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import unquote

import numpy as np

from harness.files import zstd

DEPTH = 4
MOST = 1 << 28  # bytes that one file may unfold to
_PIECE = 1 << 16
_RUNS = re.compile(rb"[A-Za-z0-9+/_=-]{24,}(?:\r?\n[A-Za-z0-9+/_=-]{4,})*")
_DENSE_RUNS = re.compile(rb"[!-~]{40,}")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}[\s:]?){16,}")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
_MARKED = re.compile(rb"\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|&#|%[0-9a-fA-F]{2}")
_FAILED = (
    *(OSError, ValueError, EOFError, RuntimeError, NotImplementedError, KeyError, BinaryError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, zstd.ZstdError),
)


class FoldedText(NamedTuple):
    """Text that stands in a file: `form` says how, "" where it stands as it is."""

    form: str
    text: str


class TooMuchInsideError(ValueError):
    """A file unfolds to more than MOST bytes."""


class Unfolding:
    """The texts of one file."""

    def __init__(self) -> None:
        self._left = MOST

    def texts(self, data: bytes, form: str = "", depth: int = 0) -> Iterator[FoldedText]:
        """The texts of `data` in all forms. Raises TooMuchInsideError past MOST bytes."""
        self._left -= len(data)
        if self._left < 0:
            raise TooMuchInsideError
        yield FoldedText(form, data.decode("utf-8", "ignore"))
        if depth == DEPTH:
            return
        for name, inner in self._inner(data):
            if inner and inner != data:
                yield from self.texts(inner, f"{form} in {name}" if form else name, depth + 1)

    def _inner(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        yield from self._unpacked(data)
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            yield "UTF-16", data.decode("utf-16", "ignore").encode("utf-8", "ignore")
        if data.count(0) * 4 > len(data):
            yield "two or four bytes a character", data.replace(b"\0", b"")
        if data.startswith(b"\x93NUMPY"):
            yield "an array", _array(data)
        yield from _decoded(data)

    def _unpacked(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        for magic, name, make in _CODECS:
            if data.startswith(magic):
                yield name, self._stream(make(), data)
        if b"PK\x05\x06" in data[-70_000:]:
            yield from self._members(data)

    def _stream(self, codec: object, data: bytes) -> bytes:
        """The first member, as far as it is sound."""
        found, most = bytearray(), self._left
        decompress: Callable[[bytes], bytes] = codec.decompress  # type: ignore[attr-defined]
        for at in range(0, len(data), _PIECE):
            try:
                found += decompress(data[at : at + _PIECE])
            except _FAILED:
                break
            if len(found) > most:
                raise TooMuchInsideError
        return bytes(found)

    def _members(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                yield "names in an archive", "\n".join(archive.namelist()).encode()
                yield "an archive's comment", archive.comment
                for info in archive.infolist():
                    yield "an archive", self._member(archive, info)
        except _FAILED:
            return

    def _member(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
        with archive.open(info) as stream:
            found = stream.read(self._left + 1)
        if len(found) > self._left:
            raise TooMuchInsideError
        return found


def _zlib(bits: int) -> Callable[[], object]:
    return lambda: zlib.decompressobj(wbits=bits)


_CODECS: tuple[tuple[bytes, str, Callable[[], object]], ...] = (
    (b"\x1f\x8b", "gzip", _zlib(31)),
    *((bytes((0x78, level)), "zlib", _zlib(15)) for level in (0x01, 0x5E, 0x9C, 0xDA)),
    (b"\x28\xb5\x2f\xfd", "zstd", zstd.ZstdDecompressor),
    (b"BZh", "bzip2", bz2.BZ2Decompressor),
    (b"\xfd7zXZ", "xz", lzma.LZMADecompressor),
    (b"\x5d\x00\x00", "lzma", lzma.LZMADecompressor),
)


def _decoded(data: bytes) -> Iterator[tuple[str, bytes]]:
    for name, runs, decoders in _ENCODINGS:
        for decode in decoders:
            found = [out for run in runs.findall(data) if (out := _attempt(decode, run))]
            if found:
                yield name, found[0] if len(found) == 1 else b"\n".join(found)
    if _MARKED.search(data):
        text = _ESCAPE.sub(
            lambda hit: chr(int(hit[1] or hit[2], 16)), data.decode("utf-8", "ignore")
        )
        yield "escapes", html.unescape(unquote(text)).encode("utf-8", "ignore")


def _attempt(decode: Callable[[bytes], bytes], run: bytes) -> bytes:
    try:
        return decode(run)
    except _FAILED:
        return b""


def _base64(run: bytes) -> bytes:
    joined = re.sub(rb"[\s=]", b"", run).translate(bytes.maketrans(b"-_", b"+/"))
    return base64.b64decode(joined + b"=" * (-len(joined) % 4))


def _base32(run: bytes) -> bytes:
    joined = re.sub(rb"[\s=]", b"", run)
    return base64.b32decode(joined + b"=" * (-len(joined) % 8), casefold=True)


def _hexadecimal(run: bytes) -> bytes:
    return bytes.fromhex(run.decode("ascii").replace(":", " "))


_ENCODINGS: tuple[tuple[str, re.Pattern[bytes], tuple[Callable[[bytes], bytes], ...]], ...] = (
    ("base64", _RUNS, (_base64,)),
    ("base32", _RUNS, (_base32,)),
    ("hexadecimal digits", _HEX, (_hexadecimal,)),
    ("base85", _DENSE_RUNS, (base64.b85decode, base64.a85decode)),
)


def _array(data: bytes) -> bytes:
    """The numbers of an array as text, a row a line, or its texts, one a line."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else (np.lib.format.read_array_header_2_0)
        )
        shape, _, kind = read(stream)
        if kind.kind not in "iufUS" or math.prod(shape) * kind.itemsize > len(data):
            return b""
        stream.seek(0)
        array = np.lib.format.read_array(stream, allow_pickle=False)
    except _FAILED:
        return b""
    if array.dtype.kind in "US":
        return "\n".join(array.astype(str).ravel().tolist()).encode("utf-8", "ignore")
    rows = array.reshape(array.shape[0], -1) if array.ndim else array.reshape(1, 1)
    return "\n".join(" ".join(f"{value:.10g}" for value in row) for row in rows).encode()


def in_other_order(text: str) -> Iterator[FoldedText]:
    """The text backwards and with its letters moved by thirteen, line by line as before."""
    lines = text.split("\n")
    yield FoldedText("backwards", "\n".join(line[::-1] for line in lines))
    yield FoldedText("letters moved by thirteen", codecs.encode(text, "rot13"))
