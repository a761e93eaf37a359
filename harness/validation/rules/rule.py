"""A rule: a stable code, a severity, what must hold, and a bad example."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple, TypeVar

from harness.validation.report import Severity

Subject = Literal["folder", "file", "card", "line"]
Check = TypeVar("Check", bound=Callable[..., Iterator[Any]])


class Fault(Exception):  # noqa: N818 - a finding about a file, caught and reported
    """A finding that ends the reading of a card, a line or a file: a rule's code and its text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Finding(NamedTuple):
    """A rule's code, and the text about what breaks it."""

    code: str
    text: str


class Rule(NamedTuple):
    """One rule. `states`: what must hold; `bad`: an example that breaks it.

    `subject`: what the rule is about; `file` is a file's bytes, their division into lines, and the
    order of the lines. `check` yields what breaks the rule; where it is None, the code that reads
    the subject applies the rule itself.
    """

    code: str
    severity: Severity
    states: str
    bad: str
    subject: Subject
    check: Callable[..., Iterator[Any]] | None = None


# Filled by the modules of this package as they are loaded; rule_table loads them all.
ENTERED: dict[str, Rule] = {}


def declare(subject: Subject, code: str, severity: Severity, states: str, bad: str) -> str:
    """Enter a rule that is applied where its subject is read; returns its code."""
    _enter(Rule(code, severity, states, bad, subject))
    return code


def checking(
    subject: Subject, code: str, states: str, bad: str, severity: Severity
) -> Callable[[Check], Check]:
    """Enter the decorated function as the check of the rule `code`."""

    def enter(check: Check) -> Check:
        _enter(Rule(code, severity, states, bad, subject, check))
        return check

    return enter


def _enter(row: Rule) -> None:
    if row.code in ENTERED:
        raise ValueError(f"two rules have the code {row.code}")
    ENTERED[row.code] = row
