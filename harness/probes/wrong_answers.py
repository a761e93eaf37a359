"""Three kinds of answers in which copies agree: first videos, first moments, ends of rankings."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from harness.outcomes import Bools, Floats, Ints
from harness.probes.runs import HALF, Field, first_moments, first_videos, overlap

SAME_MOMENT = (9, 10)  # overlap of two moments that count as one answer


class Agreement(NamedTuple):
    """One run beside each run of a field: (runs, turns).

    both: turns that are compared; same: of these, those answered alike.
    """

    both: Bools
    same: Bools


class AnswerKind(Protocol):
    """Answers that can be compared between runs."""

    def beside(self, run: int) -> Agreement:
        """The run with that number beside each."""

    def guesses(self, run: int) -> Floats | None:
        """(turns, 2) how many guesses speak for the run's own answer, of how many; None: none."""


class WrongVideos:
    """Wrong first videos in video turns; the foil of a turn is a guess that anyone may make."""

    def __init__(self, field: Field) -> None:
        """Find the videos that are first and not the gold."""
        self._first = first_videos(field)
        self._wrong = (self._first >= 0) & (self._first != field.target[:, 0])
        places = {video: place for place, video in enumerate(field.split.corpus)}
        foils = [places.get(gold.foil or "", -1) for gold in field.gold]
        self._foil: Ints = np.where(field.frame.is_video, foils, -1)

    def beside(self, run: int) -> Agreement:
        """Turns in which both are wrong, and those with the same wrong video."""
        both = self._wrong & self._wrong[run]
        return Agreement(both, both & (self._first == self._first[run]))

    def guesses(self, run: int) -> Floats:
        """The foil, where there is one."""
        known = self._foil >= 0
        return np.stack([known & (self._foil == self._first[run]), known], axis=1).astype(float)


class WrongMoments:
    """Wrong first moments (IoU below 0.5) in moment turns, that do not cover their video."""

    def __init__(self, field: Field) -> None:
        """Find the moments that are first and wrong."""
        self._first = first_moments(field)
        self._wrong = (self._first[..., 0] >= 0) & ~overlap(self._first, field.target, HALF)

    def beside(self, run: int) -> Agreement:
        """Turns in which both are wrong, and those with moments of an IoU of 0.9 or more."""
        both = self._wrong & self._wrong[run]
        return Agreement(both, both & overlap(self._first, self._first[run], SAME_MOMENT))

    def guesses(self, run: int) -> None:
        """None."""
        return
