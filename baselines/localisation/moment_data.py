"""Training data of a localiser: the moment turns of a split.

Nothing but the utterance, the gold video and the gold span of a turn is read: no tag, no foil.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.base import LabelledSplit, MissingInputError
from baselines.localisation.video_steps import VideoSource

Encode = Callable[[str], NDArray[Any]]  # a text to its tokens, (tokens, k)


class MomentQuestion(NamedTuple):
    """A moment turn: its utterance, its gold video and span in ms."""

    text: str
    video_id: str
    start: int
    end: int


class MomentData(NamedTuple):
    """The turns of both splits whose video can be read, the videos, and the reader of texts."""

    train: list[MomentQuestion]
    val: list[MomentQuestion]
    videos: VideoSource
    encode: Encode

    @classmethod
    def of_splits(
        cls,
        training: LabelledSplit,
        validation: LabelledSplit | None,
        videos: VideoSource,
        encode: Encode,
    ) -> MomentData:
        """Read both splits. Raises MissingInputError if no moment turn of train is left."""
        train = _questions(training, videos)
        if not train:
            raise MissingInputError(
                "expected moment turns of the train split whose gold video can be read, found "
                "none; take a benchmark whose train split has gold spans, and see the paths in "
                "videos.jsonl, or the features' videos"
            )
        val = _questions(validation, videos) if validation else []
        return cls(train, val, videos, encode)

    def shuffle_labels(self, seed: int) -> MomentData:
        """A control: the texts of the train split in random order, over the same labels."""
        order = np.random.default_rng(seed).permutation(len(self.train))
        texts = [self.train[at].text for at in order]
        train = [each._replace(text=text) for each, text in zip(self.train, texts, strict=True)]
        return self._replace(train=train)


def moment_videos(training: LabelledSplit, validation: LabelledSplit | None) -> list[str]:
    """The gold videos of all moment turns, by id."""
    golds = [*training.gold, *(validation.gold if validation else ())]
    return sorted({str(gold.video_id) for gold in golds if gold.moment is not None})


def _questions(split: LabelledSplit, videos: VideoSource) -> list[MomentQuestion]:
    """The moment turns of a split whose video can be read, with spans of some length in it."""
    questions = []
    for turn, gold in zip(split.turns, split.gold, strict=True):
        video_id, moment = gold.video_id, gold.moment
        if turn.task == "moment" and moment and video_id is not None and video_id in videos:
            end = min(moment.end, videos.end(video_id))
            if moment.start < end:
                questions.append(MomentQuestion(turn.utterance, video_id, moment.start, end))
    return questions
