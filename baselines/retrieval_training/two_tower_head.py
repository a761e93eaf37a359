"""Texts against videos by the greatest cosine: of several vectors a video, or word by word.

Dilated convolutions over time read the frames. In TwoTowerHead learned queries attend to the steps,
each of which gives one vector, as in Lin et al., "A structured self-attentive sentence embedding",
ICLR 2017, over frames. In WordStepHead every word has the step that is nearest to it, and the
cosines of all words are added: the late interaction of Khattab and Zaharia, SIGIR 2020, over steps.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from baselines.retrieval_training.encoder_pairs import FrameBatch

DILATIONS = (1, 2, 4)
DROPOUT = 0.1


class StepNetwork(nn.Module):
    """Frames to steps that know their neighbours, all of width d."""

    def __init__(self, width: int, most: int) -> None:
        """most: the most frames of a video."""
        super().__init__()
        self.places = nn.Embedding(most, width)
        nn.init.normal_(self.places.weight, std=0.02)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
            for dilation in DILATIONS
        )
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, batch: FrameBatch) -> Tensor:
        """Steps: (videos, most, d)."""
        mask = batch.mask[..., None]  # (videos, most, 1)
        scale = math.sqrt(batch.frames.shape[-1])
        steps = (scale * batch.frames + self.places.weight[: batch.frames.shape[1]]) * mask
        for layer in self.layers:
            inner = nn.functional.gelu(layer(steps.transpose(1, 2))).transpose(1, 2)
            steps = (steps + self.dropout(inner)) * mask
        return steps


class TwoTowerHead(nn.Module):
    """Cosines of texts and videos of `vectors` vectors each; all of width d."""

    def __init__(self, width: int, most: int, vectors: int) -> None:
        """most: the most frames of a video. vectors: of a video."""
        super().__init__()
        self.steps = StepNetwork(width, most)
        self.queries = nn.Parameter(torch.randn(vectors, width) / math.sqrt(width))
        self.keys = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.text = nn.Linear(width, width)

    def forward(self, texts: Tensor, batch: FrameBatch) -> Tensor:
        """texts: (n, d); batch: frames of videos, (videos, most, d); returns (n, videos)."""
        cosines = torch.einsum("nd,vkd->nvk", self.texts(texts), self.videos(batch))
        return cosines.amax(-1)

    def texts(self, texts: Tensor) -> Tensor:
        """Unit vectors of texts, (n, d): shape (n, d)."""
        return nn.functional.normalize(texts + self.text(texts), dim=-1)

    def videos(self, batch: FrameBatch) -> Tensor:
        """Unit vectors of videos: shape (videos, vectors, d)."""
        steps = self.steps(batch)
        logits = torch.einsum("kd,vfd->vkf", self.queries, self.keys(steps))
        weights = logits.masked_fill(batch.mask[:, None] == 0, -math.inf).softmax(-1)
        pooled = torch.einsum("vkf,vfd->vkd", weights, steps)
        return nn.functional.normalize(self.out(pooled), dim=-1)

    def rows(self, batch: FrameBatch) -> list[Tensor]:
        """For answering, of each video: (vectors, d)."""
        return list(self.videos(batch))


class WordStepHead(nn.Module):
    """Sums over words of the weighted cosine with the step that is nearest; all of width d."""

    def __init__(self, width: int, most: int) -> None:
        """most: the most frames of a video."""
        super().__init__()
        self.steps = StepNetwork(width, most)
        self.out = nn.Linear(width, width)

    def forward(self, texts: Tensor, batch: FrameBatch) -> Tensor:
        """texts: words (n, words, d), as long as they weigh; returns (n, videos)."""
        return word_scores(texts, self.videos(batch), batch.mask)

    def texts(self, texts: Tensor) -> Tensor:
        """The words as they are: shape (n, words, d)."""
        return texts

    def videos(self, batch: FrameBatch) -> Tensor:
        """Unit vectors of videos' steps: shape (videos, most, d)."""
        return nn.functional.normalize(self.out(self.steps(batch)), dim=-1)

    def rows(self, batch: FrameBatch) -> list[Tensor]:
        """For answering, of each video without padding: (steps, d)."""
        return [of[on > 0] for of, on in zip(self.videos(batch), batch.mask, strict=True)]


def word_scores(words: Tensor, steps: Tensor, mask: Tensor) -> Tensor:
    """For texts (n, words, d) and videos (videos, most, d) with their mask: (n, videos).

    A word of length 0, padding, adds nothing.
    """
    scores = []
    for text in words:  # by text: all pairs at once would be words x steps of every pair
        products = torch.einsum("kd,vtd->vkt", text, steps)
        nearest = products.masked_fill(mask[:, None] == 0, -math.inf).amax(2)
        scores.append(nearest.sum(1))
    return torch.stack(scores)
