"""How turns stand in their dialogue: one after another, and in segments with one target."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Segments(NamedTuple):
    """Maximal runs of at least two video turns that follow one another and have one target.

    turn: (turns,) the place in the run, from 1; 0 outside. last: (turns,) whether a run ends here.
    """

    turn: Ints
    last: Bools


def earlier(flags: Bools, dialogue: Ints) -> Ints:
    """How many turns before each one, in its own dialogue, are flagged, (turns,).

    `flags`: (turns,); `dialogue`: (turns,), numbered from 0 in order, each dialogue's turns
    together.
    """
    before: Ints = np.cumsum(flags) - flags
    starts = np.flatnonzero(np.diff(dialogue, prepend=-1))
    return before - before[starts][dialogue]


def segments(asks: Bools, dialogue: Ints, video: Ints) -> Segments:
    """The segments among the turns that `asks` flags. All are (turns,); `video`: the target."""
    joined = np.zeros(len(asks), dtype=bool)  # a turn to the one before it
    joined[1:] = asks[1:] & asks[:-1] & (dialogue[1:] == dialogue[:-1]) & (video[1:] == video[:-1])
    goes_on = np.append(joined[1:], False)
    run = np.cumsum(~joined) - 1
    place = np.arange(len(asks)) - np.flatnonzero(~joined)[run] + 1
    inside = joined | goes_on
    return Segments(np.where(inside, place, 0), inside & ~goes_on)
