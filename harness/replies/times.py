"""Times in a reply: clock times, and numbers with or without a unit."""

from __future__ import annotations

import re
from typing import NamedTuple

LONGEST_TIME = 10**7  # seconds; 116 days: a number past them is no time of a video
_N = r"[0-9]++(?:\.[0-9]++)?+"
_TH = r"(?:(?:st|nd|rd|th)(?![a-z]))?"
_H = r"(?:hours?|hrs?|h|小时)(?![a-z])"
_M = r"(?:minutes?|mins?|分钟?)(?![a-z])"
_S = r"(?:seconds?|secs?|s|秒钟?)(?![a-z])"
_MS = r"(?:milliseconds?|msecs?|ms|毫秒)(?![a-z])"
_AND = r"[\s,]{0,2}(?:and\s|零|又)?"
# A digit glued to a letter is part of a name (mp4, v2).
_TIME = re.compile(
    rf"""(?<![a-z0-9_])(?<!(?<!\.)\.)(?:
      (?:(?P<ch>[0-9]{{1,2}}):)?(?P<cm>[0-9]{{1,3}}):(?P<cs>[0-5][0-9])
        (?:[.,](?P<cf>[0-9]{{1,3}}))?(?![0-9:])
    | (?P<qm>[0-9]{{1,3}})'\s?(?P<qs>[0-5]?[0-9])(?:"|'')
    | (?P<h>{_N})\s?(?:{_H}){_AND}
        (?:(?P<hm>{_N})\s?(?:{_M}|m(?=[\s0-9])){_AND})?(?:(?P<hs>{_N})\s?(?:{_S}))?
    | (?P<zm>{_N})分(?P<zs>[0-9]{{1,2}})(?![0-9.秒])
    | (?P<m>{_N})\s?(?:{_M}|m(?=\s?{_N}\s?s))(?:{_AND}(?P<mz>{_N})\s?(?:{_S}))?
    | (?P<ms>{_N})[\s-]?{_MS}
    | (?P<s>{_N}){_TH}[\s"*-]{{0,2}}{_S}
    | (?P<n>{_N}){_TH}
    )""",
    re.VERBOSE,
)


# Seconds in what each group of _TIME counts.
_SECONDS = {
    **dict.fromkeys(("ch", "h"), 3600),
    **dict.fromkeys(("cm", "qm", "hm", "zm", "m"), 60),
    **dict.fromkeys(("cs", "qs", "hs", "zs", "mz", "s", "n"), 1),
    "ms": 0.001,
}


class Time(NamedTuple):
    """A time in milliseconds, and its place: characters `at` to `end` of the plain text.

    `timed`: it has a unit or is a clock time; `decimal`: it has a decimal point; `scale`:
    milliseconds in its unit, None where it has several units.
    """

    ms: int
    at: int
    end: int
    timed: bool
    decimal: bool
    scale: int | None = None

    def like(self, other: Time) -> Time:
        """This number in the unit of `other`, if it has none itself: "1-2 minutes"."""
        if self.timed or other.scale is None:
            return self
        return self._replace(ms=self.ms * other.scale // 1000)


def times(plain: str) -> list[Time]:
    """All times and numbers of a plain text, in order; numbers past all times are left out."""
    found = (_time(match) for match in _TIME.finditer(plain))
    return [time for time in found if time.ms <= 1000 * LONGEST_TIME]


def _time(match: re.Match[str]) -> Time:
    parts = {name: digits for name, digits in match.groupdict().items() if digits}
    fraction = _ms("0." + parts.pop("cf", "0"))
    total = fraction + sum(int(_SECONDS[name] * _ms(digits)) for name, digits in parts.items())
    scale = int(1000 * _SECONDS[next(iter(parts))]) if len(parts) == 1 else None
    return Time(total, match.start(), match.end(), "n" not in parts, "." in match[0], scale)


def _ms(seconds: str) -> int:
    """Milliseconds of a number of seconds, to the nearest; past all times if it is too long."""
    if len(seconds.partition(".")[0].lstrip("0")) > len(str(LONGEST_TIME)):
        return 1001 * LONGEST_TIME
    return round(float(seconds) * 1000)
