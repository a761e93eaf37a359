"""The keys of a card: the type of each, and the values that it allows."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple, get_args

from harness.records import HISTORIES, CandidateUse

LINE_TEXT = 200
LONG_TEXT = 4000


class Field(NamedTuple):
    """A key of the card: its type in words, whether a value has it, and which are allowed."""

    type: str
    has_type: Callable[[Any], bool]
    allowed: str
    is_allowed: Callable[[Any], bool]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    """Whether it is a whole number; 1.0 is one, as in JSON Schema."""
    return _is_number(value) and (isinstance(value, int) or value.is_integer())


def _is_modest(value: Any) -> bool:
    """A finite number that any JSON reader takes exactly, if whole: up to 2^53."""
    return bool(abs(value) <= 2**53)  # false of NaN and infinity


def _is_line(value: str) -> bool:
    one_line = re.fullmatch(r"[^\x00-\x1f\x7f]{1,200}", value) is not None
    return one_line and bool(value.strip())


def _is_amount(value: Any) -> bool:
    return _is_line(value) if _is_text(value) else _is_modest(value)


def _one_of(*names: str) -> Field:
    listed = " or ".join(f'"{name}"' for name in names)
    return Field("text", _is_text, listed, lambda value: value in names)


def _is_cost(value: Any) -> bool:
    if not isinstance(value, dict):
        return _is_amount(value)
    return all(_is_line(k) and _has_amount_type(v) and _is_amount(v) for k, v in value.items())


def _are_figures(value: dict[str, Any]) -> bool:
    names, figures = value.keys(), value.values()
    return bool(value) and all(map(_is_line, names)) and all(map(_is_modest, figures))


def _has_amount_type(value: Any) -> bool:
    return _is_text(value) or _is_number(value)


_LINE = Field("text", _is_text, f"one line of 1 to {LINE_TEXT} characters", _is_line)
_LONG = Field(
    "text", _is_text, f"1 to {LONG_TEXT} characters", lambda text: 0 < len(text) <= LONG_TEXT
)
_LIST = Field(
    "a list of texts",
    lambda value: isinstance(value, list) and all(map(_is_text, value)),
    f"at most 100 lines of 1 to {LINE_TEXT} characters",
    lambda value: len(value) <= 100 and all(map(_is_line, value)),
)
_AMOUNT = Field(
    "a number or text", _has_amount_type, "a finite number, or one line of text", _is_amount
)
FIELDS = {
    "schema": Field("the number 1", _is_whole, "1", lambda value: value == 1),
    "team": _LINE,
    "system": _LINE,
    "history": _one_of(*HISTORIES),
    "candidates": _one_of(*get_args(CandidateUse)),
    "kind": _one_of("predictions", "reported"),
    "description": _LONG,
    "training_data": _LIST,
    "languages": _LIST,
    "parameters": _AMOUNT,
    "frames_per_video": _AMOUNT,
    "seed": Field("a whole number", _is_whole, "at most 2^53", _is_modest),
    "date": Field(
        "a date",
        _is_text,
        "a date such as 2025-12-01",
        lambda text: re.fullmatch(r"[0-9]{4}(-[0-9]{2}){0,2}", text) is not None,
    ),
    "paper": _LINE,
    "code": _LINE,
    "contact": _LINE,
    "hardware": _LINE,
    "cost": Field(
        "a number, text or table",
        lambda value: _has_amount_type(value) or isinstance(value, dict),
        "a finite number, one line of text, or a flat table of these",
        _is_cost,
    ),
    "pair": _LINE,
    "figures": Field(
        "a table of numbers",
        lambda value: isinstance(value, dict) and all(map(_is_number, value.values())),
        "finite numbers by the name of their metric",
        _are_figures,
    ),
    "source": _LINE,
}
