"""The query encoder: a small transformer over tokens from which the named values are hidden.

Of "the red ball" the transformer sees that a colour and a shape stand there, not which. Its gates
weight each such token for each role (the first event of a comparison, the second, a separate one).
The vector of a role is the weighted sum of the values that its tokens name. So a rule that is
trained on red balls holds for green stars. Layers are pre-norm, with a trained bias for each
distance between tokens (Shaw et al., NAACL 2018, https://arxiv.org/abs/1803.02155; here one scalar
per head, as in T5).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from baselines.event_models.lexicon import Lexicon

WIDTH, HEADS, LAYERS = 64, 4, 2
MAX_DISTANCE = 16  # between tokens; all greater distances share one bias
TURNS = 8  # different numbers of turns back; the last one marks a video shown before
SHOWN_VIDEO = TURNS - 1
MAX_TOKENS = 96


class TokenizedText(NamedTuple):
    """Tokens of a dialogue so far, (n,) each: inputs, values (-1: none), turns back."""

    inputs: tuple[int, ...]
    values: tuple[int, ...]
    back: tuple[int, ...]


class TextBatch(NamedTuple):
    """A batch of texts, padded with zeros: (n, tokens) each; mask: 1 where a token stands."""

    inputs: Tensor
    values: Tensor
    back: Tensor
    mask: Tensor


class EncodedQuery(NamedTuple):
    """A batch of encoded queries: `roles` (n, roles, values), and `pooled` (n, WIDTH)."""

    roles: Tensor
    pooled: Tensor


def tokenize_turns(
    lexicon: Lexicon, turns: Sequence[tuple[str, str, int]], video_values: Sequence[int] = ()
) -> TokenizedText:
    """Tokenize turns, each (utterance, language, turns back), into one text.

    It begins with `video_values`, the values of the video that was shown last. Of a longer text the
    last MAX_TOKENS tokens remain.
    """
    inputs = [1 + lexicon.kinds[value] for value in video_values]
    values, back = list(video_values), [SHOWN_VIDEO] * len(video_values)
    for utterance, language, distance in turns:
        tokens = lexicon.tokenize(utterance, language)
        inputs += tokens.inputs
        values += tokens.values
        back += [min(distance, SHOWN_VIDEO - 1)] * len(tokens.inputs)
    cut = slice(-MAX_TOKENS, None)
    return TokenizedText(tuple(inputs[cut]), tuple(values[cut]), tuple(back[cut]))


def collate_texts(texts: Sequence[TokenizedText]) -> TextBatch:
    """Pad texts to one length."""
    longest = max(1, *(len(each.inputs) for each in texts))
    padded = np.zeros((4, len(texts), longest), np.int64)
    padded[1] = -1
    for row, each in enumerate(texts):
        size = len(each.inputs)
        padded[0, row, :size], padded[1, row, :size], padded[2, row, :size] = each
        padded[3, row, :size] = 1
    return TextBatch(*map(torch.from_numpy, padded))


class QueryEncoder(nn.Module):
    """Encodes texts as role vectors and one pooled vector."""

    places: Tensor

    def __init__(self, inputs: int, values: int, roles: int, *, dropout: float = 0.1) -> None:
        """inputs: the number of different tokens; values: the number of all attributes' values."""
        super().__init__()
        self.tokens = nn.Embedding(inputs, WIDTH)
        self.turns = nn.Embedding(TURNS, WIDTH)
        self.register_buffer("places", sinusoidal_positions(MAX_TOKENS), persistent=False)
        self.layers = nn.ModuleList(RelativeAttentionLayer(dropout) for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        self.gates = nn.Linear(WIDTH, roles)
        self.meaning = nn.Parameter(torch.eye(values))
        self.dropout = nn.Dropout(dropout)

    def forward(self, texts: TextBatch) -> EncodedQuery:
        """Encode each text; `pooled` is the mean over the current turn's tokens."""
        state = self.states(texts)
        mask = texts.mask[..., None].float()
        named = nn.functional.one_hot(texts.values.clamp(min=0), len(self.meaning)).float()
        named = (named * (texts.values >= 0)[..., None]) @ self.meaning  # (n, tokens, values)
        gates = nn.functional.softplus(self.gates(state)) * mask  # (n, tokens, roles)
        current = mask * (texts.back == 0)[..., None]  # attention has read the earlier turns
        pooled = (state * current).sum(1) / current.sum(1).clamp(min=1)
        return EncodedQuery(gates.transpose(1, 2) @ named, pooled)

    def states(self, texts: TextBatch) -> Tensor:
        """One vector per token: (n, tokens, WIDTH)."""
        state = self.tokens(texts.inputs) + self.turns(texts.back)
        state = self.dropout(state + 0.3 * self.places[: state.shape[1]])
        for layer in self.layers:
            state = layer(state, texts.mask)
        return self.norm(state)  # type: ignore[no-any-return]


class RelativeAttentionLayer(nn.Module):
    """Attention with a bias for each distance, and a feed-forward network, both pre-norm."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(2))
        self.enter, self.leave = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.distance = nn.Parameter(torch.zeros(HEADS, 2 * MAX_DISTANCE + 1))
        self.feed = nn.Sequential(
            nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, state: Tensor, mask: Tensor) -> Tensor:
        """States (n, tokens, WIDTH) to states; mask (n, tokens): 1 where a token stands."""
        size, tokens, _ = state.shape
        heads = self.enter(self.norms[0](state)).view(size, tokens, 3, HEADS, -1)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        place = torch.arange(tokens, device=state.device)
        distance = (place[None] - place[:, None]).clamp(-MAX_DISTANCE, MAX_DISTANCE) + MAX_DISTANCE
        bias = self.distance[:, distance][None] + torch.where(mask == 0, -1e4, 0.0)[:, None, None]
        weights = (query @ key.transpose(2, 3) / math.sqrt(query.shape[-1]) + bias).softmax(-1)
        attended = (weights @ value).transpose(1, 2).reshape(size, tokens, WIDTH)
        state = state + self.dropout(self.leave(attended))
        fed: Tensor = self.feed(self.norms[1](state))
        return state + self.dropout(fed)  # type: ignore[no-any-return]


def sinusoidal_positions(count: int) -> Tensor:
    """Positions as sines and cosines (Vaswani et al., 2017): (count, WIDTH)."""
    rates = torch.exp(torch.arange(0, WIDTH, 2) * (-math.log(1000.0) / WIDTH))
    angles = torch.arange(count)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)
