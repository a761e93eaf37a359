"""The report of a validation: problems with their places, and totals by code."""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

from harness.files import shown

Severity = Literal["error", "warning"]
_PLAIN = re.compile(r"[\w./@+-]{1,80}", re.ASCII)


class Problem(Struct, frozen=True):
    """One problem. `line` counts from 1; None for a problem that no line has.

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


def display(text: str) -> str:
    """An untrusted name for a message: as it is if it is plain, else quoted, escaped and cut."""
    return text if _PLAIN.fullmatch(text) else shown(text)


def escape(text: str) -> str:
    """An untrusted name for a JSON field: escaped and cut, without quotation marks."""
    return text if _PLAIN.fullmatch(text) else shown(text)[1:-1]


def seconds(milliseconds: int) -> str:
    """A time for a message: seconds with at least one decimal and at most three."""
    text = f"{milliseconds / 1000:.3f}".rstrip("0")
    return f"{text}0 s" if text.endswith(".") else f"{text} s"
