"""A second core vouches for the second half of a large file, so that the first need not read it.

It vouches only if nothing at all is to be said of its half; else the first core reads it as well.
So the report is the same with one core and with two.
"""

from __future__ import annotations

import os
import signal
import struct
import threading
from pathlib import Path
from typing import NamedTuple

from harness.validation.reading.fast_path import FastPath
from harness.validation.reading.line_stream import LINE_LIMIT, lines
from harness.validation.reading.source import chunks, opened
from harness.validation.rules.rule import Fault

SMALLEST = 32 << 20  # bytes; below, a fork costs more than it saves
_HEAD = struct.Struct("<QQ")


class Vouched(NamedTuple):
    """What the second core found: by position 1 for an answered turn, 0 for none, and counts.

    `unchecked`: moments in videos of unknown duration.
    """

    answered: bytes
    abstentions: int
    unchecked: int


class Second:
    """The second core at work on the bytes of `path` from `start` on."""

    def __init__(self, path: Path, start: int, limit: int, fast: FastPath, turns: int) -> None:
        self.start = start
        self._turns = turns
        self._out, into = os.pipe()
        self._process = os.fork()
        if self._process == 0:
            _work(into, path, start, limit, fast, turns)
        os.close(into)

    def result(self) -> Vouched | None:
        """Wait for the second core; None if it does not vouch for its half."""
        with os.fdopen(self._out, "rb") as stream:
            data = stream.read()
        self._out = -1
        if len(data) != _HEAD.size + self._turns:
            return None
        return Vouched(data[_HEAD.size :], *_HEAD.unpack(data[: _HEAD.size]))

    def close(self) -> None:
        """End the second core, whether it is done or not."""
        if self._out >= 0:
            os.close(self._out)
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)


def second_core(path: Path, limit: int, fast: FastPath, turns: int) -> Second | None:
    """Set a second core to work on a file; None if there is none, or it would not pay.

    Raises Fault if the file cannot be read.
    """
    start = _line_start(path) if path.suffix == ".jsonl" and _may_fork() else None
    return None if start is None else Second(path, start, limit, fast, turns)


def _may_fork() -> bool:
    if not hasattr(os, "sched_getaffinity") or threading.active_count() > 1:
        return False
    return len(os.sched_getaffinity(0)) > 1


def _line_start(path: Path) -> int | None:
    """Where the first line after the middle begins; None if none is near, or the file is small."""
    with opened(path) as raw:
        size = os.fstat(raw.fileno()).st_size
        if size < SMALLEST:
            return None
        middle = raw.seek(size // 2)
        found = raw.read(LINE_LIMIT).find(b"\n")
    return None if found < 0 else middle + found + 1


def _work(into: int, path: Path, start: int, limit: int, fast: FastPath, turns: int) -> None:
    """The child's whole life: it writes what it vouches for, or nothing, and ends."""
    try:
        if (found := _vouched(path, start, limit, fast, turns)) is not None:
            with os.fdopen(into, "wb") as stream:
                stream.write(_HEAD.pack(found.abstentions, found.unchecked) + found.answered)
    finally:
        # Not sys.exit: what the parent has open and registered is not this process's to close.
        os._exit(0)


def _vouched(path: Path, start: int, limit: int, fast: FastPath, turns: int) -> Vouched | None:
    answered, abstentions, unchecked = bytearray(turns), 0, 0
    try:
        for line in lines(chunks(path, limit, start)):
            given = None if line is None else fast.accepted(line)
            if line is None or given is None or answered[given.position] or line.endswith(b"\r"):
                return None
            answered[given.position] = 1
            abstentions += given.abstains
            unchecked += fast.undated(given.answer)
    except Fault:
        return None
    return Vouched(bytes(answered), abstentions, unchecked)
