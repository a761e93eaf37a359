"""The results of a submission on each turn: ranks, choices, spans and responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from harness.benchmark import Split
from harness.outcomes.frame import Bools, Floats, Frame, Ints, frame
from harness.records import ABSENT_RANK, RANK_LIMIT, Gold, Prediction, Turn
from harness.temporal import IOU_TENTHS, moment_overlaps


class Outcomes(NamedTuple):
    """The frame of a split and the result of every turn: columns of one entry a turn.

    rank: of the gold video in `videos`, 1 to RANK_LIMIT, else ABSENT_RANK; choice: whether the
    system chooses the gold video among the candidates; foil: 1 if the gold is ahead of its foil,
    1/2 if neither is there, else 0; iou: of the first moment, in [0, 1]; hit: (2, thresholds,
    turns), IoU >= threshold for the first moment and for one of the first five. Columns that do not
    apply to a turn hold ABSENT_RANK or 0. response and reference: texts, "" where there is none.
    gives_response: whether one response is not empty (a chat turn must have one).
    gold_in_history: whether the history shows the gold videos of earlier turns.
    """

    frame: Frame
    rank: Ints
    choice: Bools
    has_candidates: Bools
    gold_is_candidate: Bools
    has_foil: Bools
    foil: Floats
    iou: Floats
    hit: Bools
    response: tuple[str, ...]
    reference: tuple[str, ...]
    gives_videos: bool
    gives_choice: bool
    gives_response: bool
    gold_in_history: bool


def outcomes(
    split: Split,
    gold: Sequence[Gold],
    predictions: Sequence[Prediction | None],
    sources: Mapping[str, str],
    *,
    gold_in_history: bool = False,
) -> Outcomes:
    """The outcomes of `predictions`, in the order of the split's turns (None: missing).

    A missing answer, a missing list and an empty list are all wrong. `gold_in_history`: the
    submission comes from a run with `reference` history.
    """
    rows = list(zip(split.turns, gold, predictions, strict=True))
    lists = [
        split.candidates.get(turn.key, ()) if turn.task == "video" else () for turn in split.turns
    ]
    given = [prediction for prediction in predictions if prediction is not None]
    overlap = moment_overlaps(gold, predictions)
    right = np.array([overlap.reaches(tenths) for tenths in IOU_TENTHS])  # (3, DEPTH, turns)
    has_candidates = np.array([bool(names) for names in lists], dtype=bool)
    chosen = [
        _chosen_candidate(prediction, names) == answer.video_id
        for (_, answer, prediction), names in zip(rows, lists, strict=True)
    ]
    return Outcomes(
        frame=frame(split, gold, sources),
        rank=ranks(split.turns, gold, predictions),
        choice=np.array(chosen, dtype=bool) & has_candidates,
        has_candidates=has_candidates,
        gold_is_candidate=np.array(
            [answer.video_id in names for answer, names in zip(gold, lists, strict=True)],
            dtype=bool,
        ),
        has_foil=np.array([answer.foil is not None for answer in gold], dtype=bool),
        foil=np.array([_foil_credit(answer, prediction) for _, answer, prediction in rows]),
        iou=overlap.iou()[0],
        hit=np.stack([right[:, 0], right.any(axis=1)]),
        response=tuple("" if each is None else each.response or "" for each in predictions),
        reference=tuple(answer.answer for answer in gold),
        gives_videos=any(each.videos is not None for each in given),
        gives_choice=any(each.choice is not None for each in given),
        gives_response=any(each.response for each in given),
        gold_in_history=gold_in_history,
    )


def ranks(
    turns: Sequence[Turn], gold: Sequence[Gold], predictions: Sequence[Prediction | None]
) -> Ints:
    """The rank of the gold video in `videos`, 1 to RANK_LIMIT, else ABSENT_RANK, (turns,)."""
    found = [ABSENT_RANK] * len(turns)
    for row, (turn, answer, given) in enumerate(zip(turns, gold, predictions, strict=True)):
        if turn.task == "video" and given is not None and given.videos and answer.video_id:
            try:
                found[row] = given.videos.index(answer.video_id, 0, RANK_LIMIT) + 1
            except ValueError:
                continue
    return np.array(found, dtype=np.int64)


def _chosen_candidate(prediction: Prediction | None, candidates: Sequence[str]) -> str | None:
    """The first of `choice`, else the first of `videos` that is a candidate."""
    if prediction is None:
        return None
    if prediction.choice:
        return prediction.choice[0]
    return next((name for name in prediction.videos or () if name in candidates), None)


def _foil_credit(gold: Gold, prediction: Prediction | None) -> float:
    if gold.foil is None:
        return 0.0
    videos = () if prediction is None else (prediction.videos or ())
    for name in videos:
        if name == gold.video_id:
            return 1.0
        if name == gold.foil:
            return 0.0
    return 0.5
