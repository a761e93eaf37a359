"""Progress as lines, for work that runs for minutes and may run without a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable

FIRST, MOST = 2.0, 60.0  # seconds until the first line, and at most between two


class ProgressNotes:
    """Says now and then how much is done, and how long the rest takes at the same pace.

    The first line comes after FIRST seconds, each next one after twice the time, until they are
    MOST seconds apart: shorter work says nothing, and a day's does not fill a log.
    """

    def __init__(self, note: Callable[[str], None], what: str, unit: str, done: int = 0) -> None:
        """what, unit: as in `features: 12 of 40 videos`; done: what an earlier run did."""
        self._note, self._what, self._unit, self._before = note, what, unit, done
        self._start = self._last = time.monotonic()
        self._wait = FIRST

    def update(self, done: int, total: int) -> None:
        """Say that so much of `total` is done, if it is time to."""
        now = time.monotonic()
        if now - self._last < self._wait or not self._before < done < total:
            return
        self._last, self._wait = now, min(2 * self._wait, MOST)
        left = (now - self._start) * (total - done) / (done - self._before)
        self._note(f"{self._what}: {done:,} of {total:,} {self._unit}, {duration(left)} left")


def duration(seconds: float) -> str:
    """Seconds for people: 40 s, 12 min, 3.5 h."""
    if seconds < 100:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 6_000 else f"about {seconds / 3600:.1f} h"
