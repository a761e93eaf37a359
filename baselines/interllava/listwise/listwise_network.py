"""InterLLaVA's network over rows of features: all candidates of a question in one sequence.

A frame network of any kind gives rows. A reader that knows the question
(baselines/localisation/question_reader.py) reads each video by itself, as an instruction-aware
Q-Former does. What it reads and the rows are projected to video tokens. A moment turn's video has
one for each step. A candidate has CANDIDATE_TOKENS, each of an equal part of its steps: how similar
its best step is to what the question looks for, by words whose vectors know nothing of each other,
as moment turns train them. (A reader that also knew the words' order learned the train split's
candidates by heart and chose at chance among new ones.) Candidates are compared with each other in
the language model alone, by attention from the answer to all of them. The place of a candidate in
the first stage's list can be one token more.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from baselines.interllava.model import InterLLaVA
from baselines.interllava.small_language import HIDDEN, small_language_model
from baselines.interllava.tokenizer import Tokenizer
from baselines.interllava.training import MAX_CANDIDATES, TurnBatch
from baselines.interllava.video_marks import GOLD, LOGIT_SCALE, MARKS
from baselines.localisation.heads import STEPS, WIDTH
from baselines.localisation.question_reader import OTHER, QuestionReader, ReadSteps
from baselines.localisation.span_localiser import LocaliserInputs
from baselines.networks.text_network import WIDTH as TEXT_WIDTH
from baselines.networks.text_network import EncodedTexts, PaddedTokens, TextNetwork

CANDIDATE_TOKENS = 4  # of a candidate, each of an equal part of its steps
SOUGHT = 4  # roles of what a video turn looks for
NOT_TOLD = 0  # the place of a candidate in a list of which no place is told


class FrameInputs(NamedTuple):
    """The videos of a batch and the questions about them.

    rows: (videos, STEPS, width). tokens, mask: of the questions, as in PaddedTokens. owner: the
    question of each video, (videos,). ranks: the place of each candidate in the first stage's list,
    from 1, or NOT_TOLD: (videos,). counts: the candidates of each question. marks: in training what
    the video tokens should express, (video tokens, MARKS), the tokens of ranks left out. spans: of
    moment turns, as fractions of the video, (videos, 2). names: a number for each question's video.
    """

    rows: Tensor
    tokens: Tensor
    mask: Tensor
    owner: Tensor
    ranks: Tensor
    counts: list[int]
    marks: Tensor | None = None
    spans: Tensor | None = None
    names: Tensor | None = None


class Searched(NamedTuple):
    """Questions against candidates.

    steps: (videos, STEPS, STEP_WIDTH). roles: what is looked for, (questions, SOUGHT, COMPARED).
    similarity: of each candidate's steps to its question's roles, (videos, STEPS, SOUGHT).
    """

    steps: Tensor
    roles: Tensor
    similarity: Tensor


class FrameTokens(nn.Module):
    """Videos and questions to video tokens."""

    def __init__(self, inputs: LocaliserInputs) -> None:
        """inputs: the width of rows, the size of the vocabulary or the width of others' tokens."""
        super().__init__()
        self.text = TextNetwork(pieces=inputs.pieces, width=inputs.tokens)
        self.reader = QuestionReader(inputs.features)
        self.sought = nn.Linear(TEXT_WIDTH, SOUGHT)
        nn.init.constant_(self.sought.bias, -0.5)
        self.candidate = nn.Linear(2 * SOUGHT + OTHER, HIDDEN)
        self.step = nn.Linear(WIDTH + OTHER, HIDDEN)
        for layer in (self.candidate, self.step):
            nn.init.normal_(layer.weight, std=0.02)

    def express_matches(self, direction: Tensor) -> None:
        """Start with candidates' tokens that express their best similarities in a `direction`.

        direction: (HIDDEN,), of length 1.
        """
        with torch.no_grad():
            self.candidate.weight[:, SOUGHT : 2 * SOUGHT] = direction[:, None] / LOGIT_SCALE

    def search(self, visual: FrameInputs) -> Searched:
        """Compare questions with their candidates, each candidate by itself."""
        texts = self._texts(visual)
        weights = nn.functional.softplus(self.sought(texts.states))
        weights = weights * (texts.mask / texts.mask.sum(1, keepdim=True).sqrt())[..., None]
        roles = weights.transpose(1, 2) @ self.reader.words(texts)
        steps = self.reader.steps(visual.rows)
        similarity = self.reader.compared(steps) @ roles[visual.owner].transpose(1, 2)
        return Searched(steps, roles, similarity)

    def of_candidates(self, searched: Searched) -> Tensor:
        """Video tokens of candidates: (videos, CANDIDATE_TOKENS, HIDDEN)."""
        parts = _in_parts(searched.similarity).amax(2)
        whole = parts.amax(1, keepdim=True).expand_as(parts)
        rows = _in_parts(self.reader.other(searched.steps)).mean(2)
        tokens: Tensor = self.candidate(torch.cat([parts, whole, rows], dim=2))
        return tokens

    def matches(self, searched: Searched) -> Tensor:
        """The sum of the best similarities of all questions and videos: (questions, videos)."""
        steps = self.reader.compared(searched.steps)
        similarity = torch.einsum("nrd,vtd->nvrt", searched.roles, steps)
        return similarity.amax(3).sum(2)

    def read(self, visual: FrameInputs) -> tuple[Tensor, ReadSteps, Tensor]:
        """Of moment turns: steps (videos, STEPS, STEP_WIDTH), what is read in them, the roles."""
        texts, steps = self._texts(visual), self.reader.steps(visual.rows)
        roles = self.reader.roles(texts)
        return steps, self.reader(steps, texts, roles), roles

    def of_steps(self, steps: Tensor, read: ReadSteps) -> Tensor:
        """Video tokens of steps: (videos, STEPS, HIDDEN)."""
        tokens: Tensor = self.step(torch.cat([read.state, self.reader.other(steps)], dim=2))
        return tokens

    def forward(self, visual: FrameInputs, task: str) -> Tensor:
        """Video tokens: (videos, tokens, HIDDEN)."""
        if task == "video":
            return self.of_candidates(self.search(visual))
        steps, read, _ = self.read(visual)
        return self.of_steps(steps, read)

    def _texts(self, visual: FrameInputs) -> EncodedTexts:
        texts: EncodedTexts = self.text(PaddedTokens(visual.tokens, visual.mask))
        return texts


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
        frames.express_matches(self.marks[GOLD])

    @property
    def candidate_tokens(self) -> int:
        """The tokens of a candidate, that of its rank included."""
        return CANDIDATE_TOKENS + (self.ranks is not None)

    @property
    def frames(self) -> FrameTokens:
        """What makes video tokens."""
        tokens: FrameTokens = self.net.tokens
        return tokens

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
    return steps.reshape(len(steps), CANDIDATE_TOKENS, STEPS // CANDIDATE_TOKENS, steps.shape[2])
