"""The reader of a question and a video's steps, trained on gold spans alone.

A word has a vector that knows nothing of the other words. The text network, which knows all of
them, weights each word for each role; a role is the weighted sum of the words' vectors, and a
step's similarity to it a product. So what "red" looks like is trained in all questions with the
word, whatever else they say, and a question that training did not show is a sum of what it did. A
temporal convolutional network (Lea et al., CVPR 2017, https://arxiv.org/abs/1611.05267), which the
question modulates (Perez et al., AAAI 2018, https://arxiv.org/abs/1709.07871), reads the
similarities with little else of the steps. It finds what is first, longest or after something. Few
numbers with noise tell it what is asked: from all of a question's state it would know each training
question by heart.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from baselines.localisation.heads import STEPS, WIDTH
from baselines.networks.text_network import EMBEDDING, EncodedTexts

ROLES = 4
STEP_WIDTH = 128  # of a step's row
COMPARED = 96  # width in which words and steps are compared
OTHER = 4  # of a step, beside its similarities
CONDENSED, NOISE = 6, 0.2  # numbers that tell what is asked, and the noise that training adds
DILATIONS = (1, 2, 4, 8, 16, 1)
DROPOUT = 0.1
TEMPERATURE = 4.0  # of similarities


class ReadSteps(NamedTuple):
    """What is read: state (n, STEPS, WIDTH); inside: logits that a step is in the moment, (n,
    STEPS); question: what is asked, made of CONDENSED numbers, (n, WIDTH)."""

    state: Tensor
    inside: Tensor
    question: Tensor


class QuestionReader(nn.Module):
    """Steps and questions to states of steps."""

    places: Tensor

    def __init__(self, features: int = 0) -> None:
        """features: the width of rows of features (0: rows of the own frame network)."""
        super().__init__()
        self.enter_row: nn.Module = (
            nn.Sequential(nn.LayerNorm(features), nn.Linear(features, STEP_WIDTH), nn.ReLU())
            if features
            else nn.Identity()
        )
        self.around = nn.Conv1d(STEP_WIDTH, STEP_WIDTH, 3, padding=1)
        self.step, self.word = nn.Linear(STEP_WIDTH, COMPARED), nn.Linear(EMBEDDING, COMPARED)
        self.weights = nn.Linear(WIDTH, ROLES)
        nn.init.constant_(self.weights.bias, -0.5)
        self.other = nn.Linear(STEP_WIDTH, OTHER)
        self.enter = nn.Linear(ROLES + OTHER + 1, WIDTH)
        self.modulation = nn.Linear(WIDTH, 2 * WIDTH)
        self.layers = nn.ModuleList(ModulatedConvolution(dilation) for dilation in DILATIONS)
        self.norm = nn.LayerNorm(WIDTH)
        self.inside = nn.Linear(WIDTH, 1)
        self.few, self.many = nn.Linear(WIDTH, CONDENSED), nn.Linear(CONDENSED, WIDTH)
        self.register_buffer("places", torch.linspace(0, 1, STEPS), persistent=False)

    def steps(self, rows: Tensor) -> Tensor:
        """Rows (n, STEPS, width) as steps that know their neighbours: (n, STEPS, STEP_WIDTH)."""
        rows = self.enter_row(rows)
        around: Tensor = self.around(rows.transpose(1, 2)).relu().transpose(1, 2)
        return rows + around

    def roles(self, texts: EncodedTexts) -> Tensor:
        """The roles of texts: (n, ROLES, COMPARED)."""
        return self.word_weights(texts).transpose(1, 2) @ self.words(texts)

    def words(self, texts: EncodedTexts) -> Tensor:
        """The words of texts, to compare with steps: (n, tokens, COMPARED)."""
        words: Tensor = self.word(texts.words)
        return words.tanh()

    def word_weights(self, texts: EncodedTexts) -> Tensor:
        """The weight of each word in each role, less in long texts: (n, tokens, ROLES)."""
        weights: Tensor = nn.functional.softplus(self.weights(texts.states))
        return weights * (texts.mask / texts.mask.sum(1, keepdim=True).sqrt())[..., None]

    def compared(self, steps: Tensor) -> Tensor:
        """Steps, (..., STEP_WIDTH), to compare with words: (..., COMPARED)."""
        compared: Tensor = self.step(steps)
        return compared / TEMPERATURE

    def forward(self, steps: Tensor, texts: EncodedTexts, roles: Tensor) -> ReadSteps:
        """Read each question in its video; steps: (n, STEPS, STEP_WIDTH); roles: theirs."""
        similarities = self.compared(steps) @ roles.transpose(1, 2)
        places = self.places[None, :, None].expand(len(steps), -1, 1)
        state = self.enter(torch.cat([similarities, self.other(steps), places], dim=2))
        question = self._condense(texts.pooled)
        scale, shift = self.modulation(question)[:, None].chunk(2, dim=2)
        state = nn.functional.gelu(state * (1 + scale) + shift)
        for layer in self.layers:
            state = layer(state, question)
        state = self.norm(state)
        return ReadSteps(state, self.inside(state)[..., 0], question)

    def _condense(self, pooled: Tensor) -> Tensor:
        few = self.few(pooled).tanh()
        if self.training:
            few = few + NOISE * torch.randn_like(few)
        question: Tensor = self.many(few)
        return question


class ModulatedConvolution(nn.Module):
    """A residual convolution over steps, modulated by the question."""

    def __init__(self, dilation: int) -> None:
        """dilation: steps between the steps that it reads."""
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)
        self.modulation = nn.Linear(WIDTH, 2 * WIDTH)
        self.convolution = nn.Conv1d(WIDTH, WIDTH, 3, padding=dilation, dilation=dilation)
        self.leave = nn.Conv1d(WIDTH, WIDTH, 1)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, state: Tensor, pooled: Tensor) -> Tensor:
        """States (n, STEPS, WIDTH) to states; pooled: (n, WIDTH)."""
        scale, shift = self.modulation(pooled)[:, None].chunk(2, dim=2)
        modulated = self.norm(state) * (1 + scale) + shift
        hidden = nn.functional.gelu(self.convolution(modulated.transpose(1, 2)))
        change: Tensor = self.dropout(self.leave(hidden).transpose(1, 2))
        return state + change
