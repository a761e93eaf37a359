"""The table of rules: a stable code, a severity, what must hold, and a bad example."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from harness.validation.public import Public
    from harness.validation.rules.answer import Answer

Severity = Literal["error", "warning"]
LineCheck = Callable[["Answer", "Public"], Iterator[str]]


class Fault(Exception):  # noqa: N818 - a finding about a file, caught and reported
    """A finding that ends the reading of a card, a line or a file: a rule's code and its text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Rule(NamedTuple):
    """One rule. `states`: what must hold; `bad`: an example that breaks it.

    `check` is the function of a rule about the meaning of one readable line: it yields the text of
    every finding. Rules about files, cards and unreadable lines are applied where these are read.
    """

    code: str
    severity: Severity
    states: str
    bad: str
    check: LineCheck | None = None


RULES: dict[str, Rule] = {}


def declared(code: str, severity: Severity, states: str, bad: str) -> str:
    """Enter a rule that is applied where a file, a card or a line is read; returns its code."""
    _enter(Rule(code, severity, states, bad))
    return code


def rule(
    code: str, states: str, bad: str, severity: Severity = "error"
) -> Callable[[LineCheck], LineCheck]:
    """Enter the decorated function as the rule `code` about one readable line."""

    def entered(check: LineCheck) -> LineCheck:
        _enter(Rule(code, severity, states, bad, check))
        return check

    return entered


def _enter(row: Rule) -> None:
    if row.code in RULES:
        raise ValueError(f"two rules have the code {row.code}")
    RULES[row.code] = row
