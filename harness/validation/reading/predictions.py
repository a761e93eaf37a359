"""One pass over predictions: fast where nothing is wrong, exact where something is."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.records import Prediction
from harness.submission import PREDICTIONS
from harness.validation.public import Public
from harness.validation.reading.fast_path import PARTS, Accepted, FastPath, prediction
from harness.validation.reading.json_line import Finding, read_line
from harness.validation.reading.line_stream import (
    BLANK,
    BOM,
    CRLF,
    LINE_LIMIT,
    TOO_LONG,
    TOO_MANY_LINES,
    lines,
    without_bom,
)
from harness.validation.reading.second_core import Vouched, second_core
from harness.validation.reading.source import Half, Hash, chunks
from harness.validation.report import Log
from harness.validation.rules import content, moments
from harness.validation.rules.answer import Answer, shaped
from harness.validation.rules.folder import most_bytes, the_file
from harness.validation.rules.rule import RULES, Fault, declared

MISSING = declared("T100", "error", "every turn is answered", "no line for turn 2 of dialogue d1")
TWICE = declared("T101", "error", "a turn is answered once", "two lines for turn 2 of dialogue d1")

_LINE_RULES = [
    (row.code, row.check)
    for row in RULES.values()
    if row.check is not None and row.check.__module__ in (content.__name__, moments.__name__)
]
_FREE_LINES = 10_000


def inspected(line: bytes, known: Public) -> tuple[Answer | None, list[Finding]]:
    """The slow path: what a line says, None if it is no object, and all that is wrong with it.

    Raises Fault if the line cannot be read.
    """
    value, found = read_line(line)
    answer, shape = shaped(value, known)
    found.extend(shape)
    if answer is not None:
        for code, check in _LINE_RULES:
            found.extend(Finding(code, text) for text in check(answer, known))
    return answer, found


class Reading:
    """The state of one pass; `answered` and `abstentions` count turns."""

    def __init__(self, known: Public, log: Log, keep: bool) -> None:
        self.answered = 0
        self.abstentions = 0
        self.predictions: list[Prediction | None] = [None] * len(known.tasks) if keep else []
        self._known = known
        self._log = log
        self._keep = keep
        self._file = PREDICTIONS[0]
        self._fast = FastPath(known, ordered=keep)
        # By position: the line that answers the turn, 0 for none.
        self._line_of = array("Q", bytes(8 * len(known.tasks)))
        self._crlf = False
        self._lines = 0
        self._unchecked = 0

    def read(self, folder: Path, digest: Hash | None) -> bool:
        """Check the predictions in `folder`; whether they could be read to the end."""
        try:
            self._file = the_file(folder)
            self._read_lines(folder / self._file, digest)
        except Fault as fault:
            self._log.add(fault.code, fault.text, self._file)
            return False
        if self._unchecked:
            self._log.add(moments.NO_DURATION, self._no_duration(), self._file)
        self._report_missing()
        return True

    def _read_lines(self, path: Path, digest: Hash | None) -> None:
        turns = len(self._known.tasks)
        limit = most_bytes(turns)
        second = None if self._keep else second_core(path, limit, self._fast, turns)
        if second is None:
            self._check_lines(lines(_through(chunks(path, limit), digest)))
            return
        try:
            half = Half(second.start, lambda: self._trusts(second.result()))
            self._check_lines(lines(chunks(path, limit, half=half)))
        finally:
            second.close()

    def _trusts(self, vouched: Vouched | None) -> bool:
        """Take over what the second core vouches for, if no turn is answered in both halves."""
        turns = len(self._line_of)
        if vouched is None or self._lines > _FREE_LINES + turns:
            return False
        both = zip(vouched.answered, self._line_of, strict=True)
        if any(there and here for there, here in both):
            return False
        for position in range(turns):
            self._line_of[position] |= vouched.answered[position]
        self.answered += sum(vouched.answered)
        self.abstentions += vouched.abstentions
        self._unchecked += vouched.unchecked
        return True

    def _check_lines(self, each: Iterator[bytes | None]) -> None:
        turns = len(self._known.tasks)
        most = _FREE_LINES + 2 * turns
        accepted = self._fast.accepted
        for number, line in enumerate(each, start=1):
            self._lines = number
            if number > most:
                raise Fault(
                    TOO_MANY_LINES,
                    f"expected one line for each of {turns:,} turns, found more than {most:,} "
                    "lines; the rest was not read",
                )
            if line is None:
                self._add(TOO_LONG, _LONG, number)
                continue
            if not self._crlf and line.endswith(b"\r"):
                self._crlf = True
                self._add(CRLF, "the line ends with CR LF; read as if it were LF alone", number)
            if (answer := accepted(line)) is None:
                self._look_closely(number, line)
            else:
                self._take(number, answer)

    def _take(self, number: int, given: Accepted) -> None:
        """Count an answer that the fast path accepted."""
        if self._answers(number, given.position, given.answer):
            self.abstentions += given.abstains
            self._unchecked += self._fast.undated(given.answer)
            if self._keep:
                self.predictions[given.position] = prediction(given.answer)

    def _look_closely(self, number: int, line: bytes) -> None:
        """Say all that is wrong with a line."""
        if number == 1:
            line, marked = without_bom(line)
            if marked:
                self._add(BOM, "the file begins with a byte order mark; passed over", number)
        if not line.strip():
            self._add(BLANK, "empty line, passed over; one prediction a line", number)
            return
        try:
            answer, found = inspected(line, self._known)
        except Fault as fault:
            self._add(fault.code, fault.text, number)
            return
        self._report(number, found, answer)
        if answer is not None and answer.position is not None:
            self._settle(number, answer.position, answer, found)

    def _settle(self, number: int, position: int, answer: Answer, found: list[Finding]) -> None:
        sound = all(RULES[finding.code].severity == "warning" for finding in found)
        if self._answers(number, position, answer) and sound:
            parts = PARTS[self._known.tasks[position]]
            self.abstentions += not any(getattr(answer, part) for part in parts)
            self._unchecked += self._fast.undated(answer)
            if self._keep:
                self.predictions[position] = answer.prediction(self._known)

    def _answers(self, number: int, position: int, answer: Any) -> bool:
        """Whether the line is the first to answer the turn; reports a second one."""
        first = self._line_of[position]
        if first == 0:
            self._line_of[position] = number
            self.answered += 1
            return True
        text = f"answered before, at line {first}; keep one of the lines"
        self._log.add(TWICE, text, self._file, number, answer.dialogue_id, answer.turn)
        return False

    def _report(self, number: int, found: list[Finding], answer: Answer | None) -> None:
        for code, text in found:
            if answer is None:
                self._add(code, text, number)
            else:
                self._log.add(code, text, self._file, number, answer.dialogue_id, answer.turn)

    def _report_missing(self) -> None:
        if self.answered == len(self._line_of):
            return
        for line, task, name in zip(
            self._line_of, self._known.tasks, self._known.turn_names(), strict=True
        ):
            if line == 0:
                text = f"a {task} turn that no line answers; add its line (an empty one abstains)"
                self._log.add(MISSING, text, self._file, None, *name)

    def _no_duration(self) -> str:
        return (
            "moments in videos whose duration the benchmark does not know: "
            f"{self._unchecked:,}; whether they lie within them was not checked"
        )

    def _add(self, code: str, text: str, number: int) -> None:
        self._log.add(code, text, self._file, number)


_LONG = (
    f"expected a line of at most {LINE_LIMIT >> 10:,} KiB, found a longer one; give at most 100 "
    "videos and 100 moments, and a response of a few sentences"
)


def _through(stream: Iterator[bytes], digest: Hash | None) -> Iterator[bytes]:
    """The chunks as they come, each taken into the digest, if there is one."""
    for chunk in stream:
        if digest is not None:
            digest.update(chunk)
        yield chunk
