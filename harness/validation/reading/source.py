"""A stranger's file, opened so that it cannot hurt: plain, inside its folder, within limits."""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol, cast

from harness.files import zstd
from harness.validation.report import display, escape
from harness.validation.rules.rule import Fault
from harness.validation.rules.text_files import (
    CHANGED,
    EXPANDS,
    LINK_OUT,
    NOT_COMPRESSED,
    NOT_PLAIN,
    RATIO,
    TOO_LARGE,
    TRUNCATED,
    UNREADABLE,
)

CHUNK = 1 << 18
FREE = 1 << 24  # bytes of output that need not be earned by input


class Hash(Protocol):
    """An object that takes bytes, as those of hashlib do."""

    def update(self, data: bytes, /) -> None:
        """Take `data` in."""


@contextmanager
def open_untrusted(path: Path) -> Iterator[IO[bytes]]:
    """Open a file of a submission for reading, and check that it does not change meanwhile.

    Raises Fault if it is no plain file, lies outside its folder, cannot be read or changes.
    """
    with _open(path) as raw:
        before = os.fstat(raw.fileno())
        yield raw
        after = os.fstat(raw.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise Fault(CHANGED, "changed while it was read; wait until it is written, then try again")


def _open(path: Path) -> IO[bytes]:
    try:
        target = path.resolve(strict=True)
        if not target.is_relative_to(path.parent.resolve(strict=True)):
            raise Fault(
                LINK_OUT, "is a link out of the submission's folder; put the file itself there"
            )
        if not stat.S_ISREG(target.lstat().st_mode):
            raise Fault(NOT_PLAIN, _not_plain(target.lstat().st_mode))
        # Without waiting and without following: the name may have changed hands since.
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        raw = os.fdopen(os.open(target, flags), "rb", buffering=0)
    except (OSError, RuntimeError) as error:
        raise Fault(UNREADABLE, _unreadable(error)) from error
    if not stat.S_ISREG(os.fstat(raw.fileno()).st_mode):
        raw.close()
        raise Fault(NOT_PLAIN, _not_plain(0))
    return raw


def _not_plain(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    found = kinds.get(stat.S_IFMT(mode), "a device")
    return f"expected a plain file, found {found}; put the file itself there"


def _unreadable(error: BaseException) -> str:
    reason = getattr(error, "strerror", None) or error
    return f"cannot be read: {reason}; check its permissions, or upload it again"


def read_chunks(path: Path, limit: int) -> Iterator[bytes]:
    """The uncompressed bytes of a predictions file, by its suffix, at most `limit` of them.

    Raises Fault where the file breaks a rule; what came before is sound.
    """
    with open_untrusted(path) as raw:
        if os.fstat(raw.fileno()).st_size > limit:
            raise Fault(TOO_LARGE, _too_large(limit))
        stream, total = _uncompressed(raw, path.suffix), 0
        while chunk := _next(stream, path.suffix):
            total += len(chunk)
            if total > FREE + RATIO * raw.tell():
                raise Fault(EXPANDS, f"expands more than {RATIO} times; compress real predictions")
            if total > limit:
                raise Fault(TOO_LARGE, _too_large(limit))
            yield chunk


def _too_large(limit: int) -> str:
    return (
        f"expected at most {limit >> 20:,} MiB uncompressed for this split, found more; "
        "give at most 100 videos and 100 moments a turn, one line a turn"
    )


def _uncompressed(raw: IO[bytes], suffix: str) -> IO[bytes]:
    if suffix == ".gz":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=raw, mode="rb"))
    if suffix == ".zst":
        return cast("IO[bytes]", zstd.ZstdFile(raw, mode="r"))
    return raw


def _next(stream: IO[bytes], suffix: str) -> bytes:
    kind = display(suffix.removeprefix("."))
    try:
        return stream.read(CHUNK)
    except EOFError as error:
        raise Fault(
            TRUNCATED, "ends in the middle of its compressed data; compress or upload it again"
        ) from error
    except (gzip.BadGzipFile, zlib.error, zstd.ZstdError) as error:
        raise Fault(
            NOT_COMPRESSED,
            f"is not sound {kind}: {escape(str(error))}; compress it again, or name it as it is",
        ) from error
    except OSError as error:
        raise Fault(UNREADABLE, _unreadable(error)) from error
