"""Questions and steps to states, and what a localiser makes of them."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from baselines.event_models.query_encoder import (
    WIDTH,
    Layer,
    TextNet,
    Texts,
    sinusoids,
)
from baselines.localisation.step_features import (
    KNOWN,
    STEPS,
    Scenes,
)

ROLES = 2


INPUTS = 4 * ROLES + KNOWN


class Batch(NamedTuple):
    """Questions, their videos, and the gold moments as fractions of the videos: (n, 2)."""

    texts: Texts
    scenes: Scenes
    gold: Tensor


class Reader(nn.Module):
    """Questions and videos to states of the steps, (n, STEPS, WIDTH), and gists, (n, WIDTH)."""

    places: Tensor

    def __init__(self, inputs: int, values: int) -> None:
        """inputs: different tokens of texts; values: of all attributes together."""
        super().__init__()
        self.text = TextNet(inputs, values, ROLES)
        self.enter = nn.Linear(INPUTS, WIDTH)
        self.gist = nn.Linear(WIDTH, 2 * WIDTH)
        self.register_buffer("places", sinusoids(STEPS), persistent=False)
        self.layers = nn.ModuleList(Layer(0.1) for _ in range(2))
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, texts: Texts, scenes: Scenes) -> tuple[Tensor, Tensor]:
        """States and gists."""
        asked = self.text(texts)
        here = torch.einsum("nrv,ntv->ntr", asked.roles, scenes.shows)
        there = torch.einsum("nrv,nsv->nsr", asked.roles, scenes.segments)
        owner = scenes.owner.flatten(1)[..., None].expand(-1, -1, ROLES)
        around = there.gather(1, owner).view(len(owner), STEPS, 3 * ROLES)
        state = self.enter(torch.cat([here, around, scenes.known], dim=2))
        scale, shift = self.gist(asked.gist)[:, None].chunk(2, dim=2)
        state = nn.functional.gelu(state * (1 + scale) + shift) + 0.3 * self.places
        mask = torch.ones(state.shape[:2], dtype=torch.int64, device=state.device)
        for layer in self.layers:
            state = layer(state, mask)
        return self.norm(state), asked.gist


class LocaliserHead(Protocol):
    """What a localiser makes of states and gists."""

    def loss(self, state: Tensor, gist: Tensor, gold: Tensor) -> Tensor:
        """What is to be made small; gold: (n, 2) fractions of the video."""

    def spans(self, state: Tensor, gist: Tensor) -> tuple[Tensor, Tensor]:
        """Spans as fractions (n, k, 2), and their scores (n, k), in any order."""


class Grounder(nn.Module):
    """A reader and a localiser's head."""

    def __init__(self, inputs: int, values: int, head: nn.Module) -> None:
        """inputs: different tokens of texts; values: of all attributes together."""
        super().__init__()
        self.reader, self.head = Reader(inputs, values), head

    def loss(self, batch: Batch) -> Tensor:
        """The head's loss."""
        state, gist = self.reader(batch.texts, batch.scenes)
        return self.head.loss(state, gist, batch.gold)  # type: ignore[operator,no-any-return]

    def spans(self, texts: Texts, scenes: Scenes) -> tuple[Tensor, Tensor]:
        """The head's spans."""
        return self.head.spans(*self.reader(texts, scenes))  # type: ignore[operator,no-any-return]
