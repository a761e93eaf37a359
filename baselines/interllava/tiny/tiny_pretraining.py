"""Pre-trains tiny InterLLaVA's two halves apart (IVCR-Mini only: needs annotated events).

A published language model and published Q-Formers are pre-trained before they are combined. The
same is done here. First the language model, with all its weights, is trained on the train split's
dialogues with synthetic video tokens. These express, in fixed random directions (`marks`), whether
a candidate is the gold one, or whether a frame is inside the moment, is its first or its last. Then
all layers from frames to video tokens are trained to express the same.
"""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from baselines.interllava.losses import IGNORE_INDEX, auxiliary_loss, lm_loss
from baselines.interllava.tiny.tiny_model import (
    FIRST,
    FRAMES,
    GOLD,
    INSIDE,
    LAST,
    MARKS,
    TOKEN_CONFIG,
    TinyNetwork,
)
from baselines.interllava.tokenizer import Tokenizer
from baselines.interllava.training import MAX_CANDIDATES, LossForm, TurnBatch
from baselines.localisation.heads import STEPS
from baselines.training.fit import one_cycle

LANGUAGE_RATE, VISUAL_RATE, DECAY = 3e-3, 3e-3, 1e-2
PROMPT_WEIGHT = 0.3  # of the prompts' words, next to the answers' words
MARK_NOISE, TOKEN_NOISE = 0.2, 0.05  # of synthetic video tokens: in their marks, in all directions
LOGIT_SCALE = 10.0  # from what tokens express to logits
MSE_WEIGHT = 0.1  # of the squared error of what tokens express


class LanguageModule(pl.LightningModule):
    """Trains the language model on dialogues with synthetic video tokens."""

    def __init__(self, network: TinyNetwork, tokenizer: Tokenizer, form: LossForm) -> None:
        """form: numbers and spans are trained here if it is `spelt`."""
        super().__init__()
        self.network, self._form = network, form
        self._numbers = tokenizer.number_tokens(MAX_CANDIDATES)
        self._placeholder = tokenizer.placeholder

    def training_step(self, batch: TurnBatch, _: int) -> Tensor:
        """The losses of answers, of prompts, of numbers and spans: a scalar."""
        tokens = batch.tokens
        logits = self.network.net(tokens, self._synthetic_tokens(batch))
        no_word = (tokens.mask == 0) | (tokens.ids == self._placeholder)
        all_words = tokens.ids.masked_fill(no_word, IGNORE_INDEX)
        loss = lm_loss(logits, tokens.labels)
        loss = loss + PROMPT_WEIGHT * lm_loss(logits, all_words)
        if self._form != "spelt":
            return loss
        return loss + auxiliary_loss(logits, batch.answers, self._numbers)

    def _synthetic_tokens(self, batch: TurnBatch) -> Tensor | None:
        """Video tokens made from the gold marks and noise: (video tokens, HIDDEN)."""
        if batch.visual is None:
            return None
        marks = batch.visual.marks
        tokens = self.network.write_marks(marks + MARK_NOISE * torch.randn_like(marks))
        return tokens + TOKEN_NOISE * torch.randn_like(tokens)

    def configure_gradient_clipping(self, optimizer: Any, *_: Any, **__: Any) -> None:
        """Clip gradients to norm 1."""
        self.clip_gradients(optimizer, gradient_clip_val=1.0, gradient_clip_algorithm="norm")

    def configure_optimizers(self) -> Any:
        """AdamW with a one-cycle learning rate, for the language model alone."""
        return one_cycle(self, LANGUAGE_RATE, DECAY, self.network.net.language.parameters())


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
            return loss + _choice_loss(values, batch)
        values, marks = (part.view(-1, STEPS, MARKS) for part in (values, marks))
        inside = LOGIT_SCALE * (values[..., INSIDE] - 0.5)
        loss = loss + nn.functional.binary_cross_entropy_with_logits(inside, marks[..., INSIDE])
        for mark in (FIRST, LAST):
            logits = LOGIT_SCALE * values[..., mark]
            loss = loss + nn.functional.cross_entropy(logits, marks[..., mark])
        return loss

    def configure_optimizers(self) -> Any:
        """AdamW with a one-cycle learning rate, for all but the language model."""
        parts = (self.network.choosing, self.network.grounding, self.network.net.tokens)
        return one_cycle(self, VISUAL_RATE, DECAY, [w for part in parts for w in part.parameters()])


def _choice_loss(values: Tensor, batch: TurnBatch) -> Tensor:
    """Cross entropy over each question's candidates, by the mean over a candidate's tokens."""
    tokens = TOKEN_CONFIG.token_count(FRAMES)
    scores = LOGIT_SCALE * values[:, GOLD].view(-1, tokens).mean(1)
    golds = batch.visual.marks[:, GOLD].view(-1, tokens)[:, 0]
    each = (torch.split(part, batch.visual.counts) for part in (scores, golds))
    parts = zip(*each, strict=True)
    return torch.stack([nn.functional.cross_entropy(part, gold) for part, gold in parts]).mean()
