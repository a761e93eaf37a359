"""Training data of a matcher, from annotated events, which only IVCR-Mini has.

An example is the text of a turn with its gold video and, where the labels name one, its foil: a
video that differs from the gold one in a single property.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.base import LabelledSplit, MissingInputError
from baselines.dialogue_context import reference_queries
from baselines.event_models.event_annotations import Attribute, EventAnnotations
from baselines.event_models.event_segments import (
    apply_actionness,
    error_rates,
    event_frames,
    mean_pool,
)
from baselines.event_models.lexicon import Lexicon, split_lexicon
from baselines.event_models.matching import (
    SegmentFeatures,
    global_values,
    segment_features,
    tokenize_query,
)
from baselines.event_models.query_encoder import TokenizedText
from baselines.event_models.recogniser import FrameFeatures
from harness.records import CONCATENATION


class MatchingExample(NamedTuple):
    """A training query.

    alone: its text without the dialogue before it; in_context: with it. gold, foil: videos.
    ordered: whether gold and foil differ in the order of events.
    """

    alone: TokenizedText
    in_context: TokenizedText
    gold: str
    foil: str | None
    ordered: bool


class MatchingData(NamedTuple):
    """Examples of both splits, and the videos by id.

    videos: segments that the recogniser finds, of all videos. events: one segment per annotated
    event, of annotated videos. error_rates: (attributes,), the recogniser's on unseen videos.
    """

    lexicon: Lexicon
    train: list[MatchingExample]
    val: list[MatchingExample]
    videos: dict[str, SegmentFeatures]
    events: dict[str, SegmentFeatures]
    attributes: tuple[Attribute, ...]
    error_rates: NDArray[np.float64]


def labelled_videos(training: LabelledSplit, validation: LabelledSplit | None) -> set[str]:
    """The videos of all golds and foils."""
    golds = [*training.gold, *(validation.gold if validation else ())]
    names = [name for gold in golds for name in (gold.video_id, gold.foil)]
    return {name for name in names if name is not None}


def prepare_data(
    features: FrameFeatures,
    annotations: EventAnnotations,
    training: LabelledSplit,
    validation: LabelledSplit | None,
) -> MatchingData:
    """The training data of both splits, over the videos that can be read.

    Raises MissingInputError if no video turn of the train split is left.
    """
    attributes = annotations.attributes
    videos = {
        name: segment_features(features.rows[name], features.times[name], attributes)
        for name in features.rows
    }
    events = _annotated_segments(features, annotations)
    lexicon = split_lexicon(training, annotations)
    values = {name: global_values(each, attributes) for name, each in videos.items()}
    unseen = [videos[name].values for name in videos if name not in annotations.videos]
    rates = error_rates(unseen, attributes)
    train = _examples(training, lexicon, values)
    if not train:
        raise MissingInputError(
            "expected video turns of the train split whose video can be read, found none; "
            "see the paths in videos.jsonl"
        )
    val = _examples(validation, lexicon, values, openings=False) if validation else []
    return MatchingData(lexicon, train, val, videos, events, attributes, rates)


def _annotated_segments(
    features: FrameFeatures, annotations: EventAnnotations
) -> dict[str, SegmentFeatures]:
    """Videos with one segment per annotated event."""
    videos = {}
    for name in sorted(annotations.videos.keys() & features.rows.keys()):
        annotation = annotations.videos[name]
        edges = event_frames(features.times[name], annotation)
        if edges is not None:
            lengths = np.array([event.end - event.start for event in annotation.events]) / 1000
            rows = apply_actionness(features.rows[name], annotations.attributes)
            videos[name] = SegmentFeatures(mean_pool(rows, *edges.T), lengths)
    return videos


def _examples(
    split: LabelledSplit,
    lexicon: Lexicon,
    values: Mapping[str, Sequence[int]],
    *,
    openings: bool = True,
) -> list[MatchingExample]:
    """The video turns whose video can be read; with openings, first moment turns too.

    The first turn of a dialogue, and each turn of a concatenation, describes its video even where
    it searches for a moment.
    """
    examples: list[MatchingExample] = []
    queries = reference_queries(split)
    for turn, gold, query in zip(split.turns, split.gold, queries, strict=True):
        opening = turn.task == "moment" and (turn.turn == 1 or turn.type == CONCATENATION)
        chosen = turn.task == "video" or (openings and opening)
        if chosen and gold.video_id is not None and gold.video_id in values:
            [(alone, _)] = tokenize_query(lexicon, query, "last", values)
            [(in_context, _)] = tokenize_query(lexicon, query, "all", values)
            foil = gold.foil if gold.foil in values else None
            ordered = "order" in gold.tags
            examples.append(MatchingExample(alone, in_context, gold.video_id, foil, ordered))
    return examples
