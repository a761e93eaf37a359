"""The slow path: exact about any line; the reference of the fast path."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from harness.validation.public import PublicSplit
from harness.validation.reading.json_line import read_line
from harness.validation.rules.answer import LineAnswer
from harness.validation.rules.rule import Finding, Rule
from harness.validation.rules.rule_table import rules_about
from harness.validation.rules.shape import parse_shape


class Inspection(NamedTuple):
    """A line's answer, None if the line is no object, and all that is wrong with it."""

    answer: LineAnswer | None
    findings: list[Finding]


def inspect_line(line: bytes, public: PublicSplit) -> Inspection:
    """Apply all rules about a line. Raises Fault if the line cannot be read."""
    value, findings = read_line(line)
    answer, shape = parse_shape(value, public)
    findings.extend(shape)
    if answer is not None:
        findings.extend(_apply(rules_about("line"), answer, public))
    return Inspection(answer, findings)


def inspect_accepted(line: bytes, public: PublicSplit, rules: Iterable[Rule]) -> Inspection:
    """Apply `rules` alone to a line that the fast path accepted."""
    answer, findings = parse_shape(msgspec.json.decode(line), public)
    if answer is not None:
        findings.extend(_apply(rules, answer, public))
    return Inspection(answer, findings)


def _apply(rules: Iterable[Rule], answer: LineAnswer, public: PublicSplit) -> list[Finding]:
    return [
        Finding(rule.code, text)
        for rule in rules
        if rule.check is not None
        for text in rule.check(answer, public)
    ]
