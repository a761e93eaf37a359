"""Pre-trains tiny InterLLaVA's visual half (reader=events, IVCR-Mini only).

The language model is trained on synthetic video tokens first (small_language.py, a room above).
Then all layers from frames to video tokens are trained to express the same marks (video_marks.py).
"""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
from torch import Tensor, nn

from baselines.interllava.small_language import DECAY
from baselines.interllava.tiny.tiny_model import TinyNetwork
from baselines.interllava.training import TurnBatch
from baselines.interllava.video_marks import choice_loss, moment_loss
from baselines.training.fit import one_cycle

VISUAL_RATE = 3e-3
MSE_WEIGHT = 0.1  # of the squared error of what tokens express


class VideoTokenModule(pl.LightningModule):
    """Trains the layers from frames to video tokens."""

    def __init__(self, network: TinyNetwork) -> None:
        super().__init__()
        self.network = network

    def training_step(self, batch: TurnBatch, _: int) -> Tensor:
        """The losses of the gold candidate, or of the steps inside, first and last: a scalar.

        Raises ValueError if the batch has no videos.
        """
        tokens = self.network.encode_frames(batch)
        if tokens is None:
            raise ValueError("expected a batch with videos, found none; draw no chat turns")
        values, marks = self.network.read_marks(tokens), batch.visual.marks
        loss = MSE_WEIGHT * nn.functional.mse_loss(values, marks)
        if batch.task == "video":
            return loss + choice_loss(values, marks, batch.visual.counts)
        return loss + moment_loss(values, marks)

    def configure_optimizers(self) -> Any:
        """AdamW with a one-cycle learning rate, for all but the language model."""
        parts = (self.network.choosing, self.network.grounding, self.network.net.tokens)
        return one_cycle(self, VISUAL_RATE, DECAY, [w for part in parts for w in part.parameters()])
