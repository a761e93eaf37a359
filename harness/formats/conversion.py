"""What a converter is, and its result: an answer to every turn, a report of what was dropped."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Generic, NamedTuple, Protocol, TypeVar

from msgspec import Struct

from harness.benchmark import Benchmark, Split
from harness.errors import SubmissionError
from harness.files import shown
from harness.records import Card, Prediction, Turn, TurnKey
from harness.submission import ANSWERED_BY, STARTER
from harness.untrusted import UnfitFileError, bounded_lines, open_input
from harness.validation.report import display
from harness.validation.suggestions import Suggestions

LONGEST_LINE = 16 << 20  # bytes
LARGEST_UTF_16 = 64 << 20  # bytes
HINTED = 20  # unknown names of one kind that are looked up for a hint
_ZIP = b"PK\x03\x04"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_TURN = re.compile(r"([0-9]{1,9})(?:[.,]0+)?")


class ConversionReport(Protocol):
    """A converter's report of its work."""

    def lines(self) -> list[str]:
        """The report as text."""


R = TypeVar("R", bound=ConversionReport, covariant=True)


class DropCounts(Struct, frozen=True):
    """How often a converter dropped or filled what; `notes`: how it read the file, and hints."""

    counts: dict[str, int]
    notes: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The report as text."""
        return [*self.notes, *(f"{count:>9,}  {what}" for what, count in self.counts.items())]


class Conversion(NamedTuple, Generic[R]):
    """A prediction for every turn of the split, in its order, and the report."""

    predictions: tuple[Prediction, ...]
    report: R


class Format(NamedTuple):
    """What a converter's file declares as FORMAT.

    `convert` reads a file as answers to a split; `card`: what the submissions start from;
    `by_rank`: the same where the format's rank column, not its scores, orders a ranking.
    """

    convert: Callable[[Path, Benchmark, str], Conversion[ConversionReport]]
    card: Card = STARTER
    by_rank: Callable[[Path, Benchmark, str], Conversion[ConversionReport]] | None = None


class KnownNames:
    """The names that an answer may hold, and hints for others."""

    def __init__(self, names: Collection[str]) -> None:
        self.names = frozenset(names)
        self.near = Suggestions(names)


class DropLog:
    """Collects a converter's report of one file."""

    def __init__(self, benchmark: Benchmark, split: str) -> None:
        self.counts: Counter[str] = Counter()
        self.notes: list[str] = []
        self._looked_up: Counter[str] = Counter()
        self._benchmark, self._split = benchmark, split
        self._dialogues = KnownNames(benchmark.split(split).dialogues())

    def drop_name(self, what: str, name: str, known: KnownNames) -> None:
        """Count an unknown name; the first one that is near a known one becomes a hint."""
        self.counts[f"{what} that are not known, dropped"] += 1
        if self._looked_up[what] < HINTED:
            self._looked_up[what] += 1
            if hint := known.near(name):
                self._looked_up[what] = HINTED
                self.notes.append(f"{what} that are not known, such as {display(name)}{hint}")

    def drop_turn(self, what: str, key: TurnKey) -> None:
        """Count `what` of a turn that the split does not have, and say so once where it is from."""
        self.counts[what] += 1
        name = key.dialogue_id
        if name in self._dialogues.names or self._looked_up["dialogues"] >= HINTED:
            return
        self._looked_up["dialogues"] += 1
        other = self._benchmark.dialogues_elsewhere(self._split).get(name)
        hint = (
            self._dialogues.near(name)
            if other is None
            else f"; it is one of split {other}: name `--split {other}` if the file answers that"
        )
        if hint:
            self._looked_up["dialogues"] = HINTED
            self.notes.append(f"split {self._split} has no dialogue {display(name)}{hint}")


def complete(
    split: Split, answers: Mapping[TurnKey, Prediction], log: DropLog
) -> Conversion[DropCounts]:
    """Answers in the order of the split; a turn without one abstains, and is counted."""
    predictions = []
    for turn in split.turns:
        answer = answers.get(turn.key)
        if answer is None:
            log.counts[f"{turn.task} turns without an answer, filled with abstentions"] += 1
            answer = abstention(turn)
        predictions.append(answer)
    report = DropCounts(dict(sorted(log.counts.items())), tuple(log.notes))
    return Conversion(tuple(predictions), report)


def answered(split: Split, predictions: Sequence[Prediction]) -> int:
    """How many turns of the split `predictions`, in its order, answer with more than nothing."""
    return sum(
        any(getattr(prediction, part) for part in ANSWERED_BY[turn.task])
        for turn, prediction in zip(split.turns, predictions, strict=True)
    )


def abstention(turn: Turn) -> Prediction:
    """The empty answer to a turn of its task."""
    if turn.task == "video":
        return Prediction(turn.dialogue_id, turn.turn, videos=())
    if turn.task == "moment":
        return Prediction(turn.dialogue_id, turn.turn, moments=())
    return Prediction(turn.dialogue_id, turn.turn, response="")


def keep_known(
    names: list[str], known: KnownNames, most: int, log: DropLog, what: str
) -> tuple[str, ...]:
    """The first `most` different known names of a converted answer; the others count as dropped."""
    first: dict[str, None] = {}
    for name in names:
        if name not in known.names:
            log.drop_name(what, name, known)
        elif name in first:
            log.counts[f"{what} that occur twice, dropped"] += 1
        elif len(first) == most:
            log.counts[f"{what} past the first {most}, dropped"] += 1
        else:
            first[name] = None
    return tuple(first)


def turn_number(text: str, place: str, expected: str = "a turn number") -> int:
    """A turn's number, from 1; 2.0 is one, as in JSON Schema. Raises SubmissionError if not."""
    found = _TURN.fullmatch(text.strip())
    if found is None:
        raise SubmissionError(f"{place}: expected {expected}, found {shown(text)}")
    if (number := int(found[1])) == 0:
        raise SubmissionError(f"{place}: turns count from 1, found 0; add 1 to every turn")
    return number


def text_lines(path: Path) -> Iterator[str]:
    """The lines of a text file (plain, .gz or .zst) in UTF-8 or, with its mark, UTF-16.

    A byte order mark is passed over; lines end with a newline, a carriage return or both. Raises
    EnvironmentFailure if it cannot be read, SubmissionError if it is no such text.
    """
    number = 0
    with open_input(path) as stream:
        for data in _in_utf_8(stream, path):
            for piece in data.splitlines(keepends=True):
                number += 1
                try:
                    yield piece.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    raise SubmissionError(
                        f"{path}:{number}: expected UTF-8 text; save the file as UTF-8 "
                        "(in Excel: CSV UTF-8)"
                    ) from error


def _in_utf_8(stream: IO[bytes], path: Path) -> Iterator[bytes]:
    """The bytes of a stream line by line, those of UTF-16 in UTF-8."""
    lines = bounded_lines(stream, LONGEST_LINE)
    first = next(lines, b"")
    if first.startswith(_ZIP):
        raise SubmissionError(
            f"{path}: expected text, found a workbook or a ZIP archive; save the table as CSV UTF-8"
        )
    if not first.startswith(_UTF_16):
        yield first
        yield from lines
        return
    rest = stream.read(LARGEST_UTF_16)
    if len(rest) == LARGEST_UTF_16:
        raise UnfitFileError("too large", f"expected at most {LARGEST_UTF_16:,} bytes of UTF-16")
    try:
        yield (first + rest).decode("utf-16").encode("utf-8")
    except UnicodeError as error:
        raise SubmissionError(
            f"{path}: begins like UTF-16 text and is none; save the file as UTF-8"
        ) from error
