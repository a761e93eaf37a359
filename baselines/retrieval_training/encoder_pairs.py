"""Text and frame embeddings for training: read from what is kept, or computed with gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from baselines.dialogue_context import Weighted
from baselines.encoders.image_text import ClipModel
from baselines.ranking import blended, remembered
from baselines.video.feature_cache import Rows
from baselines.video.features import Features

Readings = tuple[Weighted, ...]


class Clips(NamedTuple):
    """Frames of several videos, filled up to one length; mask: 1 where there is a frame."""

    frames: Tensor  # (videos, most, ...)
    mask: Tensor  # (videos, most), float


class Towers(Protocol):
    """Embeds texts and videos' frames, each to length 1."""

    def texts(self, readings: Sequence[Readings]) -> Tensor:
        """Weighted sums of the readings' embeddings, of length 1: shape (n, d)."""

    def clips(self, video_ids: Sequence[str]) -> Clips:
        """Frame embeddings: shape (n, most, d)."""


class Frozen:
    """Embeddings as the checkpoint gives them: frames from the cache, texts remembered."""

    def __init__(self, clip: ClipModel, features: Features, most: int) -> None:
        """`features` are the checkpoint's own, at most `most` frames of a video."""
        self._features, self._most = features, most
        self._embed = remembered(lambda text: clip.texts([text])[0])

    def texts(self, readings: Sequence[Readings]) -> Tensor:
        """Without gradients, on the CPU."""
        return torch.from_numpy(np.stack([blended(self._embed, each) for each in readings]))

    def clips(self, video_ids: Sequence[str]) -> Clips:
        """Without gradients, on the CPU."""
        return filled([self._features[video_id] for video_id in video_ids], self._most)


class Tuned(nn.Module):
    """Embeddings with gradients for all weights of the checkpoint; frames are pixels."""

    def __init__(self, clip: ClipModel, pixels: Features, most: int) -> None:
        """`pixels` are frames as `clip.sampler` takes them, at most `most` of a video."""
        super().__init__()
        self.network = clip.network
        for name, weight in self.network.named_parameters():
            # Cosines are scaled by whoever compares them; these have no part in the loss.
            weight.requires_grad_(name not in ("logit_scale", "logit_bias"))
        self._clip, self._pixels, self._most = clip, pixels, most

    def texts(self, readings: Sequence[Readings]) -> Tensor:
        """One text at a time, so that no text is padded to another's length."""
        sums = [sum(self._clip.text(text) * weight for text, weight in each) for each in readings]
        return nn.functional.normalize(torch.cat([torch.as_tensor(each) for each in sums]), dim=-1)

    def clips(self, video_ids: Sequence[str]) -> Clips:
        """All frames of the batch at once; none is embedded where there is no frame."""
        pixels, mask = filled([self._pixels[video_id] for video_id in video_ids], self._most)
        mask = mask.to(self._clip.device)
        found = self._clip.images(pixels[mask.cpu() > 0])  # (frames, d)
        frames = found.new_zeros(*mask.shape, found.shape[-1])
        return Clips(frames.masked_scatter(mask[..., None] > 0, found), mask)


def filled(videos: Sequence[Rows], most: int) -> Clips:
    """Rows of several videos, (frames, ...), as one array with zeros to the length `most`."""
    frames = np.zeros((len(videos), most, *videos[0].shape[1:]), videos[0].dtype)
    mask = np.zeros((len(videos), most), np.float32)
    for at, rows in enumerate(videos):
        frames[at, : len(rows)] = rows
        mask[at, : len(rows)] = 1
    return Clips(torch.from_numpy(frames), torch.from_numpy(mask))
