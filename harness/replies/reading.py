"""The reading of a reply: a value, or the reason why there is none."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

# Reasons, in the words in which reports count them.
EMPTY = "empty reply"
REFUSAL = "says that nothing matches"
NO_NUMBER = "no candidate number"
OUT_OF_RANGE = "number outside the candidates"
NO_TIME = "no time"
ONE_TIME = "one time alone"
NO_LENGTH = "span without length"
NEGATIVE = "time before the first frame"
NO_SPAN = "numbers that are no span of time"
OUTSIDE = "span outside the video"
THOUGHTS = "thoughts alone"
BREAKS_OFF = "JSON that breaks off"
CUT_OFF = "cut off at the limit"
REASONS = (
    *(EMPTY, REFUSAL, NO_NUMBER, OUT_OF_RANGE),
    *(NO_TIME, ONE_TIME, NO_LENGTH, NEGATIVE, NO_SPAN, OUTSIDE),
    *(THOUGHTS, BREAKS_OFF, CUT_OFF),
)


class Reading(NamedTuple, Generic[T]):
    """The value read in a reply, or None and why."""

    value: T | None
    why: str | None = None
