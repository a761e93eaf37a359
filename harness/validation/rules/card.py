"""card.toml: reading it, and its rules."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from harness.records import Card
from harness.submission import CARD
from harness.validation.reading.source import Hash, opened
from harness.validation.report import Log, bare, named
from harness.validation.rules.card_fields import FIELDS, Field
from harness.validation.rules.rule import Fault, declared
from harness.validation.suggestions import Suggestions

CARD_LIMIT = 64 << 10

NO_CARD = declared("C100", "error", "there is a card.toml", "a folder without card.toml")
LARGE_CARD = declared("C101", "error", "the card holds at most 64 KiB", "a log file as card.toml")
CARD_NOT_UTF8 = declared("C102", "error", "the card is UTF-8", "card.toml saved as UTF-16")
NOT_TOML = declared("C103", "error", "the card is TOML", "team: us")
CARD_KEY_MISSING = declared(
    "C104", "error", "schema, team, system, history, candidates and kind are there", "no `team`"
)
CARD_KEY_UNKNOWN = declared("C105", "error", "keys are those of the format", 'sytem = "ours"')
CARD_TYPE = declared("C106", "error", "values have the type of their key", "team = 7")
CARD_VALUE = declared("C107", "error", "values are among those allowed", 'history = "all"')
CARD_FIGURES = declared(
    "C108", "error", "figures and source stand in reported cards, and only there",
    'kind = "reported" without `figures`',
)  # fmt: skip


REQUIRED = ("schema", "team", "system", "history", "candidates", "kind")
REPORTED_ONLY = ("figures", "source")
_near_key = Suggestions(FIELDS)


def read_card(folder: Path, log: Log, digest: Hash | None) -> tuple[Card | None, str | None]:
    """The card in `folder`, None if something is wrong with it, and its kind if it names one.

    What is wrong goes to `log`, the card's bytes to `digest`, if there is one.
    """
    try:
        data = _card_bytes(folder)
        if digest is not None:
            digest.update(data)
        table = card_table(data)
    except Fault as fault:
        log.add(fault.code, fault.text, CARD)
        return None, None
    found = list(card_faults(table))
    for finding in found:
        log.add(finding.code, finding.text, CARD)
    card = None if found else _card(table)
    kind = table.get("kind")
    return card, kind if isinstance(kind, str) else None


def _card(table: dict[str, Any]) -> Card:
    whole = {key: int(table[key]) for key in ("schema", "seed") if key in table}
    return msgspec.convert(table | whole, Card)


def card_faults(table: dict[str, Any]) -> Iterator[Fault]:
    """All that is wrong with a card's table."""
    for key in REQUIRED:
        if key not in table:
            yield Fault(CARD_KEY_MISSING, f"{key} is missing; add a line such as {_example(key)}")
    for key in sorted(table.keys() - FIELDS.keys())[:100]:
        text = f"unknown key {named(key)}{_near_key(key) or '; remove it'}"
        yield Fault(CARD_KEY_UNKNOWN, text)
    for key, field in FIELDS.items():
        if key in table:
            yield from _value_faults(key, field, table[key])
    yield from _figure_faults(table)


def _value_faults(key: str, field: Field, value: Any) -> Iterator[Fault]:
    if not field.has_type(value):
        text = f"{key}: expected {field.type}, found {_kind(value)}; write {_example(key)}"
        yield Fault(CARD_TYPE, text)
    elif not field.is_allowed(value):
        text = f"{key}: expected {field.allowed}, found {_kind(value)}"
        yield Fault(CARD_VALUE, text)


def _figure_faults(table: dict[str, Any]) -> Iterator[Fault]:
    kind = table.get("kind")
    for key in REPORTED_ONLY:
        if kind == "reported" and key not in table:
            text = f"a reported card needs {key}; add {_example(key)}"
            yield Fault(CARD_FIGURES, text)
        elif kind == "predictions" and key in table:
            text = f'{key} stands in reported cards alone; remove it, or set kind = "reported"'
            yield Fault(CARD_FIGURES, text)


_EXAMPLES = {
    "schema": "schema = 1",
    "history": 'history = "own"',
    "candidates": 'candidates = "unused"',
    "kind": 'kind = "predictions"',
    "training_data": 'training_data = ["IVCR-200K train"]',
    "languages": 'languages = ["en", "zh"]',
    "seed": "seed = 1",
    "date": 'date = "2025-12-01"',
    "figures": 'figures = {"R@1" = 0.25}',
}


def _example(key: str) -> str:
    return _EXAMPLES.get(key, f'{key} = "..."')


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and value.bit_length() > 64:
        return "a number of more than 64 bits"
    return named(value) if isinstance(value, str) else named(str(value))


def _card_bytes(folder: Path) -> bytes:
    path = folder / CARD
    if not path.is_symlink() and not path.exists():
        raise Fault(NO_CARD, "missing; write one with `ivcr submission init`")
    with opened(path) as raw:
        data = raw.read(CARD_LIMIT + 1)
    if len(data) > CARD_LIMIT:
        raise Fault(LARGE_CARD, "expected at most 64 KiB, found more; keep to the keys of a card")
    return data


def card_table(data: bytes) -> dict[str, Any]:
    """The table in a card's bytes. Raises Fault if they are no TOML."""
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Fault(CARD_NOT_UTF8, "expected UTF-8 text; save the file as UTF-8") from error
    except RecursionError as error:
        raise Fault(NOT_TOML, "nested too deeply; a card is a list of keys and values") from error
    except ValueError as error:
        raise Fault(NOT_TOML, f"not TOML: {bare(str(error))}; see toml.io") from error
    date = table.get("date")
    if isinstance(date, datetime.date):
        table["date"] = date.isoformat()
    return table
