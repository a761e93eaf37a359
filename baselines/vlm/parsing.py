"""Parses a model's reply: JSON of the requested form, else the number or span in its words.

Only a number, a time or a text to show is taken from a reply. A reply that cannot be read, or says
that nothing fits, is an abstention with a reason.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from harness.chat.messages import Reply
from harness.records import Moment, milliseconds
from harness.replies import candidate_number, span

NOTHING = "says that nothing matches"
OUTSIDE = "span outside the video"
NO_CANDIDATES = "no candidates to choose from"
NO_VIDEO = "no video to look into"
LONGEST = 4_000  # characters of a response that are kept
LARGEST = 10**7  # seconds
T = TypeVar("T")
_THOUGHTS = re.compile(r"\A.*</think(?:ing)?>", re.DOTALL)
_FENCE = re.compile(r"\A\s*```(?:json)?\s*(\{.*\})\s*```\s*\Z", re.DOTALL)


class Choice(NamedTuple):
    """Numbers of candidates, best first, from 1 (none: `why` gives the reason).

    response: the words to the user.
    """

    numbers: tuple[int, ...]
    response: str
    why: str | None = None


class Grounding(NamedTuple):
    """A moment (None: `why` gives the reason). response: the words to the user."""

    moment: Moment | None
    response: str
    why: str | None = None


class _ChoiceJson(Struct):
    videos: list[int]
    reply: str = ""


class _GroundingJson(Struct):
    start: float
    end: float
    reply: str = ""


def read_choice(reply: Reply, count: int) -> Choice:
    """The candidates that a reply names, among `count`."""
    if reply.why is not None:
        return Choice((), "", reply.why)
    text = _answer(reply.text)
    parsed = _json(text, _ChoiceJson) if reply.structured else None
    if parsed is None:
        number, why = candidate_number(text, count)
        return Choice(() if number is None else (number,), response(text), why)
    numbers = tuple(dict.fromkeys(n for n in parsed.videos if 1 <= n <= count))
    why = None if numbers else NOTHING
    return Choice(numbers, response(parsed.reply), why)


def read_grounding(reply: Reply, video_id: str, duration: int | None) -> Grounding:
    """The span that a reply names in a video of `duration` ms, clipped to its end."""
    if reply.why is not None:
        return Grounding(None, "", reply.why)
    text = _answer(reply.text)
    parsed = _json(text, _GroundingJson) if reply.structured else None
    if parsed is None:
        words, reading = response(text), span(text)
        if reading.value is None:
            return Grounding(None, words, reading.why)
        start, end = reading.value.start, reading.value.end
    else:
        words = response(parsed.reply)
        if not all(math.isfinite(at) and 0 <= at <= LARGEST for at in (parsed.start, parsed.end)):
            return Grounding(None, words, OUTSIDE)
        start, end = sorted((milliseconds(parsed.start), milliseconds(parsed.end)))
        if start == end:
            return Grounding(None, words, NOTHING)
    if duration is not None:
        end = min(end, duration)
    if start >= end:
        return Grounding(None, words, OUTSIDE)
    return Grounding(Moment(video_id, start, end), words)


def response(text: str) -> str:
    """A reply as the user sees it: without thoughts, of bounded length, valid UTF-8."""
    cut = _answer(text).strip()[:LONGEST]
    return cut.encode("utf-8", "replace").decode("utf-8")


def _answer(text: str) -> str:
    """A reply without the thoughts that stand before it."""
    return _THOUGHTS.sub("", text)


def _json(text: str, kind: type[T]) -> T | None:
    """The reply as JSON of that form, also in a code fence; None if it is not such JSON."""
    fenced = _FENCE.match(text)
    try:
        return msgspec.json.decode(fenced[1] if fenced else text.strip(), type=kind)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None
