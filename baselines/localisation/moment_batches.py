"""Training batches of a localiser: videos, and questions about each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from baselines.localisation.moment_data import MomentData, MomentQuestion
from baselines.localisation.span_localiser import MomentBatch
from baselines.networks.text_network import collate_tokens

BATCH = 16  # videos
MOST = 4  # questions about a video that a batch takes


class VideoSample(NamedTuple):
    """A video as one batch shows it, (steps, ...), with its questions' tokens.

    gold: of the questions, fractions of the video: (questions, 2).
    """

    shown: NDArray[Any]
    questions: list[NDArray[Any]]
    gold: NDArray[np.float32]


class MomentSampler:
    """Draws batches of videos, each once in a batch if there are enough."""

    def __init__(self, data: MomentData, size: int = BATCH) -> None:
        """size: videos per batch."""
        self._data, self._size = data, size
        self._questions: dict[str, list[MomentQuestion]] = {}
        for question in data.train:
            self._questions.setdefault(question.video_id, []).append(question)
        self._names = sorted(self._questions)

    @property
    def videos(self) -> int:
        """How many videos there are questions about."""
        return len(self._names)

    def __call__(self, step: int, generator: np.random.Generator) -> list[VideoSample]:
        """A batch; it depends on `generator` alone."""
        places = np.resize(generator.permutation(len(self._names)), self._size).tolist()
        return [self.sample(self._names[at], generator) for at in places]

    def sample(self, video_id: str, generator: np.random.Generator) -> VideoSample:
        """A video with at most MOST of its questions."""
        videos, encode = self._data.videos, self._data.encode
        questions = self._questions[video_id]
        chosen = [questions[at] for at in generator.permutation(len(questions))[:MOST]]
        spans = np.array([[each.start, each.end] for each in chosen], np.float64)
        return VideoSample(
            videos.draw(video_id, generator),
            [encode(each.text) for each in chosen],
            (spans / videos.end(video_id)).astype(np.float32),
        )


def collate_videos(samples: Sequence[VideoSample]) -> MomentBatch:
    """One batch: questions in the order of their videos."""
    tokens = collate_tokens([text for each in samples for text in each.questions])
    counts = torch.tensor([len(each.questions) for each in samples])
    return MomentBatch(
        torch.from_numpy(np.stack([each.shown for each in samples])),
        tokens.tokens,
        tokens.mask,
        torch.arange(len(samples)).repeat_interleave(counts),
        torch.from_numpy(np.concatenate([each.gold for each in samples])),
    )
