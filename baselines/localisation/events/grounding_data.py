"""Training data of a localiser: moment turns and the features of their videos.

The features come from a recogniser of annotated events, which only IVCR-Mini has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.base import LabelledSplit, MissingInputError
from baselines.event_models.event_annotations import EventAnnotations
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.query_encoder import TokenizedText, tokenize_turns
from baselines.event_models.recogniser import FrameFeatures
from baselines.localisation.events.step_features import VideoFeatures, video_features


class GroundingQuestion(NamedTuple):
    """A moment turn.

    start, end: its gold span in ms. related: whether it names a relation between events. turn: its
    place in the split.
    """

    text: TokenizedText
    video_id: str
    start: int
    end: int
    related: bool
    turn: int


class GroundingData(NamedTuple):
    """The questions of both splits, and the videos by id; times: (frames,) in ms."""

    train: list[GroundingQuestion]
    val: list[GroundingQuestion]
    lexicon: Lexicon
    videos: dict[str, VideoFeatures]
    times: Mapping[str, NDArray[np.int32]]
    annotations: EventAnnotations

    @classmethod
    def of_splits(
        cls, training: LabelledSplit, validation: LabelledSplit | None, lexicon: Lexicon,
        features: FrameFeatures, annotations: EventAnnotations,
    ) -> GroundingData:  # fmt: skip
        """All questions whose video can be read. Raises MissingInputError if train has none."""
        videos = video_features(features.rows, features.times, annotations.attributes)
        train = _questions(training, lexicon, videos)
        if not train:
            raise MissingInputError(
                "expected moment turns of the train split whose video can be read, found none; "
                "see the paths in videos.jsonl"
            )
        val = _questions(validation, lexicon, videos) if validation else []
        return cls(train, val, lexicon, videos, features.times, annotations)

    def shuffle_labels(self, seed: int) -> GroundingData:
        """A control: the texts of the train questions in random order, over the same moments."""
        order = np.random.default_rng(seed).permutation(len(self.train))
        texts = [self.train[at].text for at in order]
        train = [each._replace(text=text) for each, text in zip(self.train, texts, strict=True)]
        return self._replace(train=train)


def moment_videos(
    training: LabelledSplit, validation: LabelledSplit | None, annotations: EventAnnotations
) -> list[str]:
    """The videos of all gold moments, and all annotated ones."""
    golds = [*training.gold, *(validation.gold if validation else ())]
    moments = {str(gold.video_id) for gold in golds if gold.moment is not None}
    return sorted(moments | annotations.videos.keys())


def _questions(
    split: LabelledSplit, lexicon: Lexicon, videos: Mapping[str, VideoFeatures]
) -> list[GroundingQuestion]:
    """The moment turns of a split whose video can be read."""
    questions = []
    for at, (turn, gold) in enumerate(zip(split.turns, split.gold, strict=True)):
        video_id, moment = gold.video_id, gold.moment
        if turn.task == "moment" and moment and video_id and video_id in videos:
            text = tokenize_turns(lexicon, [(turn.utterance, turn.language, 0)])
            related = "relation" in gold.tags
            questions.append(
                GroundingQuestion(text, video_id, moment.start, moment.end, related, at)
            )
    return questions
