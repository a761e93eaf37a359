"""The answers of a run so far, so that a killed run goes on where it stopped.

One file for each process: a line that names the run, then one line for each answered batch: its
predictions, with their cost if they have one. A line counts once its newline is there.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from harness.errors import EnvironmentFailure, WrongUsageError, unwritable
from harness.files import canonical, make_folder
from harness.records import Prediction, TurnKey


class _Batch(Struct, frozen=True, forbid_unknown_fields=True):
    """A batch whose answers have a cost."""

    predictions: list[Prediction]
    usage: dict[str, int]


_DECODER = msgspec.json.Decoder(list[Prediction] | _Batch)


class _Header(Struct, frozen=True, forbid_unknown_fields=True):
    """The first line: `run` is the key of the run (provenance.run_key)."""

    schema: int
    run: str


class Journal:
    """The answered batches of one process: a run reads those that are there, then adds more."""

    def __init__(self, path: Path, run: str) -> None:
        """Open `path`, or make it. Raises WrongUsageError if it belongs to another run.

        Raises EnvironmentFailure if another process is writing it, or the disk fails.
        """
        self._path = path
        make_folder(path.parent)
        self._file = _open(path)
        self._lines = path.open("rb")
        self.usage: Counter[str] = Counter()
        with self._disk_errors():
            self._begin(run)

    def _begin(self, run: str) -> None:
        header = canonical(_Header(1, run)) + b"\n"
        first = self._lines.readline()
        if not first.endswith(b"\n") or (first != header and not self._lines.read(1)):
            # No batch is answered yet, so none is lost.
            self._cut(0)
            self._write(header)
        elif first != header:
            self.close()
            raise WrongUsageError(
                f"{self._path}: holds answers of another run (other settings, seed, benchmark, "
                "checkpoint, code or number of processes); repeat the command that began it, or "
                f"remove {self._path.parent} to start anew"
            )

    def answered(self, keys: list[TurnKey]) -> list[Prediction] | None:
        """The answers to the next batch; None from the first batch on that has none.

        `usage` then holds the cost of this batch too.
        """
        with self._disk_errors():
            start = self._lines.tell()
            line = self._lines.readline()
            try:
                found = _DECODER.decode(line) if line.endswith(b"\n") else None
            except msgspec.DecodeError:
                found = None
            batch = found.predictions if isinstance(found, _Batch) else found
            if batch is None or [prediction.key for prediction in batch] != keys:
                self._cut(start)
                return None
        if isinstance(found, _Batch):
            self.usage.update(found.usage)
        return batch

    def add(self, batch: list[Prediction], usage: Mapping[str, int] | None = None) -> None:
        """Write one more batch and its cost. Raises EnvironmentFailure if the disk fails."""
        self.usage.update(usage or {})
        line = canonical(_Batch(batch, dict(usage)) if usage else batch) + b"\n"
        with self._disk_errors():
            self._write(line)

    def close(self) -> None:
        """Close the file, so that another process can open it."""
        self._lines.close()
        self._file.close()

    def _write(self, line: bytes) -> None:
        if self._file.write(line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._lines.seek(0, 2)

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.close()
            raise unwritable(
                self._path, error, "repeat the command later: it goes on here"
            ) from error

    def _cut(self, size: int) -> None:
        """Remove what stands behind `size`: half a line, or what a failing disk left."""
        self._file.truncate(size)
        self._lines.seek(size)


def _open(path: Path) -> IO[bytes]:
    """The journal at `path`, made if it is absent, and locked."""
    # Nobody else's file is written through a link, and no pipe is waited for.
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    anew = f"remove {path.parent} to start anew"
    try:
        file = os.fdopen(os.open(path, flags, 0o666), "a+b", buffering=0)
    except OSError as error:
        raise unwritable(path, error, anew) from error
    state = os.fstat(file.fileno())
    if not stat.S_ISREG(state.st_mode) or state.st_nlink != 1 or path.parent.is_symlink():
        file.close()
        raise EnvironmentFailure(f"{path}: expected a file, found a link or a pipe; {anew}")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise EnvironmentFailure(
            f"{path}: another process is writing it; wait for it or end it"
        ) from error
    except OSError as error:
        file.close()
        raise unwritable(path, error) from error
    return file


def usage_in(path: Path) -> Counter[str]:
    """The cost of the batches of a journal. Raises EnvironmentFailure if it cannot be read."""
    total: Counter[str] = Counter()
    try:
        with path.open("rb") as lines:
            next(lines, None)
            for line in lines:
                found = _DECODER.decode(line)
                if isinstance(found, _Batch):
                    total.update(found.usage)
    except OSError as error:
        raise EnvironmentFailure(f"{path}: cannot be read: {error.strerror}") from error
    return total
