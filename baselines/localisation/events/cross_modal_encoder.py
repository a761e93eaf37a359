"""The cross-modal encoder of tan2d and moment_detr: a query and a video's steps to states of steps.

A query's roles (baselines/event_models/query_encoder.py) are compared with each step and with the
segments around it (step_features.py). So a step is a small vector of similarities, which is the
same for any colour or shape. The pooled query modulates these vectors, and self-attention reads
them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from baselines.event_models.query_encoder import (
    WIDTH,
    EncodedQuery,
    QueryEncoder,
    RelativeAttentionLayer,
    TextBatch,
    sinusoidal_positions,
)
from baselines.localisation.events.step_features import KNOWN, StepBatch
from baselines.localisation.heads import STEPS

ROLES = 2
INPUTS = 4 * ROLES + KNOWN
# Folders trained by earlier versions hold weights by the names on the left.
RENAMED_WEIGHTS = {"reader.gist.": "encoder.modulation.", "reader.": "encoder."}


class GroundingBatch(NamedTuple):
    """Queries, their videos, and the gold moments as fractions of the videos: (n, 2)."""

    texts: TextBatch
    steps: StepBatch
    gold: Tensor


class CrossModalEncoder(nn.Module):
    """Encodes queries and videos as states of steps."""

    places: Tensor

    def __init__(self, inputs: int, values: int) -> None:
        """inputs: the number of different tokens; values: the number of all attributes' values."""
        super().__init__()
        self.text = QueryEncoder(inputs, values, ROLES)
        self.enter = nn.Linear(INPUTS, WIDTH)
        self.modulation = nn.Linear(WIDTH, 2 * WIDTH)
        self.register_buffer("places", sinusoidal_positions(STEPS), persistent=False)
        self.layers = nn.ModuleList(RelativeAttentionLayer(0.1) for _ in range(2))
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, texts: TextBatch, steps: StepBatch) -> tuple[Tensor, Tensor]:
        """States of the steps, (n, STEPS, WIDTH), and pooled queries, (n, WIDTH)."""
        query: EncodedQuery = self.text(texts)
        own = torch.einsum("nrv,ntv->ntr", query.roles, steps.shows)
        segments = torch.einsum("nrv,nsv->nsr", query.roles, steps.segments)
        owner = steps.owner.flatten(1)[..., None].expand(-1, -1, ROLES)
        around = segments.gather(1, owner).view(len(owner), STEPS, 3 * ROLES)
        state = self.enter(torch.cat([own, around, steps.known], dim=2))
        scale, shift = self.modulation(query.pooled)[:, None].chunk(2, dim=2)
        state = nn.functional.gelu(state * (1 + scale) + shift) + 0.3 * self.places
        mask = torch.ones(state.shape[:2], dtype=torch.int64, device=state.device)
        for layer in self.layers:
            state = layer(state, mask)
        return self.norm(state), query.pooled


class Grounder(nn.Module):
    """A cross-modal encoder and a localiser's head."""

    def __init__(self, inputs: int, values: int, head: nn.Module) -> None:
        """inputs: the number of different tokens; values: the number of all attributes' values."""
        super().__init__()
        self.encoder, self.head = CrossModalEncoder(inputs, values), head
        self.register_load_state_dict_pre_hook(_rename_weights)  # type: ignore[no-untyped-call]

    def loss(self, batch: GroundingBatch) -> Tensor:
        """The head's loss: a scalar."""
        state, pooled = self.encoder(batch.texts, batch.steps)
        return self.head.loss(state, pooled, batch.gold)  # type: ignore[operator,no-any-return]

    def spans(self, texts: TextBatch, steps: StepBatch) -> tuple[Tensor, Tensor]:
        """The head's spans as fractions (n, k, 2), and their scores (n, k)."""
        return self.head.spans(*self.encoder(texts, steps))  # type: ignore[operator,no-any-return]


def _rename_weights(_: nn.Module, weights: dict[str, Any], prefix: str, *__: Any) -> None:
    """Give the weights of an old folder their present names, wherever the grounder stands in it."""
    for old, new in RENAMED_WEIGHTS.items():
        for key in [key for key in weights if key.startswith(prefix + old)]:
            weights[prefix + new + key.removeprefix(prefix + old)] = weights.pop(key)
