"""Collects the problems of one validation in bounded memory."""

from __future__ import annotations

from collections import Counter

from harness.validation.report import Problem, Report, Severity, display, escape
from harness.validation.rules.rule_table import RULES

EXAMPLES = 20  # problems of one code that a report holds in full


class ProblemLog:
    """Counts every problem, and holds the first twenty of each code."""

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
        """Count a problem, and hold it if it is among the first of its code."""
        self.totals[code] += 1
        if self.totals[code] > EXAMPLES:
            return
        place = file if line is None else f"{file}:{line}"
        name = None if dialogue_id is None else escape(dialogue_id)
        if name is not None and turn is not None:
            place = f"{place}: turn {display(dialogue_id or '')}/{turn}"
        message = f"{place}: {text} [{code}]"
        severity = RULES[code].severity
        self.problems.append(Problem(code, severity, file, line, name, turn, message))

    def count(self, severity: Severity) -> int:
        """The number of problems of one severity."""
        return sum(n for code, n in self.totals.items() if RULES[code].severity == severity)

    def report(self, answered: int, abstentions: int) -> Report:
        """The report on everything collected."""
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
