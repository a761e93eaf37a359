"""Answers in JSON: the candidates or the span in a reply's objects, under whatever usual name.

Models that were asked for one form answer in others (`{"video": 7}`, `[7, 3]`, `"7"`, 7.0). Of
several objects the last group counts (harness/replies/objects.py), and in it the first is the best.
None stands for a reply without such JSON, which is left to the reader of words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from harness.records import Span
from harness.replies.broken_json import (
    among,
    integer,
    is_choice,
    names_videos,
    numbers_in_broken,
    span_in_broken,
    span_of,
    squeezed,
    time_role,
    time_value,
)
from harness.replies.numbers import number_in_words
from harness.replies.objects import follows, objects, whole_value
from harness.replies.reading import NO_NUMBER, OUT_OF_RANGE, REFUSAL, Reading
from harness.replies.spans import span_in_words

DEEPEST = 6  # objects and lists in one another
_MEASURE = re.compile(
    r"score|conf|prob|start|end|time|second|duration|count|total|rank|turn|frame|similarity|年"
)
FoundT = TypeVar("FoundT")


def numbers_in_json(
    text: str, candidates: int, *, cut: bool = False
) -> Reading[tuple[int, ...]] | None:
    """The candidates that the JSON in a reply names, best first. cut: a bare number may go on."""

    def read(values: Iterable[Any], alone: bool) -> Reading[tuple[int, ...]] | None:
        lists = [_numbers(value, candidates, alone) for value in values]
        found = [each for each in lists if each is not None]
        return among([number for each in found for number in each], candidates) if found else None

    if cut and text.strip().isdecimal():
        return None
    return _in_json(text, read, lambda rest: numbers_in_broken(rest, candidates))


def span_in_json(text: str) -> Reading[Span] | None:
    """The span that the JSON in a reply names."""

    def read(values: Iterable[Any], alone: bool) -> Reading[Span] | None:
        return next((found for value in values if (found := _span(value, alone)) is not None), None)

    return _in_json(text, read, span_in_broken)


def _in_json(
    text: str,
    read: Callable[[Iterable[Any], bool], FoundT | None],
    read_broken: Callable[[str], FoundT | None],
) -> FoundT | None:
    """What `read` finds in the whole or in the last objects, `read_broken` in what is no JSON."""
    whole = whole_value(text)
    if whole is not None and (found := read([whole.value], True)) is not None:
        return found
    parts = [] if whole is not None else objects(text)
    found = read([part.value for part in parts], len(parts) == 1 and parts[0].alone)
    if "{" not in text or whole is not None:
        return found
    rest = text[parts[-1].end :] if parts else text
    broken = read_broken(rest) if "{" in rest else None
    # A list of objects that breaks off has its best ones whole.
    return found if broken is None or (found is not None and follows(rest)) else broken


def _numbers(value: Any, candidates: int, alone: bool, depth: int = 0) -> list[int] | None:
    """The numbers in a JSON value, an empty list if it says that none fits; None: no choice."""
    if depth > DEEPEST:
        return None
    if isinstance(value, Mapping):
        return _numbers_of_object(value, candidates, alone, depth)
    if isinstance(value, list):
        if depth == 0 and not alone:
            return None
        found = [_numbers(item, candidates, alone, depth + 1) for item in value]
        kept = [number for each in found if each is not None for number in each]
        return kept if kept or not value else None
    if (number := integer(value)) is not None:
        return [number]
    if depth == 0:
        return None  # a text as the whole reply is read as words
    return [] if value is None else _numbers_in_text(value, candidates)


def _numbers_in_text(value: Any, candidates: int) -> list[int] | None:
    if not isinstance(value, str):
        return None
    if re.fullmatch(r"[\[(]?\s*[0-9]{1,6}(?:\s*[,;]\s*[0-9]{1,6}){0,200}\s*[\])]?", value):
        return [int(digits) for digits in re.findall("[0-9]+", value)]
    read = number_in_words(value, candidates)
    if read.value is not None:
        return [read.value]
    return {REFUSAL: [], OUT_OF_RANGE: [0]}.get(read.why or NO_NUMBER)


def _numbers_of_object(
    value: Mapping[str, Any], candidates: int, alone: bool, depth: int
) -> list[int] | None:
    keys = sorted(filter(is_choice, value), key=lambda key: not names_videos(key))
    for key in keys:
        if (found := _numbers(value[key], candidates, alone, depth + 1)) is not None:
            return found
    if not alone:
        return None
    # An unknown name: what stands under it counts if it is the only number.
    others = [key for key in value if key not in keys and not _MEASURE.search(squeezed(key))]
    read = [
        found
        for key in others
        if not isinstance(value[key], str | None)
        and (found := _numbers(value[key], candidates, alone, depth + 1))
    ]
    return read[0] if len(read) == 1 else None


def _span(value: Any, alone: bool, depth: int = 0) -> Reading[Span] | None:
    if depth > DEEPEST:
        return None
    if isinstance(value, Mapping):
        return _span_of_object(value, alone, depth)
    if isinstance(value, list):
        if depth == 0 and not alone:
            return None
        if len(value) == 2 and None not in (pair := [time_value(item) for item in value]):
            return span_of(*(at for at in pair if at is not None))
        found = (_span(item, alone, depth + 1) for item in value)
        empty = Reading[Span](None, REFUSAL) if not value else None
        return next((each for each in found if each is not None), empty)
    if depth and isinstance(value, str):
        read = span_in_words(value)
        return read if read.value is not None or read.why == REFUSAL else None
    return Reading(None, REFUSAL) if depth and value is None else None


def _span_of_object(value: Mapping[str, Any], alone: bool, depth: int) -> Reading[Span] | None:
    roles: dict[str, str] = {}
    for key in value:
        if role := time_role(key):
            roles.setdefault(role, key)
    if "start" in roles and ("end" in roles or "length" in roles):
        last = roles.get("end") or roles["length"]
        ends = [(value[key], time_value(value[key], key)) for key in (roles["start"], last)]
        if any(raw is None for raw, _ in ends):
            return Reading(None, REFUSAL)
        (_, start), (_, end) = ends
        if start is None or end is None:
            return None
        return span_of(start, end if "end" in roles else start + end)
    others = [key for key in value if not names_videos(key)] if alone else []
    nested = [roles["pair"]] if "pair" in roles else others
    found = (
        _span(value[key], alone, depth + 1)
        for key in nested
        if key in roles.values() or isinstance(value[key], Mapping | list)
    )
    return next((each for each in found if each is not None), None)
