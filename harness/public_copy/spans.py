"""Pairs of times in a text that are gold spans, in seconds or milliseconds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from harness.records import Gold, Span, milliseconds

_NUMBER = re.compile(r"(?<![\w.])[0-9]{1,9}(?:\.[0-9]{1,6})?(?![0-9])")
_CLOCK = re.compile(r"(?<![\w.:])([0-9]{1,3}):([0-5][0-9](?:\.[0-9]{1,3})?)(?![\w:])")


def pairs(text: str) -> Iterator[tuple[int, int]]:
    """Numbers that follow one another as (start, end) in milliseconds, in all readings."""
    plain = _CLOCK.sub(lambda hit: str(int(hit[1]) * 60 + float(hit[2])), text)
    numbers = _NUMBER.findall(plain)
    for first, second in pairwise(numbers):
        yield milliseconds(float(first)), milliseconds(float(second))
        if first.isdigit() and second.isdigit():
            yield int(first), int(second)


class GoldSpans:
    """Spans of gold turns, found in a text: those that are no round numbers on both ends."""

    def __init__(self, gold: Iterable[Gold]) -> None:
        spans = (each.moment for each in gold if each.moment is not None)
        self._known = {(span.start, span.end) for span in spans if is_telling_span(span)}

    def find(self, text: str) -> set[tuple[int, int]]:
        """The spans that a text names, as start and end in milliseconds."""
        return self._known.intersection(pairs(text)) if self._known else set()


def is_telling_span(span: Span) -> bool:
    """Whether a span is hardly met by chance: an end with a fraction of a second."""
    return bool(span.start % 1000 or span.end % 1000)
