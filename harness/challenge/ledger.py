"""The ledger of a challenge: SUBMISSIONS/ledger.jsonl, read, continued and verified.

A line is written by one writer at a time, who holds a lock (flock) on the file, and is on the disk
before the writer goes on. What stands behind the last newline is a line that a killed writer did
not finish: readers pass over it, and the next writer cuts it off.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, NamedTuple

import msgspec

from harness.challenge.ledger_lines import (
    LONGEST,
    START,
    LedgerEvent,
    LedgerLine,
    decode,
    digest,
    encode,
    parse_time,
    time_text,
)
from harness.errors import EnvironmentFailure, unwritable
from harness.teams.submission_folders import require_submissions

LEDGER = "ledger.jsonl"
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Position(NamedTuple):
    """How far a ledger was read: its bytes, the last line's number and time, and its SHA-256."""

    size: int = 0
    seq: int = 0
    at: str = ""
    head: str = START


class Ledger(NamedTuple):
    """The lines of a ledger, in order, and the position behind them."""

    lines: tuple[LedgerLine, ...]
    position: Position

    @property
    def head(self) -> str:
        """The SHA-256 of the last line, newline included; 64 zeros if there is none."""
        return self.position.head


def read_ledger(submissions: Path, since: Position = Position()) -> Ledger:  # noqa: B008
    """The lines of a ledger behind `since`, each checked against the one before.

    No lines where there is no ledger. Raises EnvironmentFailure if it is broken or unreadable.
    """
    path = submissions / LEDGER
    with open_ledger(path) as stream:
        if stream is not None:
            return _read(path, stream, since)
    if since.size:
        raise _broken(path, since.seq, "the file is gone")
    return Ledger((), since)


@contextmanager
def open_ledger(path: Path) -> Iterator[IO[bytes] | None]:
    """The ledger, open for reading, while nobody writes; None where there is none.

    Raises EnvironmentFailure if it cannot be read.
    """
    with ExitStack() as closing:
        try:
            descriptor = os.open(path, _READ)
            stream = closing.enter_context(os.fdopen(descriptor, "rb", buffering=0))
            # A reader between a writer's cut and its line would see parts of both.
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        except FileNotFoundError:
            require_submissions(path.parent)
            yield None
            return
        except OSError as error:
            raise EnvironmentFailure(
                f"{path}: cannot be read: {error.strerror or error}"
            ) from error
        _require_plain(path, stream)
        yield stream


class LedgerWriter:
    """A ledger that this process alone may write, as long as `writing` lasts."""

    def __init__(self, path: Path, stream: IO[bytes], now: datetime | None) -> None:
        self._path, self._stream, self._now = path, stream, now
        self._position = _last(path, stream)

    def read(self, since: Position = Position()) -> Ledger:  # noqa: B008
        """As read_ledger; nobody writes meanwhile."""
        return _read(self._path, self._stream, since)

    def append(self, events: Iterable[LedgerEvent]) -> tuple[LedgerLine, ...]:
        """Write events, one line each; they are on the disk when this returns.

        `at` is the time now, or that of the last line if the clock shows less. A kill leaves the
        first of the lines, or none. Raises EnvironmentFailure if the disk fails; the ledger is then
        as it was.
        """
        lines, data, position = [], bytearray(), self._position
        for event in events:
            line = self._placed(event, position)
            encoded = encode(line)
            position = Position(position.size + len(encoded), line.seq, line.at, digest(encoded))
            lines.append(line)
            data += encoded
        if data:
            self._write(data)
            self._position = position
        return tuple(lines)

    def _placed(self, event: LedgerEvent, after: Position) -> LedgerLine:
        at = time_text(self._now or datetime.now(UTC))
        if after.at and parse_time(at) < parse_time(after.at):
            at = after.at
        return LedgerLine(
            **msgspec.structs.asdict(event), seq=after.seq + 1, at=at, prev=after.head
        )

    def _write(self, data: bytearray) -> None:
        descriptor, size = self._stream.fileno(), self._position.size
        try:
            os.ftruncate(descriptor, size)  # what a killed writer left behind the last newline
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(descriptor, size)
            raise unwritable(self._path, error, "try again") from error


@contextmanager
def writing(submissions: Path, now: datetime | None = None) -> Iterator[LedgerWriter]:
    """Hold the ledger's lock, and wait for it as long as others hold it.

    `now`: the time of the events; by default the clock's. Raises EnvironmentFailure if the ledger
    cannot be written, or its last line is broken.
    """
    path = submissions / LEDGER
    with ExitStack() as closing:
        try:
            stream = closing.enter_context(_locked(path))
            _sync_folder(submissions)
        except OSError as error:
            raise unwritable(path, error, "try again") from error
        _require_plain(path, stream)
        yield LedgerWriter(path, stream, now)


def append(
    submissions: Path, events: Iterable[LedgerEvent], *, now: datetime | None = None
) -> tuple[LedgerLine, ...]:
    """Write events to the ledger of a submissions folder (see LedgerWriter.append)."""
    with writing(submissions, now) as writer:
        return writer.append(events)


@contextmanager
def _locked(path: Path) -> Iterator[IO[bytes]]:
    while True:
        with os.fdopen(os.open(path, _WRITE, 0o666), "r+b", buffering=0) as stream:
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX)
            # Git and others replace a file: then the lock is on one that nobody reads any more.
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(stream.fileno()), os.lstat(path)):
                    yield stream
                    return


def _sync_folder(folder: Path) -> None:
    """Have a new file's name on the disk too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _require_plain(path: Path, stream: IO[bytes]) -> None:
    if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        raise EnvironmentFailure(f"{path}: expected a plain file; put the ledger itself there")


def _last(path: Path, stream: IO[bytes]) -> Position:
    """The position behind the last finished line."""
    size = os.fstat(stream.fileno()).st_size
    start = max(0, size - 2 * LONGEST)
    data = os.pread(stream.fileno(), size - start, start)
    finished = data[: data.rfind(b"\n") + 1]
    if not finished:
        if start:
            raise _broken(path, 0, f"no line ends in its last {2 * LONGEST:,} bytes")
        return Position()
    encoded = finished[finished.rfind(b"\n", 0, -1) + 1 :]
    try:
        line = decode(encoded)
    except ValueError as error:
        raise _broken(path, 0, f"its last line: {error}") from error
    return Position(start + len(finished), line.seq, line.at, digest(encoded))


def _read(path: Path, stream: IO[bytes], since: Position) -> Ledger:
    lines, position = [], since
    for encoded in finished_lines(stream.fileno(), since.size):
        try:
            line = decode(encoded)
        except ValueError as error:
            raise _broken(path, position.seq + 1, str(error)) from error
        if (line.seq, line.prev) != (position.seq + 1, position.head):
            raise _broken(path, position.seq + 1, "it does not follow the line before")
        position = Position(position.size + len(encoded), line.seq, line.at, digest(encoded))
        lines.append(line)
    return Ledger(tuple(lines), position)


def finished_lines(descriptor: int, start: int = 0) -> Iterator[bytes]:
    """The lines of an open ledger from the byte `start` on, with their newlines.

    One that is longer than any line may be comes in pieces of LONGEST bytes, none of which is a
    line; an unfinished one at the end does not come.
    """
    with os.fdopen(os.dup(descriptor), "rb") as stream:
        stream.seek(start)
        while (line := stream.readline(LONGEST)).endswith(b"\n") or len(line) == LONGEST:
            yield line


def _broken(path: Path, line: int, what: str) -> EnvironmentFailure:
    place = f"{path}:{line}" if line else str(path)
    return EnvironmentFailure(
        f"{place}: the ledger is broken: {what}; `ivcr ledger verify {path.parent}` lists all "
        "problems; put back a copy that has the published head"
    )
