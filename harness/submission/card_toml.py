"""A card as TOML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from harness.records import Card

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def toml_card(card: Card) -> str:
    """The card as TOML, keys in the order of the record, those without a value left out."""
    return "".join(f"{row}\n" for row in _toml_lines(card))


def _toml_lines(card: Card) -> Iterator[str]:
    tables: dict[str, dict[str, Any]] = {}
    for key in card.__struct_fields__:
        value = getattr(card, key)
        if isinstance(value, dict):
            tables[key] = value
        elif value is not None:
            yield f"{key} = {_toml_value(value)}"
    # Tables stand last: in TOML all keys after a table's heading belong to it.
    for key, table in tables.items():
        yield ""
        yield f"[{key}]"
        for name, value in table.items():
            yield f"{_toml_key(name)} = {_toml_value(value)}"


def _toml_key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _toml_text(key)


def _toml_value(value: Any) -> str:
    if isinstance(value, str):
        return _toml_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml_value, value))}]"
    if isinstance(value, dict):
        pairs = (f"{_toml_key(key)} = {_toml_value(part)}" for key, part in value.items())
        return f"{{{', '.join(pairs)}}}"
    raise TypeError(f"a card holds texts, numbers, lists and tables, not {type(value).__name__}")


def _toml_text(text: str) -> str:
    """A TOML basic string: quotation marks, backslashes and control characters escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda c: f"\\u{ord(c[0]):04x}", escaped) + '"'
