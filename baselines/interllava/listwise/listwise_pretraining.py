"""Trains the two halves of the network apart: what reads the frames, and the language model.

The reader is trained to express marks (video_marks.py, a room above) in its video tokens, and by
the localisers' losses of the same spans. The language model is trained on tokens that are made of
the gold marks and noise. The noise of a candidate is the same in all of its tokens, as when the
reader errs, and great in some questions: there the first stage's order is worth reading too.
"""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from baselines.interllava.listwise.listwise_network import (
    CANDIDATE_TOKENS,
    FrameInputs,
    ListwiseNetwork,
)
from baselines.interllava.small_language import DECAY, LANGUAGE_RATE, LanguageModule
from baselines.interllava.training import TurnBatch
from baselines.interllava.video_marks import GOLD, choice_loss, moment_loss
from baselines.localisation.span_localiser import (
    ASKED,
    INSIDE,
    SPANS,
    inside_steps,
    span_loss,
    step_loss,
)
from baselines.training.fit import one_cycle

READER_RATE = 2e-3
MSE_WEIGHT = 0.1  # of the squared error of what tokens express
CHOICE_NOISE = 0.6  # of a candidate's marks in synthetic tokens, at most


class ReaderModule(pl.LightningModule):
    """Trains all that makes video tokens."""

    def __init__(self, network: ListwiseNetwork) -> None:
        super().__init__()
        self.network = network

    def training_step(self, batch: TurnBatch, _: int) -> Tensor:
        """The losses of the marks and of matches, or the localisers' ones: a scalar."""
        if batch.task == "video":
            return self._choice(batch.visual)
        frames, visual = self.network.frames, batch.visual
        steps, read, roles = frames.read(visual)
        values = self.network.read_marks(frames.of_steps(steps, read).flatten(0, 1))
        loss = MSE_WEIGHT * nn.functional.mse_loss(values, visual.marks)
        inside = inside_steps(visual.spans)
        entropy = nn.functional.binary_cross_entropy_with_logits(read.inside, inside)
        compared, role = frames.reader.compared(steps), roles[:, ASKED]
        contrast = step_loss(compared, role, inside)
        contrast = contrast + span_loss(compared, role, inside, visual.names)
        return loss + moment_loss(values, visual.marks) + INSIDE * entropy + SPANS * contrast

    def _choice(self, visual: FrameInputs) -> Tensor:
        """Candidates against each other, and against all videos of the batch."""
        frames = self.network.frames
        searched = frames.search(visual)
        values = self.network.read_marks(frames.of_candidates(searched).flatten(0, 1))
        assert visual.marks is not None  # noqa: S101 - training batches have them
        assert visual.names is not None  # noqa: S101
        loss = MSE_WEIGHT * nn.functional.mse_loss(values, visual.marks)
        loss = loss + choice_loss(values, visual.marks, visual.counts)
        gold = visual.marks[::CANDIDATE_TOKENS, GOLD].nonzero().flatten()
        same = visual.names[gold][:, None] == visual.names[None]
        same[torch.arange(len(gold)), gold] = False
        matches = frames.matches(searched).masked_fill(same, -1e4)
        return loss + nn.functional.cross_entropy(matches, gold)

    def configure_gradient_clipping(self, optimizer: Any, *_: Any, **__: Any) -> None:
        """Clip gradients to norm 1."""
        self.clip_gradients(optimizer, gradient_clip_val=1.0, gradient_clip_algorithm="norm")

    def configure_optimizers(self) -> Any:
        """AdamW with a one-cycle learning rate, for all but the language model."""
        return one_cycle(self, READER_RATE, DECAY, self.network.frames.parameters())


class RankedLanguageModule(LanguageModule):
    """Trains the language model on synthetic video tokens, and the tokens of ranks with it."""

    def _synthetic_tokens(self, batch: TurnBatch) -> Tensor | None:
        visual = batch.visual
        if batch.task == "video":
            level = CHOICE_NOISE * torch.rand(len(visual.counts), 1, device=visual.rows.device)
            noise = level[visual.owner] * torch.randn_like(visual.marks[::CANDIDATE_TOKENS])
            marks = visual.marks + noise.repeat_interleave(CANDIDATE_TOKENS, 0)
            batch = batch._replace(visual=visual._replace(marks=marks))
        tokens = super()._synthetic_tokens(batch)
        if tokens is None:
            return None
        each = tokens.reshape(len(visual.rows), -1, tokens.shape[1])
        ranked: Tensor = self.network.with_ranks(each, batch)
        return ranked

    def configure_optimizers(self) -> Any:
        """AdamW with a one-cycle learning rate, for the language model and the tokens of ranks."""
        weights = [*self.network.net.language.parameters()]
        if self.network.ranks is not None:
            weights += self.network.ranks.parameters()
        return one_cycle(self, LANGUAGE_RATE, DECAY, weights)
