"""One line of predictions as JSON, with everything that is wrong in it as text.

The reference of the fast path: slow, exact, and bounded for any content of the line.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from harness.validation.report import display, escape
from harness.validation.rules.json_text import (
    DEPTH,
    DIGITS,
    DUPLICATE_KEY,
    LARGE_NUMBER,
    NESTED,
    NOT_A_NUMBER,
    NOT_JSON,
    NOT_UTF8,
    NUL,
    NUMBER_LIMIT,
    OUT_OF_RANGE,
    SURROGATE,
)
from harness.validation.rules.rule import Fault, Finding

_LONE = (
    "an escape from \\ud800 to \\udfff lacks its other half, so it names no character; "
    "write the character itself"
)
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def read_line(line: bytes) -> tuple[Any, list[Finding]]:
    """The line's JSON value and what is wrong in its writing.

    A number out of range is OUT_OF_RANGE; the last of repeated keys counts. Raises Fault if the
    line cannot be read.
    """
    text = _decoded(line)
    if _is_nested(line):
        text = f"expected JSON nested at most {DEPTH} deep, found more; write one flat object"
        raise Fault(NESTED, text)
    reader = _Reader()
    try:
        value = reader.decoder.decode(text)
    except json.JSONDecodeError as error:
        raise Fault(NOT_JSON, _not_json(error)) from error
    if "\\u" in text and _has_surrogate(value):
        reader.findings.append(Finding(SURROGATE, _LONE))
    return value, reader.findings


def _decoded(line: bytes) -> str:
    if b"\0" in line:
        raise Fault(NUL, f"NUL byte at column {line.index(0) + 1}; write the file again as text")
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Fault(
            NOT_UTF8,
            f"expected UTF-8, found byte 0x{line[error.start]:02x} at column {error.start + 1}; "
            "save the file as UTF-8",
        ) from error


def _is_nested(line: bytes) -> bool:
    """Whether brackets outside strings are nested deeper than DEPTH."""
    if line.count(b"[") + line.count(b"{") <= DEPTH:
        return False
    depth = 0
    for bracket in _STRING.sub(b"", line).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEPTH:
            return True
    return False


def _not_json(error: json.JSONDecodeError) -> str:
    what = error.msg[:1].lower() + error.msg[1:]
    return f"not one JSON value: {what} at column {error.colno}; write one object a line"


def _has_surrogate(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False, default=lambda _: None).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _first_repeated(pairs: list[tuple[str, Any]]) -> str:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            return key
        seen.add(key)
    raise ValueError("no key occurs twice")


class _Reader:
    """A JSON decoder that notes what a plain one loses."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_int=self._integer,
            parse_float=self._float,
            parse_constant=self._constant,
        )

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            repeated = _first_repeated(pairs)
            self._note(
                DUPLICATE_KEY,
                f"key {display(repeated)} occurs more than once, and only one can count; "
                "keep the one that is meant",
            )
        return value

    def _integer(self, text: str) -> Any:
        if len(text) > DIGITS or abs(int(text)) > NUMBER_LIMIT:
            return self._out_of_range(text)
        return int(text)

    def _float(self, text: str) -> Any:
        value = float(text)
        return value if abs(value) <= NUMBER_LIMIT else self._out_of_range(text)

    def _out_of_range(self, text: str) -> Any:
        self._note(
            LARGE_NUMBER,
            f"number {escape(text)} is out of range, expected at most {NUMBER_LIMIT:.0e}; "
            "times are seconds from the first frame",
        )
        return OUT_OF_RANGE

    def _constant(self, text: str) -> NoReturn:
        raise Fault(
            NOT_A_NUMBER, f"{text} is no JSON number; give a time in seconds, or leave it out"
        )

    def _note(self, code: str, text: str) -> None:
        if not any(finding.code == code for finding in self.findings):
            self.findings.append(Finding(code, text))
