"""The train split's annotated events, train/events.jsonl, which only IVCR-Mini has.

The file has one line per video: {"video_id", "events": [{"start", "end", ...}], ...}, times in
seconds. Every further text field of an event is an attribute of events (in IVCR-Mini shape, colour,
motion, place, pace). Every further text field of the line is an attribute of the whole video
(background).
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
    """A property of events or of whole videos, with its values in alphabetical order.

    The values of all attributes are numbered in one sequence; `first` is the number of this
    attribute's first value.
    """

    name: str
    of_event: bool
    values: tuple[str, ...]
    first: int

    @property
    def slice(self) -> slice:
        """The numbers of its values."""
        return slice(self.first, self.first + len(self.values))


class AnnotatedEvent(NamedTuple):
    """An event: its span in milliseconds, and the numbers of its values."""

    start: int
    end: int
    values: tuple[int, ...]


class VideoAnnotation(NamedTuple):
    """A video's events in order of time, and the numbers of the whole video's values."""

    events: tuple[AnnotatedEvent, ...]
    values: tuple[int, ...]


class EventAnnotations(NamedTuple):
    """All attributes, those of events first, and the annotated videos by id."""

    attributes: tuple[Attribute, ...]
    videos: dict[str, VideoAnnotation]

    @property
    def value_count(self) -> int:
        """The number of values of all attributes."""
        return value_count(self.attributes)


def value_count(attributes: tuple[Attribute, ...]) -> int:
    """The number of values of all `attributes`."""
    return sum(len(attribute.values) for attribute in attributes)


def read_annotations(folder: Path, baseline: str) -> EventAnnotations:
    """Read the annotated events of the benchmark in `folder`, to train `baseline`.

    Raises MissingInputError if the benchmark has none, EnvironmentFailure if a line is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        raise MissingInputError(
            f"{path}: expected annotated events of the train split, which {baseline} is trained "
            "on, found no such file; only IVCR-Mini has them (`ivcr data mini` makes it), and "
            "`ivcr baseline list` shows the baselines that do not need them"
        )
    lines = list(_lines(path))
    attributes = _attributes(lines)
    numbers = {
        (attribute.name, attribute.of_event, value): attribute.first + place
        for attribute in attributes
        for place, value in enumerate(attribute.values)
    }
    return EventAnnotations(
        attributes, {line["video_id"]: _video_annotation(line, numbers) for line in lines}
    )


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for number, raw in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            line = msgspec.json.decode(raw)
            [(event["start"] + 0, event["end"] + 0) for event in line["events"]]
            line["video_id"] + ""
        except (msgspec.DecodeError, KeyError, TypeError) as error:
            raise EnvironmentFailure(
                f"{path}: line {number}: expected a video_id and events with start and end in "
                f"seconds, found {type(error).__name__}: {error}; make the benchmark again"
            ) from error
        yield line


def _attributes(lines: list[dict[str, Any]]) -> tuple[Attribute, ...]:
    attributes: list[Attribute] = []
    first = 0
    events = [event for line in lines for event in line["events"]]
    for of_event, records in ((True, events), (False, lines)):
        values: dict[str, set[str]] = {}
        for name, value in _text_fields(records):
            values.setdefault(name, set()).add(value)
        for name in sorted(values):
            attributes.append(Attribute(name, of_event, tuple(sorted(values[name])), first))
            first += len(values[name])
    return tuple(attributes)


def _text_fields(records: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for record in records:
        for name, value in record.items():
            if name not in _NOT_ATTRIBUTES and isinstance(value, str):
                yield name, value


def _video_annotation(
    line: dict[str, Any], numbers: Mapping[tuple[str, bool, str], int]
) -> VideoAnnotation:
    events = sorted(
        AnnotatedEvent(
            milliseconds(event["start"]),
            milliseconds(event["end"]),
            tuple(numbers[name, True, value] for name, value in sorted(_text_fields([event]))),
        )
        for event in line["events"]
    )
    values = tuple(numbers[name, False, value] for name, value in sorted(_text_fields([line])))
    return VideoAnnotation(tuple(events), values)
