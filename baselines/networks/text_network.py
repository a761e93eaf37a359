"""A text network trained from scratch: embeddings of tokens, then a GRU in both directions.

Tokens are a vocabulary's (vocabulary.py) or come as embeddings from another text encoder; then one
linear layer stands in the place of the embeddings. Cho et al., EMNLP 2014,
https://arxiv.org/abs/1406.1078.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

WIDTH = 64  # of the states and of the pooled vector
EMBEDDING = 96
DROPOUT = 0.2
DROPPED = 0.05  # share of tokens that training hides


class PaddedTokens(NamedTuple):
    """Texts, padded to one number of tokens.

    tokens: numbers of pieces, (n, tokens, pieces), or others' embeddings, (n, tokens, width). mask:
    1 where a token stands, (n, tokens).
    """

    tokens: Tensor
    mask: Tensor


class EncodedTexts(NamedTuple):
    """A batch of texts.

    words: vectors that know nothing of the other tokens (if the tokens are a vocabulary's), (n,
    tokens, EMBEDDING). states: vectors that do, (n, tokens, WIDTH). pooled: their maximum, (n,
    WIDTH). mask: as in PaddedTokens.
    """

    words: Tensor
    states: Tensor
    pooled: Tensor
    mask: Tensor

    def take(self, rows: slice) -> EncodedTexts:
        """Some of the texts."""
        return EncodedTexts(*(part[rows] for part in self))


def collate_tokens(texts: Sequence[NDArray[Any]]) -> PaddedTokens:
    """Pad texts, (tokens, k) each, to one number of tokens."""
    longest, width = max(map(len, texts)), texts[0].shape[1]
    padded = np.zeros((len(texts), longest, width), texts[0].dtype)
    mask = np.zeros((len(texts), longest), np.float32)
    for row, text in enumerate(texts):
        padded[row, : len(text)] = text
        mask[row, : len(text)] = 1
    return PaddedTokens(torch.from_numpy(padded), torch.from_numpy(mask))


class TextNetwork(nn.Module):
    """Encodes texts as vectors of their tokens and one pooled vector."""

    def __init__(self, *, pieces: int = 0, width: int = 0) -> None:
        """pieces: the size of the vocabulary; or width: of others' token embeddings."""
        super().__init__()
        if bool(pieces) == bool(width):
            raise ValueError(f"expected pieces or width, got {pieces} and {width}")
        self.embedding: nn.Module = (
            PieceEmbedding(pieces)
            if pieces
            else nn.Sequential(nn.LayerNorm(width), nn.Linear(width, EMBEDDING))
        )
        self.gru = nn.GRU(EMBEDDING, WIDTH // 2, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, texts: PaddedTokens) -> EncodedTexts:
        """Encode each text by itself: padding changes nothing."""
        words = self.embedding(texts.tokens) * texts.mask[..., None]
        if self.training:
            words = words * (torch.rand_like(texts.mask) >= DROPPED)[..., None]
        packed = nn.utils.rnn.pack_padded_sequence(
            self.dropout(words),
            texts.mask.sum(1).long().cpu(),
            batch_first=True,
            enforce_sorted=False,
        )
        states, _ = nn.utils.rnn.pad_packed_sequence(
            self.gru(packed)[0], batch_first=True, total_length=words.shape[1]
        )
        pooled = states.masked_fill(texts.mask[..., None] == 0, -torch.inf).amax(1)
        return EncodedTexts(words, states, pooled, texts.mask)


class PieceEmbedding(nn.Module):
    """The sum of a token's pieces, divided by the square root of their number."""

    def __init__(self, pieces: int) -> None:
        """pieces: the size of the vocabulary."""
        super().__init__()
        self.pieces = nn.Embedding(pieces, EMBEDDING, padding_idx=0)

    def forward(self, numbers: Tensor) -> Tensor:
        """Vectors (n, tokens, EMBEDDING) of numbers (n, tokens, pieces); 0 is no piece."""
        count = (numbers > 0).sum(2, keepdim=True).clamp(min=1)
        total: Tensor = self.pieces(numbers).sum(2)
        return total / count.sqrt()
