"""What a ledger was done to: every edit, deletion, reordering and truncation, line by line.

Each line names the SHA-256 of the one before. Whoever holds the head that a page published sees
any change up to that line; without it, a change of the last line, missing lines at the end and a
ledger that was written anew from some line on do not show.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from harness.challenge.ledger import LEDGER, finished_lines, open_ledger
from harness.challenge.ledger_lines import (
    LONGEST,
    START,
    LedgerLine,
    decode,
    digest,
    parse_time,
)
from harness.errors import WrongUsageError
from harness.files import shown

MOST = 1000  # problems that are listed


class LedgerProblem(NamedTuple):
    """One thing that is wrong; `line` from 1, None: with the ledger as a whole."""

    line: int | None
    text: str

    def __str__(self) -> str:
        return f"{LEDGER}{'' if self.line is None else f':{self.line}'}: {self.text}"


class LedgerReport(NamedTuple):
    """The result of a check.

    `lines`: how many there are; `head`: of the last one; `since`: how many were added after the
    head that was given, None where it was not found or not given; `unfinished`: bytes of a line
    that a killed writer left, which the next one removes.
    """

    problems: tuple[LedgerProblem, ...]
    lines: int
    head: str
    since: int | None
    unfinished: int


def verify(submissions: Path, head: str | None = None) -> LedgerReport:
    """Check every line of a ledger, and that the published `head` is that of one of its lines.

    An absent ledger is an empty one. Raises EnvironmentFailure if it cannot be read.
    """
    path = submissions / LEDGER
    with open_ledger(path) as stream:
        check = _Check(head)
        if stream is not None:
            for data in finished_lines(stream.fileno()):
                check.take(data)
            size = stream.seek(0, 2)
            return check.report(size - check.size)
    return check.report(0)


def require_head(text: str) -> str:
    """A published head as 64 hexadecimal digits. Raises WrongUsageError if it is none."""
    head = text.strip().lower()
    if not re.fullmatch("[0-9a-f]{64}", head):
        raise WrongUsageError(f"--head: expected 64 hexadecimal digits, found {shown(text)}")
    return head


class _Check:
    def __init__(self, head: str | None) -> None:
        self._wanted = head
        self._found_at = 0 if head == START else None
        self._problems: list[LedgerProblem] = []
        self._lines, self._seq, self._time, self._head = 0, 0, "", START
        self.size = 0

    def take(self, data: bytes) -> None:
        """Compare the next line with those before."""
        self._lines += 1
        self.size += len(data)
        try:
            self._compare(decode(data))
        except ValueError as error:
            whole = data.endswith(b"\n")
            self._add(str(error) if whole else f"longer than {LONGEST:,} bytes")
            self._seq += 1
        self._head = digest(data)
        if self._head == self._wanted:
            self._found_at = self._lines

    def _compare(self, line: LedgerLine) -> None:
        if line.seq != self._seq + 1:
            self._add(
                f"expected line number {self._seq + 1}, found {line.seq}: lines are missing, were "
                "added or changed places"
            )
        if line.prev != self._head:
            self._add(
                "does not name the line before: that one was changed, or lines are missing, were "
                "added or changed places"
            )
        if self._time and line.time < parse_time(self._time):
            self._add(f"expected a time from {self._time} on, found {line.at}")
        self._seq, self._time = line.seq, line.at

    def _add(self, text: str) -> None:
        if len(self._problems) < MOST:
            self._problems.append(LedgerProblem(self._lines, text))

    def report(self, unfinished: int) -> LedgerReport:
        """What was found; `unfinished`: bytes behind the last newline."""
        problems = list(self._problems)
        since = None if self._found_at is None else self._lines - self._found_at
        if self._wanted is not None and since is None:
            text = (
                f"no line has the published head {self._wanted}: lines at the end were changed or "
                "are missing, or the ledger was written anew"
            )
            problems.append(LedgerProblem(None, text))
        return LedgerReport(tuple(problems), self._lines, self._head, since, unfinished)
