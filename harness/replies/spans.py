"""The span of time that a reply names, in English or Chinese.

The module first finds times (a clock time, a number with or without a unit). Two neighbouring times
are a span by the text between, before and after them. The strongest form wins, the first of equal
strength.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from harness.records import Span
from harness.replies.normalise import plain
from harness.replies.reading import (
    CUT_OFF,
    EMPTY,
    NEGATIVE,
    NO_LENGTH,
    NO_SPAN,
    NO_TIME,
    ONE_TIME,
    REFUSAL,
    Reading,
)
from harness.replies.times import Time, times

# How surely two times are a span: with a unit or a label; with "from", brackets or decimals; bare.
SURE, LIKELY, BARE, LOOSE = range(4)
_NEAR = 30  # characters between two times, before the first and after the second that are read
_FILL = (
    r"(?:about|around|approximately|roughly|approx\.?|the|at|seconds?|ca\.?|第|约|大约|大概|左右)"
)
_MIDDLE = re.compile(
    r"[\s\"'*.]*(?:mark|point|in|开始|左右|处|起|时)?[\s\"'*,]*"
    r"(?P<link>-{1,3}>?|~|\.{2,3}|to|until|till|til|through|thru|up to|and|和|与|跟|到|至|直到|,)"
    rf"[\s\"'*]*(?:{_FILL}[\s~]*){{0,2}}"
)
_OPENS = re.compile(r"(?:from|between|从|由|自|在|于)[\s\"'*:]*(?:" + _FILL + r"\s*){0,2}$")
_NOT_TIME = re.compile(
    r"(?:videos?|clips?|candidates?|options?|choices?|frames?|pages?|steps?|scenes?|shots?|no\.|number"
    r"|视频|候选|选项|片段|帧|第)\s*[:#(]?\s*$"
)
_LENGTH = re.compile(
    r"(?:last(?:s|ed|ing)?|duration|takes?|for|long|length|持续|时长|历时|长达|长)"
    r"[\s\"'*:=]*(?:is|of|为|是|了)?[\s:]*(?:(?:only|just)\s)?(?:" + _FILL + r"\s*){0,2}$"
)
_NEXT_WORD = re.compile(r"[\s\"'*)\]-]*([a-z]+|[\u4e00-\u9fff%])")
# Words after two bare numbers that do not make them a count of something.
_PLAIN_WORDS = frozenset(
    (
        *("and", "or", "in", "is", "when", "where", "while", "the", "as"),
        *("on", "at", "with", "roughly", "approximately", "maybe", "i", "it", "he"),
        *("she", "they", "this", "that", "during", "here", "mark", "region", "interval"),
        *("range", "segment", "window", "video", "clip", "then", "again"),
    )
)
_HAN_COUNTS = frozenset("人个名只次张位岁件条块本帧页%％度年月日号")
_START = re.compile(
    r"(?<![a-z])(?:start(?:s|ed|ing)?|begin(?:s|ning)?|began|onset|from)(?![a-z])"
    r"|开始|起始|起于|始于|起点"
)
_END = re.compile(
    r"(?<![a-z])(?:ends?|ended|ending|finish(?:es|ed)?|stops?|stopped|until|till|over by)(?![a-z])"
    r"|结束|终止|止于|终点|截止"
)
_START_AFTER = re.compile(r"\s*(?:处|时|左右|的时候)?\s*(?:开始|起|\(start\))")
_END_AFTER = re.compile(r"\s*(?:处|时|左右|的时候)?\s*(?:结束|为止|止|停止|\(end\))")
# "in the first 5 seconds", "from the start until 7 s"
_FROM_ZERO = re.compile(
    r"(?:(?<![a-z])(?:first|(?:start|beginning) (?:to|until|till))|前|[从开]头到|最初)"
    r"(?: second)?\s*第?\s*$"
)
_LABEL_GAP = 24  # characters between a label and its time
_NOTHING = re.compile(
    r"(?<![a-z])(?:cannot|can't|could not|couldn't|unable|none|no such|never|don't know|sorry"
    r"|not (?:find|found|sure|appear|happen))(?![a-z])"
    r"|没有|无法|找不到|不存在|不知道|抱歉|未出现"
)
# An example in the prompt that some models repeat; it is no answer.
_EXAMPLE = "a specific example is : 20.8 - 30.0 seconds"


class _SpanMatch(NamedTuple):
    strength: int
    position: int
    start: int
    end: int
    negative: bool = False


def span_in_words(text: str, *, cut: bool = False) -> Reading[Span]:
    """The span that words name, in milliseconds, put in order; or why there is none.

    cut: the words go on, so a span counts if there is no other as sure.

    >>> span_in_words("2-3 people at 0:05-0:10.5").value
    Span(start=5000, end=10500)
    """
    reply = plain(text, cut=cut).replace(_EXAMPLE, "")
    if not reply.strip():
        return Reading(None, EMPTY)
    all_times = times(reply)
    spans = sorted(
        [*_ranges(reply, all_times), *_labelled(reply, all_times), *_two_times(reply, all_times)]
    )
    if not spans:
        return Reading(None, _why(reply, all_times))
    best = spans[0]
    if cut and len({each[2:4] for each in spans if each.strength == best.strength}) > 1:
        return Reading(None, CUT_OFF)
    if best.negative:
        return Reading(None, NEGATIVE)
    start, end = sorted((best.start, best.end))
    return Reading(Span(start, end)) if start < end else Reading(None, NO_LENGTH)


def _why(reply: str, all_times: list[Time]) -> str:
    timed = sum(time.timed for time in all_times)
    if timed == 1:
        return ONE_TIME
    if _NOTHING.search(reply):
        return REFUSAL
    return NO_SPAN if len(all_times) > 1 else NO_TIME


def _ranges(reply: str, all_times: list[Time]) -> Iterator[_SpanMatch]:
    """Two neighbouring times with a dash, "to", "and" or the like between them."""
    for place, (one, other) in enumerate(pairwise(all_times)):
        link = _link(reply, one, other)
        if link is None:
            continue
        after = all_times[place + 2] if place + 2 < len(all_times) else None
        if not one.timed and after and after.timed and _link(reply, other, after):
            continue  # "video 3 - 5s to 9s": the first number belongs to what stands before
        strength = _strength(reply, one, other, link, _before(reply, all_times, place))
        if strength is not None:
            start = one.like(other)
            yield _SpanMatch(strength, one.at, start.ms, other.ms, _is_negative(reply, one))


def _link(reply: str, one: Time, other: Time) -> str | None:
    if other.at - one.end > _NEAR:
        return None
    match = _MIDDLE.fullmatch(reply, one.end, other.at)
    return match["link"] if match else None


def _before(reply: str, all_times: list[Time], place: int) -> str:
    """The text before a time, back to the time before it, at most _NEAR characters."""
    at = all_times[place].at
    low = all_times[place - 1].end if place else 0
    return reply[max(low, at - _NEAR) : at]


def _strength(reply: str, one: Time, other: Time, link: str, before: str) -> int | None:
    opens = bool(_OPENS.search(before))
    bracketed = before.rstrip("\"' ")[-1:] in tuple("[(<") and bool(
        re.match(r"[\s\"']*[\])>]", reply[other.end : other.end + 4])
    )
    if link in ("and", "和", "与", "跟") and not opens:
        return LOOSE if one.timed and other.timed else None
    if link == "," and not bracketed:
        return None
    if one.timed or other.timed:
        return LOOSE if _LENGTH.search(before) else SURE
    if _NOT_TIME.search(before) or _LENGTH.search(before) or _counts(reply, other.end):
        return None
    return LIKELY if opens or bracketed or one.decimal or other.decimal else BARE


def _counts(reply: str, at: int) -> bool:
    """Whether the word after two bare numbers makes them a count ("2-3 people")."""
    match = _NEXT_WORD.match(reply, at, at + _NEAR)
    if match is None:
        return False
    word = match[1]
    return word not in _PLAIN_WORDS if word.isascii() and word != "%" else word in _HAN_COUNTS


def _is_negative(reply: str, time: Time) -> bool:
    before = reply[max(time.at - 2, 0) : time.at]
    return before[-1:] == "-" and before[:-1] in ("", " ", "(", "[", ":", "=", ",", '"', "\n")


def _labelled(reply: str, all_times: list[Time]) -> Iterator[_SpanMatch]:
    """A time called the start with one called the end, or with how long it lasts."""
    labels = [_label(reply, all_times, place) for place in range(len(all_times))]
    if "start" in labels and "end" in labels:
        first, last = all_times[labels.index("start")], all_times[labels.index("end")]
        negative = _is_negative(reply, first)
        yield _SpanMatch(SURE, min(first.at, last.at), first.ms, last.ms, negative)
    if "length" in labels:
        place = labels.index("length")
        start = labels.index("start") if "start" in labels else place - 1
        if start >= 0 and all_times[start].timed:
            first = all_times[start]
            strength = SURE if "start" in labels else LIKELY
            yield _SpanMatch(strength, first.at, first.ms, first.ms + all_times[place].ms)
    for place, time in enumerate(all_times):
        if time.timed and _FROM_ZERO.search(_before(reply, all_times, place)):
            yield _SpanMatch(LOOSE, time.at, 0, time.ms)


def _label(reply: str, all_times: list[Time], place: int) -> str | None:
    """What a time is called: start, end or length; None if nothing of the kind."""
    time = all_times[place]
    after = reply[time.end : time.end + _LABEL_GAP]
    if _START_AFTER.match(after):
        return "start"
    if _END_AFTER.match(after):
        return "end"
    before = _before(reply, all_times, place)
    if _LENGTH.search(before) and time.timed:
        return "length"
    start, end = (_last_end(pattern, before) for pattern in (_START, _END))
    if max(start, end) < len(before) - _LABEL_GAP or max(start, end) < 0:
        return None
    return "start" if start > end else "end"


def _last_end(pattern: re.Pattern[str], text: str) -> int:
    return max((match.end() for match in pattern.finditer(text)), default=-1)


def _two_times(reply: str, all_times: list[Time]) -> Iterator[_SpanMatch]:
    """The only two times with a unit, in the order in which they stand."""
    timed = [time for time in all_times if time.timed]
    if len(timed) == 2 and timed[0].ms < timed[1].ms:
        yield _SpanMatch(LOOSE, timed[0].at, timed[0].ms, timed[1].ms)
