"""Metrics of video turns. A turn has one gold video, so R@k is TREC's Success@k."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from harness.metrics.metric import Column
from harness.outcomes import Bools, Outcomes
from harness.records import ABSENT_RANK

NO_VIDEOS = "no line of the submission has `videos`"
NO_CHOICE = "no line of the submission has `choice` or `videos`"


def recall(outcomes: Outcomes, k: int) -> Column:
    """1 if the gold video stands in the first k of `videos` (TREC's Success@k)."""
    return _over_videos(outcomes, outcomes.rank <= k)


def reciprocal_rank(outcomes: Outcomes) -> Column:
    """1 / rank of the gold video, 0 past 100. Voorhees, TREC-8 QA track, 1999."""
    present = outcomes.rank < ABSENT_RANK
    return _over_videos(outcomes, np.where(present, 1 / outcomes.rank, 0.0))


def ndcg(outcomes: Outcomes, k: int) -> Column:
    """1 / log2(1 + rank) if rank <= k, else 0; the ideal is 1. Järvelin & Kekäläinen, TOIS 2002."""
    return _over_videos(
        outcomes, np.where(outcomes.rank <= k, 1 / np.log2(1.0 + outcomes.rank), 0.0)
    )


def rank(outcomes: Outcomes) -> Column:
    """The rank of the gold video, 1 to 100; 101 if it is absent."""
    column = _over_videos(outcomes, outcomes.rank)
    return column._replace(table=column.table[:1])


def choice(outcomes: Outcomes) -> Column:
    """1 if the gold video is the first of `choice`, else the first of `videos` among candidates."""
    return _chosen(outcomes, outcomes.has_candidates)


def choice_within(outcomes: Outcomes) -> Column:
    """The same over the turns whose candidates hold the gold video."""
    return _chosen(outcomes, outcomes.gold_is_candidate)


def ahead_of_foil(outcomes: Outcomes) -> Column:
    """1 if the gold stands ahead of its foil in `videos`, 1/2 if neither is there."""
    return _over_videos(outcomes, outcomes.foil, outcomes.has_foil)


def _chosen(outcomes: Outcomes, among: Bools) -> Column:
    why = None if outcomes.gives_choice or outcomes.gives_videos else NO_CHOICE
    return Column.of(outcomes.choice, outcomes.frame.is_video & among, why)


def _over_videos(outcomes: Outcomes, values: ArrayLike, among: Bools | None = None) -> Column:
    why = None if outcomes.gives_videos else NO_VIDEOS
    turns = outcomes.frame.is_video
    return Column.of(values, turns if among is None else turns & among, why)
