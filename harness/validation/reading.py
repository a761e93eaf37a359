"""One pass over predictions: fast where nothing is wrong, exact where something is."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from harness.records import Prediction
from harness.submission import PREDICTIONS
from harness.validation import meaning, moments
from harness.validation.answer import Answer, shaped
from harness.validation.fast import PARTS, Accepted, FastPath, prediction
from harness.validation.public import Public
from harness.validation.report import Log, named
from harness.validation.rule import RULES, Fault, declared
from harness.validation.source import chunks
from harness.validation.stream import (
    BLANK,
    BOM,
    CRLF,
    LINE_LIMIT,
    TOO_LONG,
    TOO_MANY_LINES,
    lines,
    without_bom,
)
from harness.validation.text import Finding, read_line

NO_PREDICTIONS = declared(
    "S101", "error", "there is a predictions file", "a folder with predictions.json alone"
)
TWO_PREDICTIONS = declared(
    "S102", "error", "there is one predictions file", "predictions.jsonl and predictions.jsonl.gz"
)
REPORTED = declared(
    "S100", "error", "a reported card stands alone", 'kind = "reported" beside predictions.jsonl'
)
MISSING = declared("T100", "error", "every turn is answered", "no line for turn 2 of dialogue d1")
TWICE = declared("T101", "error", "a turn is answered once", "two lines for turn 2 of dialogue d1")

_LINE_RULES = [
    (row.code, row.check)
    for row in RULES.values()
    if row.check is not None and row.check.__module__ in (meaning.__name__, moments.__name__)
]
_FREE_LINES = 10_000
_FREE_BYTES = 64 << 20
_BYTES_A_TURN = 32 << 10


class Hash(Protocol):
    """What takes bytes in, as hashlib's objects do."""

    def update(self, data: bytes, /) -> None:
        """Take `data` in."""


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
        self._undated = {name for name, length in known.durations.items() if length is None}
        self._unchecked = 0

    def refuse(self, folder: Path) -> bool:
        """Report the predictions that a reported card must not have; whether there are none."""
        present = _present(folder)
        for name in present:
            self._log.add(
                REPORTED,
                'a card of kind "reported" has no predictions; remove the file, or set '
                'kind = "predictions"',
                name,
            )
        return not present

    def read(self, folder: Path, digest: Hash | None) -> bool:
        """Check the predictions in `folder`; whether they could be read to the end."""
        try:
            self._file = _the_file(folder)
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
        most = _FREE_LINES + 2 * turns
        stream = chunks(path, _FREE_BYTES + _BYTES_A_TURN * turns)
        accepted = self._fast.accepted
        for number, line in enumerate(lines(_through(stream, digest)), start=1):
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
            self._note_durations(given.answer)
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
            value, found = read_line(line)
        except Fault as fault:
            self._add(fault.code, fault.text, number)
            return
        answer, shape = shaped(value, self._known)
        found.extend(shape)
        if answer is not None:
            for code, check in _LINE_RULES:
                found.extend(Finding(code, text) for text in check(answer, self._known))
        self._report(number, found, answer)
        if answer is not None and answer.position is not None:
            self._settle(number, answer.position, answer, found)

    def _settle(self, number: int, position: int, answer: Answer, found: list[Finding]) -> None:
        sound = all(RULES[finding.code].severity == "warning" for finding in found)
        if self._answers(number, position, answer) and sound:
            parts = PARTS[self._known.tasks[position]]
            self.abstentions += not any(getattr(answer, part) for part in parts)
            self._note_durations(answer)
            if self._keep:
                self.predictions[position] = answer.prediction(self._known)

    def _note_durations(self, answer: Any) -> None:
        if self._undated and answer.moments:
            self._unchecked += sum(moment.video_id in self._undated for moment in answer.moments)

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
            f"{self._unchecked:,} moments are in videos whose duration the benchmark does not "
            "know, so whether they lie within them was not checked"
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


def _present(folder: Path) -> list[str]:
    return [name for name in PREDICTIONS if os.path.lexists(folder / name)]


def _the_file(folder: Path) -> str:
    """The name of the one predictions file. Raises Fault if there is none, or more than one."""
    present = _present(folder)
    if len(present) > 1:
        raise Fault(TWO_PREDICTIONS, f"one predictions file only, found {', '.join(present)}")
    if present:
        return present[0]
    alike = sorted(
        entry.name for entry in folder.iterdir() if entry.name.lower().startswith("prediction")
    )
    found = ", ".join(map(named, alike[:3])) or "none"
    raise Fault(NO_PREDICTIONS, f"expected one of {', '.join(PREDICTIONS)}, found {found}")
