"""Names under which JSON answers stand, and answers in JSON that is broken or breaks off.

A number that ends with the reply may go on, so it is none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from harness.records import Span, milliseconds
from harness.replies.normalise import plain
from harness.replies.reading import (
    BREAKS_OFF,
    NO_LENGTH,
    OUT_OF_RANGE,
    OUTSIDE,
    REFUSAL,
    Reading,
)
from harness.replies.times import LONGEST_TIME, times

_CHOICE = re.compile(
    r"(?:best|selected|chosen|matched|matching|final|top|predicted|correct|my)?"
    r"(?P<what>video|candidate|clip|视频|候选(?:视频)?)?(?P<which>choice|answer|option|match(?:es)?"
    r"|selection|pick|prediction|result|ranking|order|output|index|indices|number|num|no|id|编号"
    r"|答案|选择)?(?:number|index|id|list)?s?"
    r"|best|selected|chosen"
)
_START = re.compile(
    r"(?:moment|segment|clip|event|window)?(?:start(?:s|ing)?|begin(?:s|ning)?|from|onset|开始|起始)"
    r"(?:time|timestamp|at|in|seconds?|secs?|s|ms|milliseconds|时间|秒)*"
)
_END = re.compile(
    r"(?:moment|segment|clip|event|window)?(?:end(?:s|ing)?|stops?|finish|to|until|offset|结束|终止)"
    r"(?:time|timestamp|at|in|seconds?|secs?|s|ms|milliseconds|时间|秒)*"
)
_PAIR = re.compile(
    r"(?:(?:best|relevant|predicted|final|time|video)?(?:moment|span|segment|window|interval|range"
    r"|timestamp|time|clip|answer|result|prediction|output)s?|时间段?|片段|答案)"
)
_LENGTH = re.compile(r"(?:duration|length|lasts|时长)(?:seconds?|secs?|s|ms)?")
_VALUE = re.compile(
    r"""["'“”](?P<key>[^"'“”:{}\[\]]{1,30})["'“”]\s*+:\s*+
    (?:\[(?P<list>[^\[\]{}]{0,500}+)(?P<close>\])?|["']?(?P<one>-?[0-9][0-9:.]*+)["']?)""",
    re.VERBOSE,
)
_OPEN_KEY = re.compile(r"\{\s*+(?:[\"'][^\"'{}]{0,30}(?:[\"']\s*+(?::\s*+)?)?)?\Z")
_PAST_ALL = 10**9  # stands for a number that no list of candidates has
_INTEGER = re.compile(r"[0-9]{1,9}(?:\.0*)?")
_SECONDS = re.compile(r"-?[0-9]{1,400}(?:\.[0-9]*)?")


def squeezed(key: str) -> str:
    """A key in lower case without spaces, dashes and underscores: `Start_Time` is "starttime"."""
    return re.sub(r"[\s_.-]", "", key[:40]).lower()


def is_choice(key: str) -> bool:
    """Whether candidates stand under this key."""
    name = squeezed(key)
    return len(name) > 1 and bool(_CHOICE.fullmatch(name))


def names_videos(key: str) -> bool:
    """Whether the key of a choice says that it is one of videos."""
    found = _CHOICE.fullmatch(squeezed(key))
    return found is not None and found["what"] is not None


def time_role(key: str) -> str | None:
    """What stands under a key: "start", "end", "length", both times as a "pair", or None."""
    name = squeezed(key)
    roles = {"start": _START, "end": _END, "length": _LENGTH, "pair": _PAIR}
    return next((role for role, names in roles.items() if names.fullmatch(name)), None)


def integer(value: object) -> int | None:
    """The whole number that a JSON value is: 7, 7.0 or "7"; past all candidates if it is long."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        if math.isinf(value):
            return _PAST_ALL
        return int(value) if value.is_integer() else None
    if isinstance(value, str):
        text = value.strip()
        return int(float(text)) if _INTEGER.fullmatch(text) else None
    return value if isinstance(value, int) else None


def time_value(value: object, key: str = "") -> float | None:
    """The seconds that a JSON value gives: 12, "12.0", "12 s" or "0:12".

    A key that ends with ms or milliseconds makes a number one of milliseconds.
    """
    scale = 1000 if re.search(r"(?:ms|milliseconds)$", squeezed(key)) else 1
    if isinstance(value, str):
        text = value.strip()
        if _SECONDS.fullmatch(text):
            return float(text) / scale
        found = times(plain(text))
        return found[0].ms / 1000 if len(found) == 1 else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) / scale if abs(value) < 1e300 else math.inf


def span_of(start: float, end: float) -> Reading[Span]:
    """The span from one time to the other, in seconds, put in order; or why it is none."""
    if not all(math.isfinite(at) and 0 <= at <= LONGEST_TIME for at in (start, end)):
        return Reading(None, OUTSIDE)
    low, high = sorted((milliseconds(start), milliseconds(end)))
    if low == high:
        return Reading(None, NO_LENGTH if high else REFUSAL)
    return Reading(Span(low, high))


def among(numbers: list[int], candidates: int) -> Reading[tuple[int, ...]]:
    """The numbers that are candidates', each once; an empty list says that nothing matches."""
    kept = tuple(dict.fromkeys(number for number in numbers if 1 <= number <= candidates))
    if kept:
        return Reading(kept)
    return Reading(None, OUT_OF_RANGE if numbers else REFUSAL)


def numbers_in_broken(text: str, candidates: int) -> Reading[tuple[int, ...]] | None:
    """The candidates under the last name of a choice in JSON that cannot be decoded; None: none."""
    found = [match for match in _VALUE.finditer(text) if is_choice(match["key"])]
    if not found:
        return Reading(None, BREAKS_OFF) if _OPEN_KEY.search(text) else None
    match = found[-1]
    items = _items(match, text)
    numbers = [
        number for item in items if (number := integer(item.strip(" \"'\t\r\n"))) is not None
    ]
    if numbers or match["close"]:
        return among(numbers, candidates) if numbers or not items else None
    return Reading(None, BREAKS_OFF) if match.end() == len(text) else None


def span_in_broken(text: str) -> Reading[Span] | None:
    """The span under the last names of its times in JSON that cannot be decoded; None: none."""
    found = {}
    for match in _VALUE.finditer(text):
        if role := time_role(match["key"]):
            found[role] = match
    if "start" not in found and "pair" not in found:
        return Reading(None, BREAKS_OFF) if _OPEN_KEY.search(text) else None
    times_found = list(_times(found, text))
    if len(times_found) < 2:
        return Reading(None, BREAKS_OFF)
    return span_of(*times_found[:2])


def _items(match: re.Match[str], text: str) -> list[str]:
    """The items of a list, or the one value; without the last one if it may go on."""
    if match["list"] is None:
        items = [match["one"]]
    else:
        items = [item for item in match["list"].split(",") if item.strip()]
    goes_on = match.end() == len(text) and not match["close"]
    if goes_on and not (match["list"] or "").rstrip().endswith(","):
        items = items[:-1]
    return items


def _times(found: dict[str, re.Match[str]], text: str) -> Iterator[float]:
    if "start" in found:
        chosen = [found[role] for role in ("start", "end") if role in found]
    else:
        chosen = [found["pair"]]
    for match in chosen:
        for item in _items(match, text):
            if (at := time_value(item.strip(" \"'\t\r\n"), match["key"])) is not None:
                yield at
