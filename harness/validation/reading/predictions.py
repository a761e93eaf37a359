"""One pass over predictions: fast where nothing is wrong, exact where something is."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.records import Prediction
from harness.submission import ANSWERED_BY, PREDICTIONS
from harness.validation.problem_log import ProblemLog
from harness.validation.public import PublicSplit
from harness.validation.reading.fast_path import COVERED, AcceptedLine, FastPath, to_prediction
from harness.validation.reading.folder import most_bytes, predictions_file
from harness.validation.reading.line_stream import split_lines, strip_bom
from harness.validation.reading.slow_path import Inspection, inspect_accepted, inspect_line
from harness.validation.reading.source import Hash, read_chunks
from harness.validation.reading.whole_file import WholeFile
from harness.validation.rules.answer import LineAnswer
from harness.validation.rules.rule import Fault
from harness.validation.rules.rule_table import RULES, rules_about
from harness.validation.rules.text_files import (
    BLANK,
    BOM,
    CRLF,
    LINE_LIMIT,
    MISSING,
    NO_DURATION,
    TOO_LONG,
    TOO_MANY_LINES,
    TWICE,
)

_FREE_LINES = 10_000


class PredictionsReader:
    """The state of one pass; `answered` and `abstentions` count turns.

    `keep`: whether `predictions` are held, along the turns of the split.
    """

    def __init__(self, public: PublicSplit, log: ProblemLog, keep: bool) -> None:
        self.answered = 0
        self.abstentions = 0
        self.predictions: list[Prediction | None] = [None] * len(public.tasks) if keep else []
        self._public = public
        self._log = log
        self._keep = keep
        self._file = PREDICTIONS[0]
        self._fast = FastPath(public, ordered=keep)
        self._uncovered = [rule for rule in rules_about("line") if rule.code not in COVERED]
        # By position: the line that answers the turn, 0 for none.
        self._line_of = array("Q", bytes(8 * len(public.tasks)))
        self._crlf = False
        self._undated = 0
        self._whole = WholeFile(public)

    def read(self, folder: Path, digest: Hash | None) -> bool:
        """Check the predictions in `folder`; whether they could be read to the end."""
        try:
            self._file = predictions_file(folder)
            chunks = read_chunks(folder / self._file, most_bytes(len(self._line_of)))
            self._check_lines(split_lines(_through(chunks, digest)))
        except Fault as fault:
            self._log.add(fault.code, fault.text, self._file)
            return False
        if self._undated:
            self._log.add(NO_DURATION, self._no_duration(), self._file)
        self._whole.report(self._log, self._file)
        if self.answered or not self._whole.is_of_others_alone:
            self._report_missing()
        return True

    def _check_lines(self, lines: Iterator[bytes | None]) -> None:
        turns, uncovered = len(self._line_of), self._uncovered
        most = _FREE_LINES + 2 * turns
        # A rule without a check of its own is part of the slow path: it needs every line there.
        fast = self._fast.accept if all(rule.check for rule in uncovered) else _accept_none
        for number, line in enumerate(lines, start=1):
            if number > most:
                raise Fault(
                    TOO_MANY_LINES,
                    f"expected one line for each of {turns:,} turns, found more than {most:,} "
                    "lines; the rest was not read",
                )
            if line is None:
                self._add(TOO_LONG, _LONG, number)
                self._whole.nameless += 1
                continue
            if not self._crlf and line.endswith(b"\r"):
                self._crlf = True
                self._add(CRLF, "the line ends with CR LF; read as if it were LF alone", number)
            if (accepted := fast(line)) is None:
                self._inspect(number, line)
            elif uncovered:
                self._settle(number, inspect_accepted(line, self._public, uncovered))
            else:
                self._take(number, accepted)

    def _take(self, number: int, line: AcceptedLine) -> None:
        """Count an answer that the fast path accepted."""
        if line.answer.moments:
            self._whole.see_moments((m.video_id, m.end * 1000) for m in line.answer.moments)
        if self._is_first(number, line.position, line.answer):
            self.abstentions += line.abstains
            self._undated += self._fast.undated(line.answer)
            if self._keep:
                self.predictions[line.position] = to_prediction(line.answer)

    def _inspect(self, number: int, line: bytes) -> None:
        """Report all that is wrong with a line, and count its answer."""
        if number == 1:
            line, marked = strip_bom(line)
            if marked:
                self._add(BOM, "the file begins with a byte order mark; passed over", number)
        if not line.strip():
            self._add(BLANK, "empty line, passed over; one prediction a line", number)
            return
        try:
            inspection = inspect_line(line, self._public)
        except Fault as fault:
            self._add(fault.code, fault.text, number)
            self._whole.nameless += 1
            return
        self._settle(number, inspection)

    def _settle(self, number: int, inspection: Inspection) -> None:
        answer, findings = inspection
        if answer is not None and self._whole.is_of_other(number, answer):
            return
        if answer is None or answer.position is None:
            self._whole.nameless += 1
        elif answer.moments:
            self._whole.see_moments((moment.video_id, moment.end) for moment in answer.moments)
        for code, text in findings:
            if answer is None:
                self._add(code, text, number)
            else:
                self._log.add(code, text, self._file, number, answer.dialogue_id, answer.turn)
        if answer is not None and answer.position is not None:
            valid = all(RULES[finding.code].severity == "warning" for finding in findings)
            self._count(number, answer.position, answer, valid)

    def _count(self, number: int, position: int, answer: LineAnswer, valid: bool) -> None:
        if self._is_first(number, position, answer) and valid:
            parts = ANSWERED_BY[self._public.tasks[position]]
            self.abstentions += not any(getattr(answer, part) for part in parts)
            self._undated += self._fast.undated(answer)
            if self._keep:
                self.predictions[position] = answer.prediction(self._public)

    def _is_first(self, number: int, position: int, answer: Any) -> bool:
        """Whether the line is the first to answer the turn; reports a second one."""
        first = self._line_of[position]
        if first == 0:
            self._line_of[position] = number
            self.answered += 1
            return True
        text = f"answered before, at line {first}; keep one of the lines"
        self._log.add(TWICE, text, self._file, number, answer.dialogue_id, answer.turn)
        return False

    def _report_missing(self) -> None:
        if self.answered == len(self._line_of):
            return
        step = "add its line (an empty one abstains)"
        if nameless := self._whole.nameless:
            step = (
                f"lines that cannot be read or name no turn: {nameless:,}; as many of the missing "
                "turns may be theirs: mend those first"
            )
        for line, task, name in zip(
            self._line_of, self._public.tasks, self._public.turn_names(), strict=True
        ):
            if line == 0:
                text = f"a {task} turn that no line answers; {step}"
                self._log.add(MISSING, text, self._file, None, *name)

    def _no_duration(self) -> str:
        return (
            "moments in videos whose duration the benchmark does not know: "
            f"{self._undated:,}; whether they are within them was not checked"
        )

    def _add(self, code: str, text: str, number: int) -> None:
        self._log.add(code, text, self._file, number)


_LONG = (
    f"expected a line of at most {LINE_LIMIT >> 10:,} KiB, found a longer one; give at most 100 "
    "videos and 100 moments, and a response of a few sentences"
)


def _accept_none(line: bytes) -> AcceptedLine | None:
    return None


def _through(stream: Iterator[bytes], digest: Hash | None) -> Iterator[bytes]:
    """The chunks as they come, each added to the digest, if there is one."""
    for chunk in stream:
        if digest is not None:
            digest.update(chunk)
        yield chunk
