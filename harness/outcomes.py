"""Outcomes: what a submission did on each gold turn, as columns, computed once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.benchmark import Split
from harness.records import Gold, Moment, Prediction, Span, Turn

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

ABSENT = 101  # the rank of a video that is not among the first hundred
NO_TARGET, NEW, REPEATED = 0, 1, 2
THRESHOLDS = (3, 5, 7)  # IoU in tenths: integers compare exactly
DEPTH = 5  # moments looked at in a turn


class Frame(NamedTuple):
    """What a split's turns are, whoever answers: one entry a turn, in the order of turns.jsonl.

    Indices into `dialogues`, `videos` (gold; -1 in chat turns), `sources` (of the gold video; -1)
    and `languages`; `length` counts all turns of the dialogue; `target` is NO_TARGET, NEW or
    REPEATED (an earlier turn of the dialogue has the same gold video).
    """

    dialogues: tuple[str, ...]
    videos: tuple[str, ...]
    sources: tuple[str, ...]
    languages: tuple[str, ...]
    tags: Mapping[str, Bools]
    dialogue: Ints
    turn: Ints
    type: Ints
    language: Ints
    length: Ints
    video: Ints
    source: Ints
    target: Ints
    is_video: Bools
    is_moment: Bools

    @property
    def retrieval(self) -> Bools:
        """(turns,) whether the turn asks for a video or a moment."""
        return self.is_video | self.is_moment


class Outcomes(NamedTuple):
    """A frame, and what was answered: one entry a turn.

    rank: of the gold video in `videos`, 1 to 100, else ABSENT; choice: the gold video was chosen
    among the candidates; foil: 1 gold ahead of its foil, 1/2 neither there, 0 otherwise; iou: of
    the first moment, in [0, 1]; hit: (2, thresholds, turns), IoU >= threshold for the first moment
    and for one of the first five. What a turn is not asked for is ABSENT or 0 there.
    """

    frame: Frame
    rank: Ints
    choice: Bools
    has_candidates: Bools
    gold_is_candidate: Bools
    has_foil: Bools
    foil: Floats
    iou: Floats
    hit: NDArray[np.bool_]
    gives_videos: bool
    gives_choice: bool


def frame(split: Split, gold: Sequence[Gold], sources: Mapping[str, str]) -> Frame:
    """The frame of a split. `sources`: by video id. `gold` is in the order of the split's turns."""
    turns = split.turns
    dialogues, dialogue = _codes([turn.dialogue_id for turn in turns])
    videos, video = _codes([answer.video_id for answer in gold])
    names = [None if answer.video_id is None else sources[answer.video_id] for answer in gold]
    source_names, source = _codes(names)
    languages, language = _codes([turn.language for turn in turns])
    lengths = Counter(turn.dialogue_id for turn in turns)
    return Frame(
        dialogues=dialogues,
        videos=videos,
        sources=source_names,
        languages=languages,
        tags=_tags(gold),
        dialogue=dialogue,
        turn=np.array([turn.turn for turn in turns], dtype=np.int64),
        type=np.array([turn.type for turn in turns], dtype=np.int64),
        language=language,
        length=np.array([lengths[turn.dialogue_id] for turn in turns], dtype=np.int64),
        video=video,
        source=source,
        target=_targets(gold),
        is_video=np.array([turn.task == "video" for turn in turns], dtype=bool),
        is_moment=np.array([turn.task == "moment" for turn in turns], dtype=bool),
    )


def outcomes(
    split: Split,
    gold: Sequence[Gold],
    predictions: Sequence[Prediction | None],
    sources: Mapping[str, str],
) -> Outcomes:
    """The outcomes of `predictions`, which stand in the order of the split's turns (None: missing).

    A missing answer, a missing list and an empty list are all wrong.
    """
    rows = list(zip(split.turns, gold, predictions, strict=True))
    lists = [
        split.candidates.get(turn.key, ()) if turn.task == "video" else () for turn in split.turns
    ]
    iou, hit = _moments(gold, predictions)
    return Outcomes(
        frame=frame(split, gold, sources),
        rank=np.array([_rank(*row) for row in rows], dtype=np.int64),
        choice=np.array(
            [
                _chosen(prediction, candidates) == answer.video_id
                for (_, answer, prediction), candidates in zip(rows, lists, strict=True)
            ],
            dtype=bool,
        )
        & np.array([bool(candidates) for candidates in lists], dtype=bool),
        has_candidates=np.array([bool(candidates) for candidates in lists], dtype=bool),
        gold_is_candidate=np.array(
            [answer.video_id in names for answer, names in zip(gold, lists, strict=True)],
            dtype=bool,
        ),
        has_foil=np.array([answer.foil is not None for answer in gold], dtype=bool),
        foil=np.array([_ahead(answer, prediction) for _, answer, prediction in rows]),
        iou=iou,
        hit=hit,
        gives_videos=any(given is not None and given.videos is not None for given in predictions),
        gives_choice=any(given is not None and given.choice is not None for given in predictions),
    )


def _codes(names: Sequence[str | None]) -> tuple[tuple[str, ...], Ints]:
    """Distinct names in order of first appearance, and the index of each entry (-1: None)."""
    known: dict[str, int] = {}
    codes = [-1 if name is None else known.setdefault(name, len(known)) for name in names]
    return tuple(known), np.array(codes, dtype=np.int64)


def _targets(gold: Sequence[Gold]) -> Ints:
    seen: set[tuple[str, str]] = set()
    targets = np.full(len(gold), NO_TARGET, dtype=np.int64)
    for row, answer in enumerate(gold):
        if answer.video_id is not None:
            pair = (answer.dialogue_id, answer.video_id)
            targets[row] = REPEATED if pair in seen else NEW
            seen.add(pair)
    return targets


def _tags(gold: Sequence[Gold]) -> dict[str, Bools]:
    names = sorted({tag for answer in gold for tag in answer.tags})
    return {name: np.array([name in answer.tags for answer in gold], dtype=bool) for name in names}


def _rank(turn: Turn, gold: Gold, prediction: Prediction | None) -> int:
    if turn.task != "video" or prediction is None or not prediction.videos:
        return ABSENT
    try:
        return prediction.videos.index(gold.video_id or "", 0, ABSENT - 1) + 1
    except ValueError:
        return ABSENT


def _chosen(prediction: Prediction | None, candidates: Sequence[str]) -> str | None:
    """The first of `choice`, else the first of `videos` that is a candidate."""
    if prediction is None:
        return None
    if prediction.choice:
        return prediction.choice[0]
    return next((name for name in prediction.videos or () if name in candidates), None)


def _ahead(gold: Gold, prediction: Prediction | None) -> float:
    if gold.foil is None:
        return 0.0
    videos = () if prediction is None else (prediction.videos or ())
    for name in videos:
        if name == gold.video_id:
            return 1.0
        if name == gold.foil:
            return 0.0
    return 0.5


def _moments(
    gold: Sequence[Gold], predictions: Sequence[Prediction | None]
) -> tuple[Floats, NDArray[np.bool_]]:
    """IoU of the first moment (turns,); hits of the first and of the first five moments."""
    met = np.zeros((DEPTH, len(gold)), dtype=np.int64)
    joined = np.ones((DEPTH, len(gold)), dtype=np.int64)
    for row, (answer, prediction) in enumerate(zip(gold, predictions, strict=True)):
        if answer.moment is None or prediction is None:
            continue
        for place, moment in enumerate((prediction.moments or ())[:DEPTH]):
            met[place, row], joined[place, row] = overlap(answer.video_id, answer.moment, moment)
    right = [10 * met >= tenths * joined for tenths in THRESHOLDS]  # each (DEPTH, turns)
    hit = np.array([[at[0] for at in right], [at.any(axis=0) for at in right]])
    return met[0] / joined[0], hit  # (turns,), (2, thresholds, turns)


def overlap(video_id: str | None, gold: Span, moment: Moment) -> tuple[int, int]:
    """Length of the intersection and of the union, in ms; (0, 1) where they do not meet."""
    if moment.video_id != video_id:
        return 0, 1
    met = min(gold.end, moment.end) - max(gold.start, moment.start)
    if met <= 0:
        return 0, 1
    return met, max(gold.end, moment.end) - min(gold.start, moment.start)
