"""Metrics of segments: consecutive turns that search for one video.

A segment is a maximal run of at least two consecutive video turns of a dialogue with one target.
Any other turn ends it. With `reference` history the metrics are undefined: the history shows the
target.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from harness.metrics.metric import Column
from harness.metrics.retrieval import NO_VIDEOS
from harness.outcomes import Bools, Floats, Ints, Outcomes
from harness.records import ABSENT_RANK

GOLD_SHOWN = "with `reference` history the target has been told"
LOG_BASE = 4  # of the discount by turn: Järvelin et al., ECIR 2008


def cumulative_hit(outcomes: Outcomes) -> Column:
    """1 if the gold video is in the first ten in this turn of the segment or in an earlier one."""
    return _column(outcomes, best_rank(outcomes) <= 10, outcomes.frame.segments.turn > 0)


def best_log_rank(outcomes: Outcomes) -> Column:
    """Area under ln of the best rank so far, divided by turns; an absent video has rank 101.

    Mean over t of (ln b_t + ln b_{t+1}) / 2 for a segment with best ranks b_1, ..., b_n.
    """
    logs, turn = np.log(best_rank(outcomes)), outcomes.frame.segments.turn
    steps = np.where(turn > 1, (logs + np.append(0.0, logs[:-1])) / 2, 0.0)
    return _of_segments(outcomes, _running_sum(steps, turn) / np.maximum(turn - 1, 1))


def session_dcg(outcomes: Outcomes) -> Column:
    """Sum over q of g_q / (1 + log_4 q), g = 1 / log2(1 + rank), over that sum for g = 1."""
    turn = outcomes.frame.segments.turn
    discount = 1 + np.log(np.maximum(turn, 1)) / np.log(LOG_BASE)
    gain = np.where(outcomes.rank < ABSENT_RANK, 1 / np.log2(1.0 + outcomes.rank), 0.0)
    total, ideal = (_running_sum(part / discount, turn) for part in (gain, np.ones(len(gain))))
    return _of_segments(outcomes, total / ideal)


def best_rank(outcomes: Outcomes) -> Ints:
    """(turns,) the best rank so far in the segment; the turn's own rank outside segments."""
    best, turn = outcomes.rank.copy(), outcomes.frame.segments.turn
    for place in range(2, int(turn.max(initial=0)) + 1):
        rows = np.flatnonzero(turn == place)
        best[rows] = np.minimum(best[rows], best[rows - 1])
    return best


def _running_sum(values: Floats, turn: Ints) -> Floats:
    """(turns,) sums within each segment up to each of its turns."""
    total = np.array(values)
    for place in range(2, int(turn.max(initial=0)) + 1):
        rows = np.flatnonzero(turn == place)
        total[rows] += total[rows - 1]
    return total


def _of_segments(outcomes: Outcomes, values: ArrayLike) -> Column:
    return _column(outcomes, values, outcomes.frame.segments.last)


def _column(outcomes: Outcomes, values: ArrayLike, counted: Bools) -> Column:
    why = GOLD_SHOWN if outcomes.gold_in_history else None if outcomes.gives_videos else NO_VIDEOS
    return Column.of(values, counted, why)
