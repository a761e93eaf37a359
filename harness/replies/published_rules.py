"""The published scorer's reading of replies and reference answers, rule for rule.

The rules are those of the scorer that the authors published in July 2025 (repository
ivcr200k/ivcr200k.github.io); they keep its defects. The expressions are written so that no text
takes more than linear time; what they match is unchanged.
"""

from __future__ import annotations

import re

NO_SPAN = (0.0, 0.0)
_NUMBER = re.compile(r"(?i)\bvideo\s+(10|[0-9])\b")
_EXAMPLE = "a specific example is : 20.8 - 30.0 seconds"
_DOTS = re.compile(r"\.{2,}")
# A digit before the first one would have been part of the match: the look-behind takes none away,
# and neither do the possessive marks, since no shorter number is followed by what has to come.
_RANGE = re.compile(r"(?<!\d)(\d++(?:\.\d*+)?+)s?\s*+-\s*+(\d++(?:\.\d*+)?+)")
_REFERENCE = re.compile(r"(?<!\d)(\d++(?:\.\d++)?+)s-(\d++(?:\.\d++)?+)s")
_PIECES = re.compile(r"[!?\n]")
_FIRST_NUMBER = re.compile(r"\b(\d+\.\d+\b|\b\d+)\b")


def official_number(text: str) -> int | None:
    """The candidate number that the published scorer reads, 0 to 10, or None.

    >>> official_number("It is video 3."), official_number("the 10th video")
    (3, None)
    """
    found = _NUMBER.search(text)
    return None if found is None else int(found[1])


def official_spans(text: str) -> tuple[float, float]:
    """The span that the published scorer reads in a reply: seconds, in order; (0, 0) if none.

    A number of hundreds of digits reads as infinity, as it does there.
    """
    plain = _DOTS.sub(".", text.lower().replace(_EXAMPLE, ""))
    found = _RANGE.search(plain)
    if found is not None:
        return _ordered(found[1], found[2])
    pieces = map(_FIRST_NUMBER.search, _PIECES.split(plain))
    numbers = [piece[1] for piece in pieces if piece is not None]
    return _ordered(*numbers[:2]) if len(numbers) >= 2 else NO_SPAN


def reference_spans(text: str) -> list[float]:
    """All times that the published scorer reads in a reference answer: seconds, as they stand."""
    return [float(time) for found in _REFERENCE.findall(text) for time in found]


def _ordered(one: str, other: str) -> tuple[float, float]:
    start, end = sorted((float(one), float(other)))
    return start, end
