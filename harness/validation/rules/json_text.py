"""The rules about a line as JSON text; harness.validation.reading.json_line applies them."""

from __future__ import annotations

from typing import Final

from harness.validation.rules.rule import declare

DEPTH = 8
NUMBER_LIMIT = 10**9
DIGITS = 40

NOT_UTF8 = declare("line", "L101", "error", "a line is UTF-8", '"response": "caf\\xe9" in Latin-1')
NUL = declare("line", "L102", "error", "a line holds no NUL byte", "a sparse or preallocated file")
NOT_JSON = declare(
    "line", "L103", "error", "a line is one JSON value", '{"dialogue_id": "d1", "turn": 1'
)
NESTED = declare("line", "L104", "error", f"JSON is nested at most {DEPTH} deep", "[[[[[[[[[[[[")
NOT_A_NUMBER = declare("line", "L105", "error", "numbers are finite", '"start": NaN')
LARGE_NUMBER = declare(
    "line", "L106", "error", "numbers are at most 1,000,000,000", '"start": 1e400'
)
SURROGATE = declare(
    "line", "L107", "error", "escapes name whole characters", '"response": "\\ud83d", half an emoji'
)
DUPLICATE_KEY = declare(
    "line", "L108", "error", "a key occurs once", '"videos": ["a.mp4"], "videos": ["b.mp4"]'
)


class _OutOfRange:
    """In place of a number that breaks a rule here: the rules of shape pass it over."""


OUT_OF_RANGE: Final = _OutOfRange()
