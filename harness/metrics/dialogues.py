"""Metrics of whole dialogues: success, and how the result of one turn depends on earlier ones.

They are over dialogues with retrieval turns. Dialogues of type 7, whose turns are independent, are
left out; chat turns neither fail nor count. A dialogue's figure is divided evenly among its
retrieval turns, so that each carries its share into the variance over videos.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from harness.metrics.metric import Column
from harness.metrics.retrieval import NO_VIDEOS
from harness.outcomes import Bools, Floats, Frame, Outcomes
from harness.outcomes.structure import count_earlier
from harness.temporal import IOU_TENTHS

HALF = IOU_TENTHS.index(5)


def right(outcomes: Outcomes) -> Bools:
    """(turns,) video turn: gold first in `videos`; moment turn: IoU >= 0.5; chat turn: no."""
    frame = outcomes.frame
    within: Bools = frame.is_moment & outcomes.hit[0, HALF]
    return frame.is_video & np.equal(outcomes.rank, 1) | within


def success(outcomes: Outcomes) -> Column:
    """1 if all retrieval turns of the dialogue are right."""
    frame = outcomes.frame
    failed = np.bincount(frame.dialogue, weights=frame.dialogue_turns & ~right(outcomes))
    return _column(outcomes, failed[frame.dialogue] == 0, weights=_evenly(frame))


def turns_right(outcomes: Outcomes) -> Column:
    """The share of the dialogue's retrieval turns that are right."""
    return _column(outcomes, right(outcomes), weights=_evenly(outcomes.frame))


def right_after(outcomes: Outcomes, *, was_right: bool) -> Column:
    """1 if right, over the retrieval turns that follow a right (or a wrong) retrieval turn."""
    after_right, after_wrong = _followers(outcomes)
    return _column(outcomes, right(outcomes), after_right if was_right else after_wrong)


def dependence(outcomes: Outcomes) -> Column:
    """Table of P(right|right) above P(right|wrong): right turns, turns; right turns, turns."""
    found = right(outcomes)
    after_right, after_wrong = _followers(outcomes)
    table = np.stack([found & after_right, after_right, found & after_wrong, after_wrong])
    return Column(table.astype(float), after_right | after_wrong, _why(outcomes))


def difference(sums: Floats) -> Any:
    """P(right|right) - P(right|wrong) of the sums of `dependence`, (4, ...) to (...)."""
    return sums[0] / sums[1] - sums[2] / sums[3]


def fewer(sums: Floats) -> float:
    """The number of pairs behind the thinner of the two shares of `dependence`."""
    return float(min(sums[1], sums[3]))


def recovery(outcomes: Outcomes) -> Column:
    """1 if right, over the retrieval turns after an earlier failure in their dialogue."""
    frame = outcomes.frame
    failed = count_earlier(frame.dialogue_turns & ~right(outcomes), frame.dialogue)
    return _column(outcomes, right(outcomes), failed > 0)


def cascade_video(outcomes: Outcomes) -> Column:
    """R@1 where after a failed video turn all later turns of the dialogue count as wrong."""
    frame = outcomes.frame
    return _column(outcomes, right(outcomes) & _unbroken(outcomes), frame.is_video)


def cascade_moment(outcomes: Outcomes) -> Column:
    """R@1, IoU >= 0.5 in the same way; a failed moment breaks nothing."""
    frame = outcomes.frame
    return _column(outcomes, right(outcomes) & _unbroken(outcomes), frame.is_moment)


def _unbroken(outcomes: Outcomes) -> Bools:
    """(turns,) whether no earlier video turn of the dialogue failed."""
    frame = outcomes.frame
    return np.equal(count_earlier(frame.is_video & (outcomes.rank != 1), frame.dialogue), 0)


def _followers(outcomes: Outcomes) -> tuple[Bools, Bools]:
    """The retrieval turns whose predecessor among them is right, and those where it is wrong."""
    frame, found = outcomes.frame, right(outcomes)
    rows = np.flatnonzero(frame.retrieval)
    before = np.zeros(len(found), dtype=bool)
    before[rows[1:]] = found[rows[:-1]]
    follows = frame.dialogue_turns & (frame.nth > 1)
    return follows & before, follows & ~before


def _evenly(frame: Frame) -> Floats:
    """(turns,) one over the number of the dialogue's retrieval turns."""
    turns = np.bincount(frame.dialogue, weights=frame.dialogue_turns)
    return 1 / np.maximum(turns, 1)[frame.dialogue]


def _column(
    outcomes: Outcomes, values: Bools, among: Bools | None = None, *, weights: ArrayLike = 1.0
) -> Column:
    linked = outcomes.frame.dialogue_turns
    counted = linked if among is None else linked & among
    return Column.of(values, counted, _why(outcomes), weights=weights)


def _why(outcomes: Outcomes) -> str | None:
    return None if outcomes.gives_videos else NO_VIDEOS
