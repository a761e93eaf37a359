"""Several vectors a video against one of the text: the greatest cosine is the score.

Dilated convolutions over time, then learned queries attend to the steps, each of which gives one
vector: as in Lin et al., "A structured self-attentive sentence embedding", ICLR 2017, over frames.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from baselines.retrieval_training.encoder_pairs import FrameBatch

DILATIONS = (1, 2, 4)
DROPOUT = 0.1


class TwoTowerHead(nn.Module):
    """Cosines of texts and videos of `vectors` vectors each; all of width d."""

    def __init__(self, width: int, most: int, vectors: int) -> None:
        """most: the most frames of a video. vectors: of a video."""
        super().__init__()
        self.places = nn.Embedding(most, width)
        nn.init.normal_(self.places.weight, std=0.02)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
            for dilation in DILATIONS
        )
        self.queries = nn.Parameter(torch.randn(vectors, width) / math.sqrt(width))
        self.keys = nn.Linear(width, width)
        self.out = nn.Linear(width, width)
        self.text = nn.Linear(width, width)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, texts: Tensor, batch: FrameBatch) -> Tensor:
        """texts: (n, d); batch: frames of videos, (videos, most, d); returns (n, videos)."""
        cosines = torch.einsum("nd,vkd->nvk", self.texts(texts), self.videos(batch))
        return cosines.amax(-1)

    def texts(self, texts: Tensor) -> Tensor:
        """Unit vectors of texts, (n, d): shape (n, d)."""
        return nn.functional.normalize(texts + self.text(texts), dim=-1)

    def videos(self, batch: FrameBatch) -> Tensor:
        """Unit vectors of videos: shape (videos, vectors, d)."""
        mask = batch.mask[..., None]  # (videos, most, 1)
        scale = math.sqrt(batch.frames.shape[-1])
        steps = (scale * batch.frames + self.places.weight[: batch.frames.shape[1]]) * mask
        for layer in self.layers:
            inner = nn.functional.gelu(layer(steps.transpose(1, 2))).transpose(1, 2)
            steps = (steps + self.dropout(inner)) * mask
        logits = torch.einsum("kd,vfd->vkf", self.queries, self.keys(steps))
        weights = logits.masked_fill(batch.mask[:, None] == 0, -math.inf).softmax(-1)
        pooled = torch.einsum("vkf,vfd->vkd", weights, steps)
        return nn.functional.normalize(self.out(pooled), dim=-1)
