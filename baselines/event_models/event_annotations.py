"""The train split's annotated events: what happens when in a video, attribute by attribute.

train/events.jsonl has one line a video: {"video_id", "events": [{"start", "end", ...}], ...}, times
in seconds. Every further text field of an event is an attribute of events (in IVCR-Mini shape,
colour, motion, place, pace), every further text field of the line one of whole videos (background).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from baselines.base import MissingInputError
from harness.errors import EnvironmentFailure
from harness.records import milliseconds

FILE = Path("train") / "events.jsonl"
_NOT_ATTRIBUTES = {"video_id", "events", "start", "end"}


class Attribute(NamedTuple):
    """What can be said of an event, or of a whole video; its values in alphabetical order.

    first: the number of its first value, among the values of all attributes.
    """

    name: str
    of_event: bool
    values: tuple[str, ...]
    first: int

    @property
    def slice(self) -> slice:
        """The numbers of its values."""
        return slice(self.first, self.first + len(self.values))


class Event(NamedTuple):
    """An event: milliseconds from the first frame, and the numbers of its values."""

    start: int
    end: int
    values: tuple[int, ...]


class Script(NamedTuple):
    """A video's events in order of time, and the numbers of the values of the whole video."""

    events: tuple[Event, ...]
    values: tuple[int, ...]


class Annotations(NamedTuple):
    """All attributes, those of events first, and the scripts by video id."""

    attributes: tuple[Attribute, ...]
    scripts: dict[str, Script]

    @property
    def size(self) -> int:
        """How many values there are."""
        return size(self.attributes)


def size(attributes: tuple[Attribute, ...]) -> int:
    """How many values the attributes have in all."""
    return sum(len(attribute.values) for attribute in attributes)


def read(folder: Path, baseline: str) -> Annotations:
    """Read the annotated events of the benchmark in `folder`, on behalf of `baseline`.

    Raises MissingInputError if the benchmark has none, EnvironmentFailure if a line is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        raise MissingInputError(
            f"{path}: expected the train split's annotated events, from which {baseline} learns to "
            "see, found none; `ivcr data mini` makes a benchmark that has them, and "
            "`ivcr baseline list` shows what runs without"
        )
    lines = list(_lines(path))
    attributes = _attributes(lines)
    numbers = {
        (attribute.name, attribute.of_event, value): attribute.first + place
        for attribute in attributes
        for place, value in enumerate(attribute.values)
    }
    scripts = {line["video_id"]: _script(line, numbers) for line in lines}
    return Annotations(attributes, scripts)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for number, raw in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            line = msgspec.json.decode(raw)
            [(event["start"] + 0, event["end"] + 0) for event in line["events"]]
            line["video_id"] + ""
        except (msgspec.DecodeError, KeyError, TypeError) as error:
            raise EnvironmentFailure(
                f"{path}: line {number}: expected a video_id and events with start and end in "
                f"seconds ({type(error).__name__}: {error}); make the benchmark again"
            ) from error
        yield line


def _attributes(lines: list[dict[str, Any]]) -> tuple[Attribute, ...]:
    found: list[Attribute] = []
    first = 0
    events = [event for line in lines for event in line["events"]]
    for of_event, records in ((True, events), (False, lines)):
        values: dict[str, set[str]] = {}
        for name, value in _texts(records):
            values.setdefault(name, set()).add(value)
        for name in sorted(values):
            found.append(Attribute(name, of_event, tuple(sorted(values[name])), first))
            first += len(values[name])
    return tuple(found)


def _texts(records: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for record in records:
        for name, value in record.items():
            if name not in _NOT_ATTRIBUTES and isinstance(value, str):
                yield name, value


def _script(line: dict[str, Any], numbers: Mapping[tuple[str, bool, str], int]) -> Script:
    events = sorted(
        Event(
            milliseconds(event["start"]),
            milliseconds(event["end"]),
            tuple(numbers[name, True, value] for name, value in sorted(_texts([event]))),
        )
        for event in line["events"]
    )
    whole = tuple(numbers[name, False, value] for name, value in sorted(_texts([line])))
    return Script(tuple(events), whole)
