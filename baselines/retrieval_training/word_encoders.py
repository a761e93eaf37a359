"""Texts as their words, for a head that looks for each word in a video by itself.

A word's vector is that of the word alone and of its state in the text. The text network weighs it;
its length is the weight, so that a sum over words is a weighted one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from baselines.dialogue_context import Weighted
from baselines.networks import text_network
from baselines.networks.text_network import EncodedTexts, collate_tokens
from baselines.ranking import Embed
from baselines.retrieval_training.encoder_pairs import Readings
from baselines.retrieval_training.feature_encoders import WIDTH, FeatureEncoders
from baselines.retrieval_training.text_reader import TextReader
from baselines.video.feature_cache import Rows


class WordEncoders(FeatureEncoders):
    """An EncoderPair whose texts are words, (words, WIDTH), each as long as it weighs."""

    def __init__(
        self, reader: TextReader, features: Mapping[str, Rows], frame_width: int, most: int
    ) -> None:
        """As FeatureEncoders."""
        super().__init__(reader, features, frame_width, most)
        self.word_map = nn.Linear(text_network.EMBEDDING, WIDTH)
        self.weight = nn.Linear(text_network.WIDTH, 1)

    def texts(self, readings: Sequence[Readings]) -> Tensor:
        """Shape (n, words, WIDTH): the words of all readings, padded with zeros."""
        texts = list(dict.fromkeys(text for each in readings for text, _ in each))
        batch = collate_tokens([self._reader.rows(text) for text in texts])
        encoded = self.network(type(batch)(*(part.to(self.device) for part in batch)))
        rows = self._words(encoded)
        counts = batch.mask.sum(1).long().tolist()
        of = {text: rows[at, : counts[at]] for at, text in enumerate(texts)}
        joined = [torch.cat([weight * of[text] for text, weight in each]) for each in readings]
        return nn.utils.rnn.pad_sequence(joined, batch_first=True)

    @torch.inference_mode()
    def embed(self, text: str) -> NDArray[np.float32]:
        """The words of one text, computed alone: shape (words, WIDTH)."""
        batch = collate_tokens([self._reader.rows(text)])
        encoded = self.network(type(batch)(*(part.to(self.device) for part in batch)))
        return np.asarray(self._words(encoded)[0].cpu().numpy(), np.float32)

    def _words(self, encoded: EncodedTexts) -> Tensor:
        """Words as long as they weigh, less in long texts: (n, tokens, WIDTH)."""
        words = self.word_map(encoded.words) + self.text_map(encoded.states)
        weights = nn.functional.softplus(self.weight(encoded.states))
        weights = weights * (encoded.mask / encoded.mask.sum(1, keepdim=True).sqrt())[..., None]
        return weights * nn.functional.normalize(words, dim=-1)


def weighted_words(embed: Embed, readings: Sequence[Weighted]) -> NDArray[np.float32]:
    """The words of all readings, each with its weight: shape (words, d)."""
    return np.concatenate([np.float32(weight) * embed(text) for text, weight in readings])
