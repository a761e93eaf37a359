"""The structure of dialogues: the turns before a turn, and segments with one target."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Segments(NamedTuple):
    """Segments: maximal runs of at least two consecutive video turns with one target.

    turn: (turns,) the place in the run, from 1; 0 outside. last: (turns,) whether a run ends here.
    """

    turn: Ints
    last: Bools


def count_earlier(flags: Bools, dialogue: Ints) -> Ints:
    """The number of flagged turns before each turn in its dialogue, (turns,).

    `flags`: (turns,); `dialogue`: (turns,), numbered from 0 in order; the turns of a
    dialogue are consecutive.
    """
    before: Ints = np.cumsum(flags) - flags
    starts = np.flatnonzero(np.diff(dialogue, prepend=-1))
    return before - before[starts][dialogue]


def segments(is_video: Bools, dialogue: Ints, video: Ints) -> Segments:
    """The segments among the video turns, by `is_video`. All are (turns,); `video`: the target."""
    joined = np.zeros(len(is_video), dtype=bool)  # a turn to the one before it
    joined[1:] = (
        is_video[1:] & is_video[:-1] & (dialogue[1:] == dialogue[:-1]) & (video[1:] == video[:-1])
    )
    goes_on = np.append(joined[1:], False)
    run = np.cumsum(~joined) - 1
    place = np.arange(len(is_video)) - np.flatnonzero(~joined)[run] + 1
    inside = joined | goes_on
    return Segments(np.where(inside, place, 0), inside & ~goes_on)
