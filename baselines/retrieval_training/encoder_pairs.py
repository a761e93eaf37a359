"""Text and frame embeddings for training: cached ones, or computed with gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from baselines.dialogue_context import Weighted
from baselines.encoders.image_text import ClipModel
from baselines.ranking import cache_texts, weighted_embedding
from baselines.video.feature_cache import Rows
from baselines.video.features import Features

Readings = tuple[Weighted, ...]


class FrameBatch(NamedTuple):
    """Frames of several videos, padded to one length; mask: 1 where there is a frame."""

    frames: Tensor  # (videos, most, ...)
    mask: Tensor  # (videos, most), float


class EncoderPair(Protocol):
    """A text encoder and a frame encoder; embeddings have length 1, but for those of words."""

    def texts(self, readings: Sequence[Readings]) -> Tensor:
        """Weighted sums of the readings' embeddings, of length 1: shape (n, d).

        Or all words of the readings, padded with zeros: shape (n, words, d).
        """

    def frames(self, video_ids: Sequence[str]) -> FrameBatch:
        """Frame embeddings: shape (n, most, d)."""


class CachedEncoder:
    """Embeddings of the unchanged checkpoint: frames from the feature cache, texts in memory."""

    def __init__(self, clip: ClipModel, features: Features, most: int) -> None:
        """features: frame embeddings of `clip`, at most `most` frames of a video."""
        self._features, self._most = features, most
        self._embed = cache_texts(lambda text: clip.texts([text])[0])

    def texts(self, readings: Sequence[Readings]) -> Tensor:
        """Without gradients, on the CPU: shape (n, d)."""
        return torch.from_numpy(
            np.stack([weighted_embedding(self._embed, each) for each in readings])
        )

    def frames(self, video_ids: Sequence[str]) -> FrameBatch:
        """Without gradients, on the CPU: shape (n, most, d)."""
        return pad_frames([self._features[video_id] for video_id in video_ids], self._most)


class TrainableEncoder(nn.Module):
    """Embeddings with gradients for all weights of the checkpoint; frames are pixels."""

    def __init__(self, clip: ClipModel, pixels: Features, most: int) -> None:
        """pixels: frames that `clip.sampler` samples, at most `most` of a video."""
        super().__init__()
        self.network = clip.network
        for name, weight in self.network.named_parameters():
            # The loss scales the cosines itself; these two weights have no part in it.
            weight.requires_grad_(name not in ("logit_scale", "logit_bias"))
        self._clip, self._pixels, self._most = clip, pixels, most

    def texts(self, readings: Sequence[Readings]) -> Tensor:
        """Shape (n, d); each text once, in padded batches: answers embed texts one by one."""
        texts = list(dict.fromkeys(text for each in readings for text, _ in each))
        return weighted_rows(readings, texts, self._clip.text_batch(texts))

    def frames(self, video_ids: Sequence[str]) -> FrameBatch:
        """Shape (n, most, d); all frames of the batch at once, padding is not embedded."""
        pixels, mask = pad_frames([self._pixels[video_id] for video_id in video_ids], self._most)
        mask = mask.to(self._clip.device)
        embedded = self._clip.images(pixels[mask.cpu() > 0])  # (frames, d)
        frames = embedded.new_zeros(*mask.shape, embedded.shape[-1])
        return FrameBatch(frames.masked_scatter(mask[..., None] > 0, embedded), mask)


def weighted_rows(readings: Sequence[Readings], texts: Sequence[str], rows: Tensor) -> Tensor:
    """Sums of the readings' rows, weighted, of length 1: (n, d); rows: of `texts`, (texts, d)."""
    place = {text: at for at, text in enumerate(texts)}
    weights = torch.zeros(len(readings), len(texts), dtype=rows.dtype)
    for at, each in enumerate(readings):
        for text, weight in each:
            weights[at, place[text]] += weight
    return nn.functional.normalize(weights.to(rows.device) @ rows, dim=-1)


def pad_frames(videos: Sequence[Rows], most: int) -> FrameBatch:
    """Rows of several videos, each (frames, ...), padded with zeros to (videos, most, ...)."""
    frames = np.zeros((len(videos), most, *videos[0].shape[1:]), videos[0].dtype)
    mask = np.zeros((len(videos), most), np.float32)
    for at, rows in enumerate(videos):
        frames[at, : len(rows)] = rows
        mask[at, : len(rows)] = 1
    return FrameBatch(torch.from_numpy(frames), torch.from_numpy(mask))
