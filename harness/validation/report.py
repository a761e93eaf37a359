"""What validation says: problems with their places, the first of each kind in full, and totals."""

from __future__ import annotations

import re
from collections import Counter

from msgspec import Struct

from harness.files import shown
from harness.validation.rules.rule import RULES, Severity

SHOWN = 20  # problems of one code that are shown in full
_PLAIN = re.compile(r"[\w./@+-]{1,80}", re.ASCII)


class Problem(Struct, frozen=True):
    """One finding. `line` counts from 1; None for a problem that no line has.

    `message` holds place, expectation, finding, next step and code; what it and `dialogue_id` echo
    from a file is escaped and cut.
    """

    code: str
    severity: Severity
    file: str
    line: int | None
    dialogue_id: str | None
    turn: int | None
    message: str


class Report(Struct, frozen=True):
    """The report that `ivcr validate --format json` prints.

    `answered`: turns that a line names, abstentions among them; `problems`: the first twenty of
    each code; `totals`: all problems by code.
    """

    schema: int
    valid: bool
    errors: int
    warnings: int
    answered: int
    abstentions: int
    problems: tuple[Problem, ...]
    totals: dict[str, int]


class Log:
    """Collects problems in bounded memory."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.totals: Counter[str] = Counter()

    def add(
        self,
        code: str,
        text: str,
        file: str,
        line: int | None = None,
        dialogue_id: str | None = None,
        turn: int | None = None,
    ) -> None:
        """Count a problem, and keep it if it is among the first of its code."""
        self.totals[code] += 1
        if self.totals[code] > SHOWN:
            return
        place = file if line is None else f"{file}:{line}"
        name = None if dialogue_id is None else bare(dialogue_id)
        if name is not None and turn is not None:
            place = f"{place}: turn {named(dialogue_id or '')}/{turn}"
        message = f"{place}: {text} [{code}]"
        severity = RULES[code].severity
        self.problems.append(Problem(code, severity, file, line, name, turn, message))

    def count(self, severity: Severity) -> int:
        """The number of problems of one severity."""
        return sum(n for code, n in self.totals.items() if RULES[code].severity == severity)

    def report(self, answered: int, abstentions: int) -> Report:
        """The report over everything collected."""
        errors = self.count("error")
        return Report(
            schema=1,
            valid=errors == 0,
            errors=errors,
            warnings=self.count("warning"),
            answered=answered,
            abstentions=abstentions,
            problems=tuple(self.problems),
            totals=dict(sorted(self.totals.items())),
        )


def named(text: str) -> str:
    """An untrusted name for a message: bare if it is plain, else quoted, escaped and cut."""
    return text if _PLAIN.fullmatch(text) else shown(text)


def bare(text: str) -> str:
    """An untrusted name for a JSON field: escaped and cut, without quotation marks."""
    return text if _PLAIN.fullmatch(text) else shown(text)[1:-1]


def seconds(milliseconds: int) -> str:
    """A time for a message: seconds with at least one decimal and at most three."""
    text = f"{milliseconds / 1000:.3f}".rstrip("0")
    return f"{text}0 s" if text.endswith(".") else f"{text} s"
