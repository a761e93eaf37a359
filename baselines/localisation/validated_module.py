"""What the training of both readers shares: validation by the moments found, clipping, rates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor

from baselines.localisation.heads import to_spans
from baselines.localisation.proposals import nms
from baselines.training.fit import one_cycle
from baselines.training.metrics import MomentMetrics

RANKED = 5  # moments that validation counts


class ValidatedModule(pl.LightningModule):
    """A localiser in training. figures: by name the last validation's."""

    def __init__(self, rate: float, decay: float) -> None:
        """rate: the greatest learning rate; decay: of the weights."""
        super().__init__()
        self._rate, self._decay = rate, decay
        self._moments = MomentMetrics()
        self.figures: dict[str, float] = {}

    def count(self, fractions: Tensor, scores: Tensor, end: int, gold: tuple[int, int]) -> None:
        """Count one question's spans, (1, k, 2) and (1, k), of a video that ends at `end` ms.

        gold: its moment's start and end in ms.
        """
        spans = to_spans(fractions[0].cpu().numpy(), end)
        best = nms(spans, scores[0].cpu().numpy().astype(np.float64), most=RANKED)
        rows = np.zeros((1, RANKED, 2), np.int64)
        rows[0, : len(best)] = spans[best]
        right = torch.tensor([gold], device=self.device)
        self._moments.update(torch.from_numpy(rows).to(self.device), right)

    def on_validation_epoch_end(self) -> None:
        """Log the figures."""
        figures = self._moments.compute()
        self.log_dict({name: value.float() for name, value in figures.items()})
        self.figures = {name: round(float(value), 4) for name, value in figures.items()}
        self._moments.reset()

    def configure_gradient_clipping(self, optimizer: Any, *_: Any, **__: Any) -> None:
        """Gradients of length 1 at most: without it the first steps can be too long."""
        self.clip_gradients(optimizer, gradient_clip_val=1.0, gradient_clip_algorithm="norm")

    def configure_optimizers(self) -> Any:
        """AdamW with a one-cycle learning rate."""
        return one_cycle(self, self._rate, self._decay)
