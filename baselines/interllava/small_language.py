"""The language model of a small InterLLaVA, and its pre-training on synthetic video tokens.

A published language model and published Q-Formers are pre-trained before they are combined. The
same is done here. The language model, with all its weights, is trained on the train split's
dialogues with synthetic video tokens. These express, in fixed random directions (video_marks.py),
whether a candidate is the gold one, or whether a frame is inside the moment, is its first or its
last.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from baselines.interllava.losses import IGNORE_INDEX, auxiliary_loss, lm_loss
from baselines.interllava.tokenizer import Tokenizer
from baselines.interllava.training import MAX_CANDIDATES, LossForm, TurnBatch
from baselines.training.fit import one_cycle

HIDDEN = 128  # of the language model
WAVE = 0.2  # amplitude of the wave in a time word's initial embedding
SLOWEST, FASTEST = 0.05, 3.0  # of the waves, radians a second
LANGUAGE_RATE, DECAY = 3e-3, 1e-2
PROMPT_WEIGHT = 0.3  # of the prompts' words, next to the answers' words
MARK_NOISE, TOKEN_NOISE = 0.2, 0.05  # of synthetic video tokens: in their marks, in all directions


def small_language_model(tokenizer: Tokenizer) -> LlamaForCausalLM:
    """A small Llama. A time word starts as a wave of its time, so near times are similar."""
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=HIDDEN,
            intermediate_size=2 * HIDDEN,
            num_hidden_layers=3,
            num_attention_heads=4,
            max_position_embeddings=1024,
            tie_word_embeddings=True,
            initializer_range=0.05,
            bos_token_id=None,
            eos_token_id=tokenizer.end,
            pad_token_id=tokenizer.end,
        )
    )
    times = tokenizer.number_tokens(0).digits
    embeddings: Any = model.get_input_embeddings()
    seconds = torch.tensor(list(times.values()))[:, None]
    rates = torch.exp(torch.linspace(np.log(FASTEST), np.log(SLOWEST), HIDDEN // 2))
    waves = torch.cat([(seconds * rates).sin(), (seconds * rates).cos()], dim=1)
    with torch.no_grad():
        embeddings.weight[list(times)] = WAVE * waves
    return model


class LanguageModule(pl.LightningModule):
    """Trains the language model on dialogues with synthetic video tokens."""

    def __init__(self, network: Any, tokenizer: Tokenizer, form: LossForm) -> None:
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
        tokens: Tensor = self.network.write_marks(marks + MARK_NOISE * torch.randn_like(marks))
        return tokens + TOKEN_NOISE * torch.randn_like(tokens)

    def configure_gradient_clipping(self, optimizer: Any, *_: Any, **__: Any) -> None:
        """Clip gradients to norm 1."""
        self.clip_gradients(optimizer, gradient_clip_val=1.0, gradient_clip_algorithm="norm")

    def configure_optimizers(self) -> Any:
        """AdamW with a one-cycle learning rate, for the language model alone."""
        return one_cycle(self, LANGUAGE_RATE, DECAY, self.network.net.language.parameters())
