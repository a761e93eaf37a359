"""card.toml: its bytes, its table, its record, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from harness.records import Card
from harness.schemas.documents import plain
from harness.submission import CARD
from harness.untrusted import is_absent, read_small, toml_table
from harness.validation.problem_log import ProblemLog
from harness.validation.reading.source import CARD_CODES, Hash, faults
from harness.validation.rules.card import CARD_LIMIT, NO_CARD, CardTable
from harness.validation.rules.rule import Fault, Finding
from harness.validation.rules.rule_table import RULES, rules_about


class CardFile(NamedTuple):
    """A card: its record, None if it has an error, and its table, {} if it cannot be read."""

    card: Card | None
    table: dict[str, Any]


def read_card(folder: Path, log: ProblemLog, digest: Hash | None) -> CardFile:
    """Read the card in `folder`; its problems go to `log`, its bytes to `digest`, if given."""
    try:
        data = card_bytes(folder)
        if digest is not None:
            digest.update(data)
        table = parse_card(data)
    except Fault as fault:
        log.add(fault.code, fault.text, CARD)
        return CardFile(None, {})
    findings = list(card_findings(table))
    for finding in findings:
        log.add(finding.code, finding.text, CARD)
    errors = [finding for finding in findings if RULES[finding.code].severity == "error"]
    return CardFile(None if errors else _record(table), table)


def card_findings(table: dict[str, Any]) -> Iterator[Finding]:
    """All that is wrong with a card's table."""
    card = CardTable.of(table)
    for rule in rules_about("card"):
        if rule.check is not None:
            yield from (Finding(rule.code, text) for text in rule.check(card))


def parse_card(data: bytes) -> dict[str, Any]:
    """The table in a card's bytes. Raises Fault if they are no TOML."""
    with faults(CARD_CODES):
        table: dict[str, Any] = plain(toml_table(data))
    return table


def _record(table: dict[str, Any]) -> Card:
    # JSON Schema takes 1.0 for a whole number.
    whole = {key: int(table[key]) for key in ("schema", "seed") if key in table}
    return msgspec.convert(table | whole, Card)


def card_bytes(folder: Path) -> bytes:
    """The bytes of card.toml. Raises Fault if they cannot be taken."""
    path = folder / CARD
    if is_absent(path):
        raise Fault(NO_CARD, "missing; write one with `ivcr submission init`")
    with faults(CARD_CODES):
        return read_small(path, CARD_LIMIT, "; keep to the keys of a card")
