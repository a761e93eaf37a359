"""Compressed files of strangers, unpacked piece by piece with every count bounded.

`gzip` and `ZstdFile` take time that nobody bounds: zeros behind a member and names in a header are
read byte by byte, and a file may be millions of members that hold nothing. Here a member is given
to the library in pieces that double, so its cost is in proportion to its length.
"""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from harness.errors import EnvironmentFailure
from harness.files import shown, zstd
from harness.untrusted.plain_file import UnfitFileError, open_untrusted, unreadable

CHUNK = 1 << 18  # bytes of output at once
FREE = 1 << 24  # bytes of output that need not be earned by input
RATIO = 1000  # any honest file expands less: a line repeated with other ids reaches about 300
FEED = 1 << 16  # bytes of input read at once
FIRST = 1 << 8  # bytes given to a new member
MEMBERS = 10_000  # members of a file that need not be earned by input
MEMBER = 64  # bytes of input that earn one more; a compressed line of predictions has more


def read_unpacked(path: Path, most: int) -> Iterator[bytes]:
    """The uncompressed bytes of a stranger's file, by its suffix, at most `most` of them.

    Raises UnfitFileError where the file is not as it should be; what came before is sound.
    """
    with open_untrusted(path) as raw:
        if os.fstat(raw.fileno()).st_size > most:
            raise _too_large(most)
        total = 0
        for chunk in unpacked(raw, path.suffix):
            total += len(chunk)
            if total > most:
                raise _too_large(most)
            yield chunk


def unpacked(raw: IO[bytes], suffix: str) -> Iterator[bytes]:
    """The uncompressed bytes of an open file, in chunks that are not empty.

    `suffix`: .gz, .zst, or anything else for a file that is not compressed. Raises UnfitFileError.
    """
    if suffix not in _CODECS:
        while chunk := _read(raw, CHUNK):
            yield chunk
        return
    total, reader = 0, _Members(raw, suffix)
    for chunk in reader.chunks():
        total += len(chunk)
        if total > FREE + RATIO * reader.taken:
            raise UnfitFileError(
                "expands", f"expands more than {RATIO} times; compress real predictions"
            )
        yield chunk


def unpacked_stream(raw: IO[bytes], suffix: str) -> IO[bytes]:
    """What `unpacked` gives, as a stream."""
    return cast("IO[bytes]", io.BufferedReader(_Stream(unpacked(raw, suffix)), CHUNK))


@contextmanager
def open_input(path: Path, name: Path | None = None) -> Iterator[IO[bytes]]:
    """Open a file that the user names for reading bytes, decompressing by its suffix (.gz, .zst).

    Errors call the file `name`, where given. Raises EnvironmentFailure if it is absent, unreadable
    or not compressed as it should be.
    """
    try:
        with path.open("rb") as raw, unpacked_stream(raw, path.suffix) as stream:
            yield stream
    except (OSError, UnfitFileError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EnvironmentFailure(f"{name or path}: cannot be read: {reason}") from error


def bounded_lines(stream: IO[bytes], most: int) -> Iterator[bytes]:
    """The lines of a stream, newlines included. Raises UnfitFileError past `most` bytes a line."""
    while line := stream.readline(most + 1):
        if len(line) > most:
            raise UnfitFileError("too large", f"expected lines of at most {most:,} bytes")
        yield line


class _Codec(NamedTuple):
    """How one member is unpacked; `more`: the input to give again, None if it wants new."""

    make: Callable[[], Any]
    more: Callable[[Any, bytes], bytes | None]
    padded: bool  # whether zeros may follow a member, as on tapes
    may_be_empty: bool


def _more_gzip(member: Any, given: bytes) -> bytes | None:
    return member.unconsumed_tail if member.unconsumed_tail or len(given) == CHUNK else None


def _more_zstd(member: Any, _: bytes) -> bytes | None:
    return None if member.needs_input else b""


_CODECS = {
    ".gz": _Codec(lambda: zlib.decompressobj(wbits=31), _more_gzip, True, True),
    ".zst": _Codec(zstd.ZstdDecompressor, _more_zstd, False, False),
}


class _Members:
    """The members of one compressed file, one after the other; `taken`: bytes of input so far."""

    def __init__(self, raw: IO[bytes], suffix: str) -> None:
        self.taken = 0
        self._raw = raw
        self._name = suffix.removeprefix(".")
        self._codec = _CODECS[suffix]
        self._input, self._at = b"", 0

    def chunks(self) -> Iterator[bytes]:
        """The uncompressed bytes."""
        members = 0
        while self._begins(members):
            members += 1
            if members > MEMBERS + self.taken // MEMBER:
                raise UnfitFileError(
                    "members",
                    f"expected at most {MEMBERS:,} compressed parts, and one more for each "
                    f"{MEMBER} bytes, found more; compress the file in one go",
                )
            yield from self._member()

    def _begins(self, members: int) -> bool:
        """Whether there is another member."""
        while True:
            if self._at == len(self._input) and not self._fill():
                return members == 0 and not self._codec.may_be_empty
            if not members or not self._codec.padded or self._input[self._at]:
                return True
            rest = self._input[self._at :].lstrip(b"\0")
            self._at = len(self._input) - len(rest)

    def _member(self) -> Iterator[bytes]:
        member, length = self._codec.make(), FIRST
        while not member.eof:
            if self._at == len(self._input) and not self._fill():
                raise UnfitFileError(
                    "truncated",
                    "ends in the middle of its compressed data; compress or upload it again",
                )
            piece: bytes | None = self._input[self._at : self._at + length]
            self._at += len(piece or b"")
            while piece is not None and not member.eof:
                chunk = self._decompress(member, piece)
                if chunk:
                    yield chunk
                piece = self._codec.more(member, chunk)
            length = min(2 * length, FEED)
        self._at -= len(member.unused_data)

    def _decompress(self, member: Any, piece: bytes) -> bytes:
        try:
            found: bytes = member.decompress(piece, CHUNK)
        except (zlib.error, zstd.ZstdError) as error:
            raise UnfitFileError(
                "not compressed",
                f"is not sound {self._name}: {_found(error)}; compress it again, or name it as it "
                "is",
            ) from error
        return found

    def _fill(self) -> bool:
        self._input, self._at = _read(self._raw, FEED), 0
        self.taken += len(self._input)
        return bool(self._input)


class _Stream(io.RawIOBase):
    """Chunks as a stream."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._chunks, b""))
        with memoryview(buffer).cast("B") as room:
            length = min(len(room), len(self._rest))
            room[:length] = self._rest[:length]
        self._rest = self._rest[length:]
        return length


def _read(raw: IO[bytes], length: int) -> bytes:
    try:
        return raw.read(length)
    except OSError as error:
        raise unreadable(error) from error


def _found(error: Exception) -> str:
    """What a library found, without the number and the words that come before."""
    return shown(str(error).rpartition(": ")[2])[1:-1]


def _too_large(most: int) -> UnfitFileError:
    return UnfitFileError("too large", f"expected at most {most:,} bytes uncompressed, found more")
