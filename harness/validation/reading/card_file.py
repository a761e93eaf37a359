"""card.toml: its bytes, its table, its record, and what is wrong with it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from harness.records import Card
from harness.schemas.documents import plain
from harness.submission import CARD
from harness.validation.problem_log import ProblemLog
from harness.validation.reading.source import Hash, open_untrusted
from harness.validation.report import escape
from harness.validation.rules.card import (
    CARD_LIMIT,
    CARD_NOT_UTF8,
    LARGE_CARD,
    NO_CARD,
    NOT_TOML,
    CardTable,
)
from harness.validation.rules.rule import Fault, Finding
from harness.validation.rules.rule_table import RULES, rules_about


class CardFile(NamedTuple):
    """A card: its record, None if it has an error, and its table, {} if it cannot be read."""

    card: Card | None
    table: dict[str, Any]


def read_card(folder: Path, log: ProblemLog, digest: Hash | None) -> CardFile:
    """Read the card in `folder`; its problems go to `log`, its bytes to `digest`, if given."""
    try:
        data = _card_bytes(folder)
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
    try:
        table: dict[str, Any] = plain(tomllib.loads(data.decode("utf-8")))
    except UnicodeDecodeError as error:
        raise Fault(CARD_NOT_UTF8, "expected UTF-8 text; save the file as UTF-8") from error
    except RecursionError as error:
        raise Fault(NOT_TOML, "nested too deeply; a card is a list of keys and values") from error
    except ValueError as error:
        raise Fault(NOT_TOML, f"not TOML: {escape(str(error))}; see toml.io") from error
    return table


def _record(table: dict[str, Any]) -> Card:
    # JSON Schema takes 1.0 for a whole number.
    whole = {key: int(table[key]) for key in ("schema", "seed") if key in table}
    return msgspec.convert(table | whole, Card)


def _card_bytes(folder: Path) -> bytes:
    path = folder / CARD
    if not path.is_symlink() and not path.exists():
        raise Fault(NO_CARD, "missing; write one with `ivcr submission init`")
    with open_untrusted(path) as raw:
        data = raw.read(CARD_LIMIT + 1)
    if len(data) > CARD_LIMIT:
        raise Fault(LARGE_CARD, "expected at most 64 KiB, found more; keep to the keys of a card")
    return data
