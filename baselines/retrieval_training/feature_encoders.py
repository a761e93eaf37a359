"""Texts and frames of one width for training and for answers, over a set of features.

A text goes through a text network, trained from scratch, over own words or over the states of
another text model. A video's rows, features of whatever kind, are averaged over equal parts of its
time and mapped linearly. The features themselves are not trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from baselines.networks import text_network
from baselines.networks.text_network import collate_tokens
from baselines.retrieval_training.encoder_pairs import (
    FrameBatch,
    Readings,
    pad_frames,
    weighted_rows,
)
from baselines.retrieval_training.text_reader import TextReader
from baselines.video.feature_cache import Rows

WIDTH = 128  # of the space of texts and frames
CACHED_VIDEOS = 1 << 12
Embedding = NDArray[np.float32]


class FeatureEncoders(nn.Module):
    """An EncoderPair: unit vectors of texts and frames, all of width WIDTH, with gradients."""

    def __init__(
        self, reader: TextReader, features: Mapping[str, Rows], frame_width: int, most: int
    ) -> None:
        """features: by video id, (rows, frame_width). most: rows that are left of a video."""
        super().__init__()
        self.network = reader.network()
        self.text_map = nn.Linear(text_network.WIDTH, WIDTH)
        self.frame_map = nn.Sequential(nn.LayerNorm(frame_width), nn.Linear(frame_width, WIDTH))
        self._reader, self._most = reader, most
        self._rows = lru_cache(CACHED_VIDEOS)(lambda name: in_parts(features[name], most))

    @property
    def device(self) -> torch.device:
        """The device of its weights: training may have moved them."""
        return self.text_map.weight.device

    def texts(self, readings: Sequence[Readings]) -> Tensor:
        """Shape (n, WIDTH); each text once, in a padded batch."""
        texts = list(dict.fromkeys(text for each in readings for text, _ in each))
        batch = collate_tokens([self._reader.rows(text) for text in texts])
        encoded = self.network(type(batch)(*(part.to(self.device) for part in batch)))
        rows = nn.functional.normalize(self.text_map(encoded.pooled), dim=-1)  # (texts, WIDTH)
        return weighted_rows(readings, texts, rows)

    def frames(self, video_ids: Sequence[str]) -> FrameBatch:
        """Shape (n, most, WIDTH)."""
        padded = pad_frames([self._rows(video_id) for video_id in video_ids], self._most)
        frames, mask = (part.to(self.device) for part in padded)
        return FrameBatch(nn.functional.normalize(self.frame_map(frames), dim=-1), mask)

    @torch.inference_mode()
    def embed(self, text: str) -> Embedding:
        """The unit vector of one text, computed alone: shape (WIDTH,)."""
        batch = collate_tokens([self._reader.rows(text)])
        encoded = self.network(type(batch)(*(part.to(self.device) for part in batch)))
        row = nn.functional.normalize(self.text_map(encoded.pooled), dim=-1)[0]
        return np.asarray(row.cpu().numpy(), np.float32)


def in_parts(rows: Rows, most: int) -> NDArray[np.float32]:
    """Rows, (n, width), as means over `most` equal parts: (min(n, most), width)."""
    if len(rows) <= most:
        return np.asarray(rows, np.float32)
    edges = np.arange(most + 1) * len(rows) // most
    sums = np.add.reduceat(np.asarray(rows, np.float32), edges[:-1], axis=0)
    return np.asarray(sums / np.diff(edges)[:, None], np.float32)
