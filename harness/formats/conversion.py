"""What a converter is, and its result: an answer to every turn, a report of what was dropped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Generic, NamedTuple, Protocol, TypeVar

from msgspec import Struct

from harness.benchmark import Benchmark, Split
from harness.errors import SubmissionError
from harness.files import open_input
from harness.records import Card, Prediction, Turn, TurnKey
from harness.submission import STARTER


class ConversionReport(Protocol):
    """A converter's report of its work."""

    def lines(self) -> list[str]:
        """The report as text."""


R = TypeVar("R", bound=ConversionReport, covariant=True)


class DropCounts(Struct, frozen=True):
    """How often a converter dropped or filled what."""

    counts: dict[str, int]

    def lines(self) -> list[str]:
        """The report as text."""
        return [f"{count:>9,}  {what}" for what, count in self.counts.items()]


class Conversion(NamedTuple, Generic[R]):
    """A prediction for every turn of the split, in its order, and the report."""

    predictions: tuple[Prediction, ...]
    report: R


class Format(NamedTuple):
    """What a converter's file declares as FORMAT.

    `convert` reads a file as answers to a split; `card`: what the submissions start from.
    """

    convert: Callable[[Path, Benchmark, str], Conversion[ConversionReport]]
    card: Card = STARTER


def complete(
    split: Split, answers: Mapping[TurnKey, Prediction], report: Counter[str]
) -> Conversion[DropCounts]:
    """Answers in the order of the split; a turn without one abstains, and is counted."""
    predictions = []
    for turn in split.turns:
        answer = answers.get(turn.key)
        if answer is None:
            report[f"{turn.task} turns without an answer, filled with abstentions"] += 1
            answer = abstention(turn)
        predictions.append(answer)
    return Conversion(tuple(predictions), DropCounts(dict(sorted(report.items()))))


def abstention(turn: Turn) -> Prediction:
    """The empty answer to a turn of its task."""
    if turn.task == "video":
        return Prediction(turn.dialogue_id, turn.turn, videos=())
    if turn.task == "moment":
        return Prediction(turn.dialogue_id, turn.turn, moments=())
    return Prediction(turn.dialogue_id, turn.turn, response="")


def keep_known(
    names: list[str], known: frozenset[str], most: int, report: Counter[str], what: str
) -> tuple[str, ...]:
    """The first `most` different known names of a converted answer; the others count as dropped."""
    first: dict[str, None] = {}
    for name in names:
        if name not in known:
            report[f"{what} that are not known, dropped"] += 1
        elif name in first:
            report[f"{what} that occur twice, dropped"] += 1
        elif len(first) == most:
            report[f"{what} past the first {most}, dropped"] += 1
        else:
            first[name] = None
    return tuple(first)


def text_lines(path: Path) -> Iterator[str]:
    """The lines of a text file (plain, .gz or .zst) in UTF-8, a byte order mark passed over.

    Raises EnvironmentFailure if it cannot be read, SubmissionError if it is not UTF-8.
    """
    with open_input(path) as stream:
        for number, data in enumerate(stream, start=1):
            try:
                yield data.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise SubmissionError(
                    f"{path}:{number}: expected UTF-8 text; save the file as UTF-8"
                ) from error
