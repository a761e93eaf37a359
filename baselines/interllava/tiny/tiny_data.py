"""Tiny InterLLaVA's data (IVCR-Mini only: needs annotated events), from the labelled splits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch

from baselines.base import LabelledSplit, MissingInputError, Query, View
from baselines.dialogue_context import reference_queries
from baselines.event_models.event_annotations import EventAnnotations
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.matching import (
    Matcher,
    SegmentFeatures,
    collate_videos,
    global_values,
    segment_features,
    tokenize_query,
)
from baselines.event_models.query_encoder import TokenizedText, collate_texts
from baselines.event_models.recogniser import FrameFeatures, Recogniser, recognise_videos
from baselines.interllava.reference_answers import chat_turns, target_answers
from baselines.interllava.tiny.tiny_batches import ExampleCollator
from baselines.interllava.tiny.tiny_examples import (
    BATCH_SIZE,
    SearchTurn,
    TinyTrainingData,
    TurnExample,
)
from baselines.interllava.tiny.tiny_frame_encoder import CandidateFeatures, candidate_features
from baselines.interllava.training import TurnBatch
from baselines.localisation.events.grounding_data import GroundingData, moment_videos
from baselines.localisation.events.grounding_sampler import GroundingSampler
from baselines.localisation.events.step_features import VideoFeatures

HARD_NEGATIVES = 30  # of a video turn, from which candidates are drawn
VALIDATION_TURNS = 96  # of each task that are answered in validation


class EncodedSplits(NamedTuple):
    """The videos and turns of both labelled splits as network input; videos by video id."""

    training: LabelledSplit
    validation: LabelledSplit | None
    moments: GroundingData
    segments: dict[str, SegmentFeatures]
    candidates: dict[str, CandidateFeatures]

    def search_turns(self, split: LabelledSplit) -> Iterator[SearchTurn]:
        """The video turns of a split whose gold video can be read."""
        attributes, lexicon = self.moments.annotations.attributes, self.moments.lexicon
        values = {name: global_values(each, attributes) for name, each in self.segments.items()}
        for query, gold in zip(reference_queries(split), split.gold, strict=True):
            if query.task == "video" and gold.video_id in self.candidates:
                [(text, _)] = tokenize_query(lexicon, query, "all", values)
                given = tuple(name for name in query.candidates if name in self.candidates)
                foil = gold.foil if gold.foil in self.candidates else None
                yield SearchTurn(query, text, str(gold.video_id), foil, given)


def encode_splits(
    view: View, training: LabelledSplit, annotations: EventAnnotations, lexicon: Lexicon,
    recogniser: Recogniser,
) -> EncodedSplits:  # fmt: skip
    """Run the recogniser on all videos that the splits name, and encode their turns.

    Raises MissingInputError if no moment turn of the train split has a video that can be read.
    """
    splits = [training, *([view.validation] if view.validation else [])]
    names = {
        *moment_videos(training, view.validation, annotations),
        *(n for s in splits for n in _videos(s)),
    }
    features = recognise_videos(recogniser, sorted(names), view, FrameFeatures({}, {}))
    moments = GroundingData.of_splits(training, view.validation, lexicon, features, annotations)
    segments = {
        name: segment_features(features.rows[name], features.times[name], annotations.attributes)
        for name in features.rows
    }
    candidates = candidate_features(moments.videos, segments, annotations.attributes)
    return EncodedSplits(training, view.validation, moments, segments, candidates)


def _videos(split: LabelledSplit) -> set[str]:
    """The videos that a split's turns name: golds, foils, candidates."""
    golds = {name for gold in split.gold for name in (gold.video_id, gold.foil) if name}
    return golds | {name for each in split.candidates.values() for name in each}


def training_data(splits: EncodedSplits, matcher: Matcher) -> TinyTrainingData:
    """What training examples are drawn from.

    Raises MissingInputError if no video turn of the train split has a video that can be read.
    """
    training, annotations = splits.training, splits.moments.annotations
    queries = reference_queries(training)
    searches = list(splits.search_turns(training))
    if not searches:
        raise MissingInputError(
            "train split: expected a video turn with a readable video, found none; check the "
            "paths in videos.jsonl"
        )
    moments = GroundingSampler(splits.moments, BATCH_SIZE)
    return TinyTrainingData(
        splits.candidates,
        annotations.attributes,
        moments.error_rates,
        add_negatives(searches, matcher, splits.candidates),
        moments,
        queries,
        chat_turns(queries, training),
        target_answers(training),
    )


def add_negatives(
    searches: Sequence[SearchTurn], matcher: Matcher, candidates: Mapping[str, CandidateFeatures]
) -> list[SearchTurn]:
    """Video turns with hard negatives from the gold videos and foils of all of them."""
    names = sorted({each.gold for each in searches} | {f for s in searches if (f := s.foil)})
    videos = collate_videos([candidates[name].segments for name in names])
    result = []
    with torch.no_grad():
        for each in searches:
            scores = matcher.scores(matcher.query_weights(collate_texts([each.text])), videos)[0]
            order = scores.argsort(descending=True, stable=True)[: HARD_NEGATIVES + 1]
            negatives = tuple(name for at in order if (name := names[at]) != each.gold)
            result.append(each._replace(negatives=negatives))
    return result


def moment_example(
    query: Query, text: TokenizedText, video: VideoFeatures, number: int
) -> TurnExample:
    """A moment turn without an answer, in the video of that number."""
    return TurnExample(query, None, text, steps=video.steps, length=video.length, number=number)


def validation_batches(
    splits: EncodedSplits, collate: ExampleCollator
) -> tuple[list[Callable[[], TurnBatch]], list[list[Any]]]:
    """Validation turns as functions that make a batch, and their gold numbers, or spans in ms."""
    if splits.validation is None:
        return [], []
    turns = (
        _validation_searches(splits, splits.validation),
        _validation_moments(splits, splits.validation),
    )
    parts = [
        task[at : at + BATCH_SIZE]
        for task in (turn[:VALIDATION_TURNS] for turn in turns)
        for at in range(0, len(task), BATCH_SIZE)
    ]
    batches = [partial(collate, [example for example, _ in part]) for part in parts]
    return list(batches), [[gold for _, gold in part] for part in parts]


def _validation_searches(
    splits: EncodedSplits, validation: LabelledSplit
) -> list[tuple[TurnExample, Any]]:
    """Video turns whose gold video is among the candidates given, with its number."""
    turns = []
    for each in splits.search_turns(validation):
        if each.gold in each.given:
            candidates = tuple(splits.candidates[name] for name in each.given)
            example = TurnExample(each.query, None, each.text, candidates)
            turns.append((example, each.given.index(each.gold) + 1))
    return turns


def _validation_moments(
    splits: EncodedSplits, validation: LabelledSplit
) -> list[tuple[TurnExample, Any]]:
    """Moment turns with their spans in ms."""
    queries = reference_queries(validation)
    return [
        (
            moment_example(queries[each.turn], each.text, splits.moments.videos[each.video_id], 1),
            (each.start, each.end),
        )
        for each in splits.moments.val
    ]
