"""From a line's JSON value to a LineAnswer whose parts have the right types: the rules of shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeGuard

from harness.records import CANDIDATES, MOMENT_LIMIT, RANK_LIMIT, milliseconds
from harness.submission import MOMENT_KEYS, PREDICTION_KEYS
from harness.validation.public import PublicSplit
from harness.validation.report import display
from harness.validation.rules.answer import LineAnswer, LineMoment
from harness.validation.rules.json_text import OUT_OF_RANGE
from harness.validation.rules.rule import Finding, declare
from harness.validation.suggestions import Suggestions

NOT_AN_OBJECT = declare("line", "L109", "error", "a line is a JSON object", '["d1", 1, ["a.mp4"]]')
UNKNOWN_KEY = declare("line", "L110", "error", "keys are those of the format", '"video": ["a.mp4"]')
MISSING_KEY = declare(
    "line",
    "L111",
    "error",
    "keys that an object needs are there",
    '{"video_id": "a.mp4", "start": 1}',
)
WRONG_TYPE = declare("line", "L112", "error", "values have the type of their key", '"turn": "1"')

_near_key = Suggestions(PREDICTION_KEYS)
_near_moment_key = Suggestions(MOMENT_KEYS)


def parse_shape(value: Any, public: PublicSplit) -> tuple[LineAnswer | None, list[Finding]]:
    """The answer that a line's JSON value holds, and what is wrong with its shape."""
    if not isinstance(value, dict):
        text = f"expected an object, found {_kind(value)}; write {{...}} with keys"
        return None, [Finding(NOT_AN_OBJECT, text)]
    parts = _Parts(value)
    dialogue_id, turn = parts.text("dialogue_id"), parts.whole("turn")
    position = None
    if dialogue_id is not None and turn is not None:
        position = public.position(dialogue_id, turn)
    answer = LineAnswer(
        value=value,
        dialogue_id=dialogue_id,
        turn=turn,
        position=position,
        task=None if position is None else public.tasks[position],
        videos=parts.texts("videos", RANK_LIMIT),
        moments=parts.moments(),
        choice=parts.texts("choice", CANDIDATES),
        response=parts.text("response"),
    )
    keys = _key_findings(value, PREDICTION_KEYS, PREDICTION_KEYS[:2], _near_key, "")
    return answer, [*keys, *parts.findings]


class _Parts:
    """Takes typed parts out of an object and notes those of another type."""

    def __init__(self, value: dict[str, Any]) -> None:
        self.value = value
        self.findings: list[Finding] = []

    def text(self, key: str) -> str | None:
        """The text under `key`."""
        part = self.value.get(key)
        if key in self.value and not isinstance(part, str):
            self._note(key, "text", part)
        return part if isinstance(part, str) else None

    def whole(self, key: str) -> int | None:
        """The whole number under `key`; 2.0 is one, as in JSON Schema."""
        part = self.value.get(key)
        if _is_number(part) and part == int(part):
            return int(part)
        if key in self.value:
            self._note(key, "a whole number", part)
        return None

    def texts(self, key: str, most: int) -> list[str] | None:
        """The first `most` texts of the list under `key`; None if one of them is no text."""
        part = self._list(key)
        if part is None:
            return None
        if set(map(type, part)) <= {str}:
            return part[:most]
        odd = next(n for n, entry in enumerate(part) if not isinstance(entry, str))
        self._note(f"{key}[{odd}]", "text", part[odd])
        return None

    def moments(self) -> list[LineMoment] | None:
        """The first moments of the list under `moments`; None if one of them is none."""
        part = self._list("moments")
        if part is None:
            return None
        before = len(self.findings)
        label = "moment" if len(part) == 1 else "moment {}"
        entries = [
            self._moment(entry, label.format(n + 1), f"moments[{n}]")
            for n, entry in enumerate(part[:MOMENT_LIMIT])
        ]
        moments = [moment for moment in entries if moment is not None]
        return moments if len(self.findings) == before and len(moments) == len(entries) else None

    def _moment(self, entry: Any, name: str, place: str) -> LineMoment | None:
        if not isinstance(entry, dict):
            self._note(place, "an object {...}", entry)
            return None
        self.findings.extend(
            _key_findings(entry, MOMENT_KEYS, MOMENT_KEYS, _near_moment_key, place)
        )
        video_id, start, end = (entry.get(key, OUT_OF_RANGE) for key in MOMENT_KEYS)
        if isinstance(video_id, str) and _is_number(start) and _is_number(end):
            return LineMoment(name, video_id, milliseconds(start), milliseconds(end))
        if video_id is not OUT_OF_RANGE and not isinstance(video_id, str):
            self._note(f"{place}.video_id", "text", video_id)
        for key, part in (("start", start), ("end", end)):
            if part is not OUT_OF_RANGE and not _is_number(part):
                self._note(f"{place}.{key}", "a number of seconds", part)
        return None

    def _list(self, key: str) -> list[Any] | None:
        part = self.value.get(key)
        if key in self.value and not isinstance(part, list):
            self._note(key, "a list [...]", part)
        return part if isinstance(part, list) else None

    def _note(self, place: str, expected: str, part: Any) -> None:
        if part is OUT_OF_RANGE:
            return
        hint = "; write [] to abstain, or leave the key out" if part is None else ""
        text = f"expected {expected} at {place}, found {_kind(part)}{hint}"
        self.findings.append(Finding(WRONG_TYPE, text))


def _key_findings(
    value: dict[str, Any],
    keys: tuple[str, ...],
    required: tuple[str, ...],
    near: Suggestions,
    place: str,
) -> Iterator[Finding]:
    where = f" in {place}" if place else ""
    if unknown := value.keys() - set(keys):
        key = min(unknown)
        more = f" and {len(unknown) - 1:,} more" if len(unknown) > 1 else ""
        expected = ", ".join(keys)
        text = f"unknown key {display(key)}{more}{where}, expected {expected}{near(key)}"
        yield Finding(UNKNOWN_KEY, text)
    for key in required:
        if key not in value:
            yield Finding(MISSING_KEY, f"key {key} is missing{where}; add it")


def _is_number(part: Any) -> TypeGuard[float]:
    return isinstance(part, int | float) and not isinstance(part, bool)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"text {display(value)}"
    if isinstance(value, dict):
        return "an object {...}"
    return "a list [...]" if isinstance(value, list) else f"number {value}"
