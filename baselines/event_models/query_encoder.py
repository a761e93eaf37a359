"""What a question asks for, as numbers: a small transformer over tokens whose values are hidden.

The transformer sees of "the red ball" that a colour and a shape stand there, not which. Its gates
say how much each such token counts for each role (the first thing of a comparison, the second, a
thing of its own); what a role looks for is then the sum of the values that its tokens name. So a
rule learnt with red balls holds for green stars. Layers are pre-norm, with a learnt bias for each
distance between tokens (Shaw et al., NAACL 2018, https://arxiv.org/abs/1803.02155; here a scalar
a head, as in T5).
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
FARTHEST = 16  # tokens apart; beyond, all distances are one
TURNS = 8  # turns back that are told apart; the last number is a video that was shown
SHOWN = TURNS - 1
MOST_TOKENS = 96


class Text(NamedTuple):
    """Tokens of a dialogue so far: inputs, values (-1: none), how many turns back; (n,) each."""

    inputs: tuple[int, ...]
    values: tuple[int, ...]
    back: tuple[int, ...]


class Texts(NamedTuple):
    """A batch of texts, filled up with zeros: (n, tokens) each; mask: 1 where a token stands."""

    inputs: Tensor
    values: Tensor
    back: Tensor
    mask: Tensor


class Asked(NamedTuple):
    """What texts ask for: `roles` (n, roles, values), and `gist` (n, WIDTH) of the whole."""

    roles: Tensor
    gist: Tensor


def text(
    lexicon: Lexicon, parts: Sequence[tuple[str, str, int]], shown: Sequence[int] = ()
) -> Text:
    """The tokens of (utterance, language, turns back), and the values of the video shown last.

    Of more than MOST_TOKENS the last ones are kept.
    """
    inputs = [1 + lexicon.kinds[value] for value in shown]
    values, back = list(shown), [SHOWN] * len(shown)
    for utterance, language, turns in parts:
        read = lexicon.read(utterance, language)
        inputs += read.inputs
        values += read.values
        back += [min(turns, SHOWN - 1)] * len(read.inputs)
    cut = slice(-MOST_TOKENS, None)
    return Text(tuple(inputs[cut]), tuple(values[cut]), tuple(back[cut]))


def batch(texts: Sequence[Text]) -> Texts:
    """Texts side by side."""
    longest = max(1, *(len(each.inputs) for each in texts))
    filled = np.zeros((4, len(texts), longest), np.int64)
    filled[1] = -1
    for row, each in enumerate(texts):
        size = len(each.inputs)
        filled[0, row, :size], filled[1, row, :size], filled[2, row, :size] = each
        filled[3, row, :size] = 1
    return Texts(*map(torch.from_numpy, filled))


class TextNet(nn.Module):
    """Texts to what they ask for."""

    places: Tensor

    def __init__(self, inputs: int, values: int, roles: int, *, dropout: float = 0.1) -> None:
        """inputs: different tokens; values: of all attributes together; roles: things asked for."""
        super().__init__()
        self.tokens = nn.Embedding(inputs, WIDTH)
        self.turns = nn.Embedding(TURNS, WIDTH)
        self.register_buffer("places", sinusoids(MOST_TOKENS), persistent=False)
        self.layers = nn.ModuleList(Layer(dropout) for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        self.gates = nn.Linear(WIDTH, roles)
        self.meaning = nn.Parameter(torch.eye(values))
        self.dropout = nn.Dropout(dropout)

    def forward(self, texts: Texts) -> Asked:
        """Asked for, by text."""
        state = self.states(texts)
        here = texts.mask[..., None].float()
        named = nn.functional.one_hot(texts.values.clamp(min=0), len(self.meaning)).float()
        named = (named * (texts.values >= 0)[..., None]) @ self.meaning  # (n, tokens, values)
        gates = nn.functional.softplus(self.gates(state)) * here  # (n, tokens, roles)
        now = here * (texts.back == 0)[..., None]  # earlier turns have been attended to
        gist = (state * now).sum(1) / now.sum(1).clamp(min=1)
        return Asked(gates.transpose(1, 2) @ named, gist)

    def states(self, texts: Texts) -> Tensor:
        """One vector a token: (n, tokens, WIDTH)."""
        state = self.tokens(texts.inputs) + self.turns(texts.back)
        state = self.dropout(state + 0.3 * self.places[: state.shape[1]])
        for layer in self.layers:
            state = layer(state, texts.mask)
        return self.norm(state)  # type: ignore[no-any-return]


class Layer(nn.Module):
    """Attention with a bias for each distance, and a feed-forward network, both pre-norm."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(2))
        self.enter, self.leave = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.distance = nn.Parameter(torch.zeros(HEADS, 2 * FARTHEST + 1))
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
        apart = (place[None] - place[:, None]).clamp(-FARTHEST, FARTHEST) + FARTHEST
        bias = self.distance[:, apart][None] + torch.where(mask == 0, -1e4, 0.0)[:, None, None]
        weights = (query @ key.transpose(2, 3) / math.sqrt(query.shape[-1]) + bias).softmax(-1)
        read = (weights @ value).transpose(1, 2).reshape(size, tokens, WIDTH)
        state = state + self.dropout(self.leave(read))
        fed: Tensor = self.feed(self.norms[1](state))
        return state + self.dropout(fed)  # type: ignore[no-any-return]


def sinusoids(count: int) -> Tensor:
    """Positions as sines and cosines (Vaswani et al., 2017): (count, WIDTH)."""
    rates = torch.exp(torch.arange(0, WIDTH, 2) * (-math.log(1000.0) / WIDTH))
    angles = torch.arange(count)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)
