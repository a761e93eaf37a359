"""JSON in a reply: the objects that stand in it, whole or broken, with or without words around."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

LONGEST = 100_000  # characters of a reply in which objects are looked for, at its end
_TRIES = 50  # places at which an object seems to begin and does not
_FENCE = re.compile(r"```[ \t]*[a-z0-9]*+\s*+(.*?)```", re.DOTALL | re.IGNORECASE)
_BETWEEN = re.compile(r"[\s,;\[\]`]*(?:json)?[\s,;\[\]`]*", re.IGNORECASE)
_BROKEN = re.compile(r"\{\s*+[\"'“][^\"'“”{}]{0,40}(?:[\"'”]\s*+:|\Z)|[\[{]\s*+\Z")
_DECODER = json.JSONDecoder()


class JsonPart(NamedTuple):
    """A JSON value in a reply: characters `start` to `end`. alone: nothing else stands there."""

    value: Any
    start: int
    end: int
    alone: bool = False


def whole_value(text: str) -> JsonPart | None:
    """The JSON value that a reply is, in a code fence or not; None if it is no such value.

    A fenced value counts as the whole, whatever words stand around: it was set apart.
    """
    bare = text.strip()
    if bare[:1] in tuple('{["-0123456789') and (found := _decoded(bare)) is not None:
        return JsonPart(found[0], 0, len(text), alone=True)
    fences = list(_FENCE.finditer(text))
    if not fences or "{" in text[fences[-1].end() :]:
        return None
    inner = fences[-1][1].strip()
    found = _decoded(inner) if inner[:1] in ("{", "[") else None
    return None if found is None else JsonPart(found[0], *fences[-1].span(), alone=True)


def objects(text: str) -> list[JsonPart]:
    """The objects of the last group in a reply: those with no words between them, in order.

    A model that thinks aloud writes its answer last; one that ranks writes one object after the
    other.
    """
    group: list[JsonPart] = []
    for part in _objects(text):
        if group and not _BETWEEN.fullmatch(text, group[-1].end, part.start):
            group = []
        group.append(part)
    return group


def follows(text: str) -> bool:
    """Whether `text`, behind an object, goes on with another one and no words between."""
    return bool(_BETWEEN.fullmatch(text, 0, max(text.find("{"), 0)))


def json_places(text: str) -> tuple[list[dict[str, Any]], int, int] | None:
    """The objects that count in a reply, and from where to where JSON stands; None: none does.

    JSON that breaks off goes on to the end, and holds no object. A list that is the whole reply is
    JSON without an object.
    """
    parts = list(_objects(text))
    first = parts[0].start if parts else len(text)
    whole = whole_value(text)
    if whole is not None and isinstance(whole.value, dict | list):
        values = whole.value if isinstance(whole.value, list) else [whole.value]
        return _dicts(values), min(whole.start, first), whole.end
    behind = parts[-1].end if parts else 0
    broken = _BROKEN.search(text, behind)
    if broken is not None:
        group = objects(text) if parts and follows(text[behind:]) else []
        return _dicts([part.value for part in group]), min(broken.start(), first), len(text)
    if not parts:
        return None
    return _dicts([part.value for part in objects(text)]), first, behind


def _dicts(values: list[Any]) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)]


def _objects(text: str) -> Iterator[JsonPart]:
    at = text.find("{", max(len(text) - LONGEST, 0))
    failures = 0
    while at >= 0 and failures < _TRIES:
        value = _decoded_at(text, at)
        if value is None:
            failures, at = failures + 1, text.find("{", at + 1)
        else:
            yield JsonPart(value[0], at, value[1])
            at = text.find("{", value[1])


def _decoded(text: str) -> tuple[Any] | None:
    found = _decoded_at(text, 0)
    return (found[0],) if found is not None and not text[found[1] :].strip() else None


def _decoded_at(text: str, at: int) -> tuple[Any, int] | None:
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):  # ValueError: of numbers of thousands of digits too
        return None
