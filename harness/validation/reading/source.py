"""A stranger's file, opened so that it cannot hurt: plain, inside its folder, within limits."""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, Protocol, cast

from harness.files import zstd
from harness.validation.report import bare, named
from harness.validation.rules.rule import Fault, declared

CHUNK = 1 << 18
# Any honest file expands less: a line repeated with another id each time reaches about 300.
RATIO = 1000
FREE = 1 << 24  # bytes of output that need not be earned by input

NOT_PLAIN = declared(
    "S103", "error", "card and predictions are plain files", "a folder named predictions.jsonl"
)
LINK_OUT = declared(
    "S104", "error", "links stay inside the submission", "predictions.jsonl -> ../other.jsonl"
)
UNREADABLE = declared(
    "S105", "error", "card and predictions can be read", "a file without read permission"
)
CHANGED = declared(
    "S106", "error", "files rest while they are read", "a file that a running job still appends to"
)
NOT_COMPRESSED = declared(
    "S107", "error", "a file is compressed as its suffix says", "plain text with the suffix .gz"
)
TRUNCATED = declared(
    "S108", "error", "a compressed file is whole", "predictions.jsonl.zst cut by a broken upload"
)
EXPANDS = declared(
    "S109", "error", "a compressed file expands at most 1000 times", "gigabytes of zeros as .zst"
)
TOO_LARGE = declared(
    "S110", "error", "predictions hold at most 64 MiB and 32 KiB a turn", "a file of 10 GB"
)


class Hash(Protocol):
    """What takes bytes in, as hashlib's objects do."""

    def update(self, data: bytes, /) -> None:
        """Take `data` in."""


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file of a submission for reading raw bytes, and check that it rests meanwhile.

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


class Half(NamedTuple):
    """A place in an uncompressed file from which on another may vouch for the rest."""

    start: int
    is_vouched: Callable[[], bool]


def chunks(path: Path, limit: int, start: int = 0, half: Half | None = None) -> Iterator[bytes]:
    """The uncompressed bytes of a predictions file, by its suffix, at most `limit` of them.

    `start`: where to begin in an uncompressed file; `half`: where to end, the rest vouched for.
    Raises Fault where the file breaks a rule; what came before is sound.
    """
    with opened(path) as raw:
        if os.fstat(raw.fileno()).st_size > limit:
            raise Fault(TOO_LARGE, _too_large(limit))
        raw.seek(start)
        stream = _uncompressed(raw, path.suffix)
        total = start
        while chunk := _next(stream, path.suffix, _size(total, half)):
            total += len(chunk)
            if total > FREE + RATIO * raw.tell():
                raise Fault(EXPANDS, f"expands more than {RATIO} times; compress real predictions")
            if total > limit:
                raise Fault(TOO_LARGE, _too_large(limit))
            yield chunk
            if half is not None and total == half.start and half.is_vouched():
                return


def _size(total: int, half: Half | None) -> int:
    """How much to read next, so that a chunk ends where the second half begins."""
    return CHUNK if half is None or total >= half.start else min(CHUNK, half.start - total)


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


def _next(stream: IO[bytes], suffix: str, size: int) -> bytes:
    kind = named(suffix.removeprefix("."))
    try:
        return stream.read(size)
    except EOFError as error:
        raise Fault(
            TRUNCATED, "ends in the middle of its compressed data; compress or upload it again"
        ) from error
    except (gzip.BadGzipFile, zlib.error, zstd.ZstdError) as error:
        raise Fault(
            NOT_COMPRESSED,
            f"is not sound {kind}: {bare(str(error))}; compress it again, or name it as it is",
        ) from error
    except OSError as error:
        raise Fault(UNREADABLE, _unreadable(error)) from error
