"""Training batches of a localiser: videos, all questions about each, and one description of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from baselines.localisation.moment_data import MomentData, MomentQuestion, VideoDescription
from baselines.localisation.span_localiser import MomentBatch
from baselines.networks.text_network import collate_tokens

BATCH = 16  # videos
WITHOUT_QUESTION = 4  # every fourth video of a batch is one without a question, if there are any
MOST = 4  # questions about a video that a batch takes
V = TypeVar("V")


class VideoSample(NamedTuple):
    """A video as one batch shows it, (steps, ...), with its questions and a description.

    gold: of the questions, fractions of the video: (questions, 2).
    """

    shown: NDArray[Any]
    questions: list[NDArray[Any]]
    gold: NDArray[np.float32]
    description: NDArray[Any] | None


class MomentSampler:
    """Draws batches of videos."""

    def __init__(self, data: MomentData, size: int = BATCH) -> None:
        """size: videos per batch."""
        self._data, self._size = data, size
        self._questions: dict[str, list[MomentQuestion]] = {}
        for question in data.train:
            self._questions.setdefault(question.video_id, []).append(question)
        self._descriptions: dict[str, list[VideoDescription]] = {}
        for description in data.descriptions:
            self._descriptions.setdefault(description.video_id, []).append(description)
        self._asked = sorted(self._questions)
        self._others = sorted(self._descriptions.keys() - self._questions.keys())

    def __call__(self, step: int, generator: np.random.Generator) -> list[VideoSample]:
        """A batch; it depends on `generator` alone."""
        others = self._size // WITHOUT_QUESTION if self._others else 0
        asked = iter(_repeated(self._asked, self._size - others, generator))
        rest = iter(_repeated(self._others, others, generator))
        last = WITHOUT_QUESTION - 1
        names = [
            next(rest if others and at % WITHOUT_QUESTION == last else asked)
            for at in range(self._size)
        ]
        return [self.sample(name, generator) for name in names]

    def sample(self, video_id: str, generator: np.random.Generator) -> VideoSample:
        """A video with at most MOST of its questions, and with one of its descriptions."""
        videos, encode = self._data.videos, self._data.encode
        questions = _some(self._questions.get(video_id, []), MOST, generator)
        described = _some(self._descriptions.get(video_id, []), 1, generator)
        spans = np.array([[each.start, each.end] for each in questions], np.float64).reshape(-1, 2)
        return VideoSample(
            videos.draw(video_id, generator),
            [encode(each.text) for each in questions],
            (spans / videos.end(video_id)).astype(np.float32),
            encode(described[0].text) if described else None,
        )


def collate_videos(samples: Sequence[VideoSample]) -> MomentBatch:
    """One batch: questions by video first, then descriptions by video."""
    texts, owner = [], []
    for row, each in enumerate(samples):
        texts += each.questions
        owner += [row] * len(each.questions)
    for row, each in enumerate(samples):
        if each.description is not None:
            texts.append(each.description)
            owner.append(row)
    tokens = collate_tokens(texts)
    return MomentBatch(
        torch.from_numpy(np.stack([each.shown for each in samples])),
        tokens.tokens,
        tokens.mask,
        torch.tensor(owner),
        torch.from_numpy(np.concatenate([each.gold for each in samples])),
    )


def _some(values: Sequence[V], most: int, generator: np.random.Generator) -> list[V]:
    """At most so many of the values, in random order."""
    return [values[at] for at in generator.permutation(len(values))[:most]]


def _repeated(names: Sequence[str], count: int, generator: np.random.Generator) -> list[str]:
    """So many names in random order; again from the first on if there are fewer."""
    places = np.resize(generator.permutation(len(names)), count).tolist()
    return [names[at] for at in places]
