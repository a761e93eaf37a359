"""From a line's JSON value to an answer whose parts have the right types: the rules of shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeGuard

from msgspec import Struct

from harness.records import Moment, Prediction, Task, milliseconds
from harness.validation.public import Public
from harness.validation.reading.json_line import ODD, Finding
from harness.validation.report import named
from harness.validation.rules.rule import declared
from harness.validation.suggestions import Suggestions

MOST_VIDEOS = 100
MOST_MOMENTS = 100
MOST_CHOICES = 10

NOT_AN_OBJECT = declared("L109", "error", "a line is a JSON object", '["d1", 1, ["a.mp4"]]')
UNKNOWN_KEY = declared("L110", "error", "keys are those of the format", '"video": ["a.mp4"]')
MISSING_KEY = declared(
    "L111", "error", "keys that an object needs are there", '{"video_id": "a.mp4", "start": 1}'
)
WRONG_TYPE = declared("L112", "error", "values have the type of their key", '"turn": "1"')

KEYS = ("dialogue_id", "turn", "videos", "moments", "choice", "response")
MOMENT_KEYS = ("video_id", "start", "end")
_near_key = Suggestions(KEYS)
_near_moment_key = Suggestions(MOMENT_KEYS)


class Given(NamedTuple):
    """A moment as given: milliseconds, in any order and place. `name` is its name in a message."""

    name: str
    video_id: str
    start: int
    end: int


class Answer(Struct, frozen=True):
    """One readable line. A part is None where it is absent or has the wrong type.

    `position`: the turn's place in the split, None if the line names none; `keys`: the keys that
    the line has, whatever their values. Lists are cut to the most they may hold; `lengths` has the
    lengths given.
    """

    dialogue_id: str | None
    turn: int | None
    position: int | None
    task: Task | None
    keys: frozenset[str]
    lengths: dict[str, int]
    videos: list[str] | None
    moments: list[Given] | None
    choice: list[str] | None
    response: str | None

    def prediction(self, known: Public) -> Prediction:
        """The record, of a line without errors; ends past a video's end are clipped to it."""
        assert self.dialogue_id is not None and self.turn is not None  # noqa: PT018, S101
        return Prediction(
            self.dialogue_id,
            self.turn,
            None if self.videos is None else tuple(self.videos),
            None if self.moments is None else tuple(_clipped(m, known) for m in self.moments),
            None if self.choice is None else tuple(self.choice),
            self.response,
        )


def _clipped(given: Given, known: Public) -> Moment:
    duration = known.durations[given.video_id]
    end = given.end if duration is None else min(given.end, duration)
    return Moment(given.video_id, given.start, end)


def shaped(value: Any, known: Public) -> tuple[Answer | None, list[Finding]]:
    """The answer that a line's JSON value holds, and what is wrong with its shape."""
    if not isinstance(value, dict):
        text = f"expected an object, found {_kind(value)}; write {{...}} with keys"
        return None, [Finding(NOT_AN_OBJECT, text)]
    shape = _Shape(value)
    dialogue_id, turn = shape.text("dialogue_id"), shape.whole("turn")
    position = None
    if dialogue_id is not None and turn is not None:
        position = known.position(dialogue_id, turn)
    answer = Answer(
        dialogue_id=dialogue_id,
        turn=turn,
        position=position,
        task=None if position is None else known.tasks[position],
        keys=frozenset(value),
        videos=shape.texts("videos", MOST_VIDEOS),
        moments=shape.moments(),
        choice=shape.texts("choice", MOST_CHOICES),
        response=shape.text("response"),
        lengths={key: len(part) for key, part in value.items() if isinstance(part, list)},
    )
    return answer, [*_key_findings(value, KEYS, KEYS[:2], _near_key, ""), *shape.found]


class _Shape:
    """Takes typed parts out of an object and notes those of another type."""

    def __init__(self, value: dict[str, Any]) -> None:
        self.value = value
        self.found: list[Finding] = []

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

    def moments(self) -> list[Given] | None:
        """The first moments of the list under `moments`; None if one of them is none."""
        part = self._list("moments")
        if part is None:
            return None
        before = len(self.found)
        label = "moment" if len(part) == 1 else "moment {}"
        given = [
            self._moment(entry, label.format(n + 1), f"moments[{n}]")
            for n, entry in enumerate(part[:MOST_MOMENTS])
        ]
        whole = [moment for moment in given if moment is not None]
        return whole if len(self.found) == before and len(whole) == len(given) else None

    def _moment(self, entry: Any, name: str, place: str) -> Given | None:
        if not isinstance(entry, dict):
            self._note(place, "an object {...}", entry)
            return None
        self.found.extend(_key_findings(entry, MOMENT_KEYS, MOMENT_KEYS, _near_moment_key, place))
        video_id, start, end = (entry.get(key, ODD) for key in MOMENT_KEYS)
        if isinstance(video_id, str) and _is_number(start) and _is_number(end):
            return Given(name, video_id, milliseconds(start), milliseconds(end))
        if video_id is not ODD and not isinstance(video_id, str):
            self._note(f"{place}.video_id", "text", video_id)
        for key, part in (("start", start), ("end", end)):
            if part is not ODD and not _is_number(part):
                self._note(f"{place}.{key}", "a number of seconds", part)
        return None

    def _list(self, key: str) -> list[Any] | None:
        part = self.value.get(key)
        if key in self.value and not isinstance(part, list):
            self._note(key, "a list [...]", part)
        return part if isinstance(part, list) else None

    def _note(self, place: str, expected: str, found: Any) -> None:
        if found is ODD:
            return
        hint = "; write [] to abstain, or leave the key out" if found is None else ""
        text = f"expected {expected} at {place}, found {_kind(found)}{hint}"
        self.found.append(Finding(WRONG_TYPE, text))


def _key_findings(
    value: dict[str, Any],
    known: tuple[str, ...],
    needed: tuple[str, ...],
    near: Suggestions,
    place: str,
) -> Iterator[Finding]:
    where = f" in {place}" if place else ""
    strange = sorted(value.keys() - set(known))
    for key in strange[:1]:
        more = f" and {len(strange) - 1:,} more" if len(strange) > 1 else ""
        expected = ", ".join(known)
        text = f"unknown key {named(key)}{more}{where}, expected {expected}{near(key)}"
        yield Finding(UNKNOWN_KEY, text)
    for key in needed:
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
        return f"text {named(value)}"
    if isinstance(value, dict):
        return "an object {...}"
    return "a list [...]" if isinstance(value, list) else f"number {value}"
