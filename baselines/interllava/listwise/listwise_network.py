"""InterLLaVA's network over rows of features: all candidates of a question in one sequence.

A frame network of any kind gives rows. A reader that knows the question
(baselines/localisation/question_reader.py) reads each video by itself, as an instruction-aware
Q-Former does. What it reads and the rows are projected to video tokens: CANDIDATE_TOKENS of each
candidate, one of each step of a moment turn's video. Candidates are compared with each other in the
language model alone, by attention from the answer to all of them. The place of a candidate in the
first stage's list can be one token more.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from baselines.interllava.marks import MARKS
from baselines.interllava.model import InterLLaVA
from baselines.interllava.small_language import HIDDEN, small_language_model
from baselines.interllava.tokenizer import Tokenizer
from baselines.interllava.training import MAX_CANDIDATES, TurnBatch
from baselines.localisation.heads import STEPS, WIDTH
from baselines.localisation.question_reader import OTHER, QuestionReader, ReadSteps
from baselines.localisation.span_localiser import LocaliserInputs
from baselines.networks.text_network import EncodedTexts, PaddedTokens, TextNetwork

CANDIDATE_TOKENS = 4  # of a candidate, each of an equal part of its steps
NOT_TOLD = 0  # the place of a candidate in a list of which no place is told


class FrameInputs(NamedTuple):
    """The videos of a batch and the questions about them.

    rows: (videos, STEPS, width). tokens, mask: of the questions, as in PaddedTokens. owner: the
    question of each video, (videos,). ranks: the place of each candidate in the first stage's list,
    from 1, or NOT_TOLD: (videos,). counts: the candidates of each question. marks: in training what
    the video tokens should express, (video tokens, MARKS), the tokens of ranks left out.
    """

    rows: Tensor
    tokens: Tensor
    mask: Tensor
    owner: Tensor
    ranks: Tensor
    counts: list[int]
    marks: Tensor | None = None


class FrameTokens(nn.Module):
    """Videos and questions to video tokens."""

    def __init__(self, inputs: LocaliserInputs) -> None:
        """inputs: the width of rows, the size of the vocabulary or the width of others' tokens."""
        super().__init__()
        self.text = TextNetwork(pieces=inputs.pieces, width=inputs.tokens)
        self.reader = QuestionReader(inputs.features)
        self.candidate = nn.Linear(2 * WIDTH + OTHER, HIDDEN)
        self.step = nn.Linear(WIDTH + OTHER, HIDDEN)
        for layer in (self.candidate, self.step):
            nn.init.normal_(layer.weight, std=0.02)

    def read(self, visual: FrameInputs) -> tuple[Tensor, ReadSteps, Tensor]:
        """Steps (videos, STEPS, STEP_WIDTH), what is read in them, the roles of the questions."""
        texts = self.text(PaddedTokens(visual.tokens, visual.mask))
        roles = self.reader.roles(texts)
        steps = self.reader.steps(visual.rows)
        asked = EncodedTexts(*(part[visual.owner] for part in texts))
        return steps, self.reader(steps, asked, roles[visual.owner]), roles

    def of_candidates(self, steps: Tensor, read: ReadSteps) -> Tensor:
        """Video tokens of candidates: (videos, CANDIDATE_TOKENS, HIDDEN)."""
        state, rows = (_in_parts(part) for part in (read.state, self.reader.other(steps)))
        parts = torch.cat([state.mean(2), state.amax(2), rows.mean(2)], dim=2)
        tokens: Tensor = self.candidate(parts)
        return tokens

    def of_steps(self, steps: Tensor, read: ReadSteps) -> Tensor:
        """Video tokens of steps: (videos, STEPS, HIDDEN)."""
        tokens: Tensor = self.step(torch.cat([read.state, self.reader.other(steps)], dim=2))
        return tokens

    def forward(self, visual: FrameInputs, task: str) -> Tensor:
        """Video tokens: (videos, tokens, HIDDEN)."""
        steps, read, _ = self.read(visual)
        return self.of_candidates(steps, read) if task == "video" else self.of_steps(steps, read)


class ListwiseNetwork(nn.Module):
    """Frame tokens and a small language model.

    marks: (MARKS, HIDDEN), one direction for each fact that a video token can express.
    """

    marks: Tensor

    def __init__(self, inputs: LocaliserInputs, tokenizer: Tokenizer, *, ranks: bool) -> None:
        """ranks: whether the places of candidates in the first stage's list can be told."""
        super().__init__()
        frames, language = FrameTokens(inputs), small_language_model(tokenizer)
        self.net = InterLLaVA(frames, language, tokenizer.placeholder)
        self.ranks = nn.Embedding(MAX_CANDIDATES + 1, HIDDEN) if ranks else None
        if self.ranks is not None:
            nn.init.normal_(self.ranks.weight, std=0.05)
        self.register_buffer("marks", nn.functional.normalize(torch.randn(MARKS, HIDDEN), dim=1))

    @property
    def candidate_tokens(self) -> int:
        """The tokens of a candidate, that of its rank included."""
        return CANDIDATE_TOKENS + (self.ranks is not None)

    @property
    def frames(self) -> FrameTokens:
        """What makes video tokens."""
        assert isinstance(self.net.tokens, FrameTokens)  # noqa: S101 - as __init__ made it
        return self.net.tokens

    def encode_frames(self, batch: TurnBatch) -> Tensor | None:
        """The video tokens of a batch: (video tokens, HIDDEN); None of no video."""
        if batch.visual is None:
            return None
        return self.with_ranks(self.frames(batch.visual, batch.task), batch)

    def with_ranks(self, tokens: Tensor, batch: TurnBatch) -> Tensor:
        """Video tokens with those of ranks, all in one row: (video tokens, HIDDEN).

        tokens: (videos, tokens of each, HIDDEN).
        """
        if batch.task == "video" and self.ranks is not None:
            tokens = torch.cat([self.ranks(batch.visual.ranks)[:, None], tokens], dim=1)
        return tokens.flatten(0, 1)

    def read_marks(self, tokens: Tensor) -> Tensor:
        """How much tokens (n, HIDDEN) express each mark, about 0 to 1: (n, MARKS)."""
        return tokens @ self.marks.T

    def write_marks(self, marks: Tensor) -> Tensor:
        """Tokens (n, HIDDEN) that express marks (n, MARKS)."""
        return marks @ self.marks


def _in_parts(steps: Tensor) -> Tensor:
    """Steps as CANDIDATE_TOKENS parts: (videos, STEPS, d) to (videos, parts, steps of each, d)."""
    return steps.unflatten(1, (CANDIDATE_TOKENS, STEPS // CANDIDATE_TOKENS))
