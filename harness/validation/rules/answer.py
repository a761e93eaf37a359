"""One readable line of predictions, and the decorator of the rules about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from msgspec import Struct

from harness.records import Moment, Prediction, Task
from harness.validation.public import PublicSplit
from harness.validation.report import Severity
from harness.validation.rules.rule import checking


class LineMoment(NamedTuple):
    """A moment of a line: milliseconds, in any order and place. `name`: its name in a message."""

    name: str
    video_id: str
    start: int
    end: int


class LineAnswer(Struct, frozen=True):
    """One readable line. A part is None where it is absent or has the wrong type.

    `value`: the line's JSON object; `position`: the turn's place in the split, None if the line
    names none. Lists are cut to the most they may hold.
    """

    value: dict[str, Any]
    dialogue_id: str | None
    turn: int | None
    position: int | None
    task: Task | None
    videos: list[str] | None
    moments: list[LineMoment] | None
    choice: list[str] | None
    response: str | None

    def length(self, key: str) -> int:
        """The uncut length of the list under `key`; 0 if there is no list."""
        part = self.value.get(key)
        return len(part) if isinstance(part, list) else 0

    def prediction(self, public: PublicSplit) -> Prediction:
        """The record, of a line without errors.

        Ends past a video's end are clipped to it; of moments that repeat the first is kept.
        """
        moments = self.moments
        return self._record(None if moments is None else _without_repeats(moments, public))

    def as_given(self) -> Prediction:
        """The record of a line without errors, as it stands: nothing clipped, nothing left out."""
        moments = self.moments
        return self._record(
            None if moments is None else tuple(Moment(*moment[1:]) for moment in moments)
        )

    def _record(self, moments: tuple[Moment, ...] | None) -> Prediction:
        assert self.dialogue_id is not None and self.turn is not None  # noqa: PT018, S101
        return Prediction(
            self.dialogue_id,
            self.turn,
            None if self.videos is None else tuple(self.videos),
            moments,
            None if self.choice is None else tuple(self.choice),
            self.response,
        )


def _without_repeats(moments: list[LineMoment], public: PublicSplit) -> tuple[Moment, ...]:
    first = {moment[1:]: moment for moment in reversed(moments)}
    kept = (moment for moment in moments if first[moment[1:]] is moment)
    return tuple(_clip(moment, public) for moment in kept)


def _clip(moment: LineMoment, public: PublicSplit) -> Moment:
    duration = public.durations[moment.video_id]
    end = moment.end if duration is None else min(moment.end, duration)
    return Moment(moment.video_id, moment.start, end)


LineCheck = Callable[[LineAnswer, PublicSplit], Iterator[str]]


def line_rule(
    code: str, states: str, bad: str, severity: Severity = "error"
) -> Callable[[LineCheck], LineCheck]:
    """Enter the decorated function as the rule `code` about one readable line.

    It yields the text of every finding. It runs on every line, also on those that the fast path
    accepts, unless the fast path covers its code.
    """
    return checking("line", code, states, bad, severity)
