"""Tiny InterLLaVA's batches (trainable on IVCR-Mini only): examples to tokens and visual inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from baselines.interllava import prompts
from baselines.interllava.tiny.tiny_examples import TurnExample
from baselines.interllava.tiny.tiny_frame_encoder import TinyFrameEncoder
from baselines.interllava.tiny.tiny_model import (
    FIRST,
    FRAMES,
    GOLD,
    INSIDE,
    LAST,
    MARKS,
    TOKEN_CONFIG,
)
from baselines.interllava.tokenizer import Tokenizer
from baselines.interllava.training import TurnBatch
from baselines.localisation.heads import STEPS


class ExampleCollator:
    """Makes batches of examples: their tokens, and the frozen frame encoder's output."""

    def __init__(self, tokenizer: Tokenizer, encoder: TinyFrameEncoder) -> None:
        self._tokenizer, self._encoder = tokenizer, encoder

    def __call__(self, examples: Sequence[TurnExample]) -> TurnBatch:
        """A batch of examples of one task; all have an answer or none has."""
        rows = [self._token_row(each) for each in examples]
        answers = [row.answer for row in rows]
        tokens = prompts.pad_rows(rows, self._tokenizer.end)
        texts = [each.text for each in examples if each.text is not None]
        if examples[0].candidates:
            visual = self._encoder.encode_candidates(texts, [each.candidates for each in examples])
            marks = candidate_marks([(each.number, len(each.candidates)) for each in examples])
            return TurnBatch("video", tokens, visual._replace(marks=marks), answers)
        videos = [each.steps for each in examples if each.steps is not None]
        if not videos:
            return TurnBatch("chat", tokens, None, answers)
        visual = self._encoder.encode_steps(texts, videos, [each.length for each in examples])
        golds = [each.gold for each in examples if each.gold is not None]
        if golds:
            visual = visual._replace(marks=step_marks(golds))
        return TurnBatch("moment", tokens, visual, answers)

    def _token_row(self, each: TurnExample) -> prompts.TokenRow:
        if each.candidates:
            numbers = each.numbers or tuple(range(1, len(each.candidates) + 1))
            prompt = prompts.choice_prompt(each.query, numbers)
            video_words = self._encoder.number_words(numbers)
        elif each.steps is not None:
            prompt = prompts.grounding_prompt(each.query, each.number)
            video_words = [self._encoder.time_words(each.length)]
        else:
            prompt, video_words = prompts.chat_prompt(each.query), []
        return prompts.encode_row(self._tokenizer, prompt, video_words, each.answer)


def candidate_marks(golds: Sequence[tuple[int, int]]) -> Tensor:
    """What candidates' video tokens should express: (video tokens, MARKS).

    golds: for each question the gold candidate's number and the number of candidates.
    """
    gold = [number == at for number, count in golds for at in range(1, count + 1)]
    marks = torch.zeros(len(gold), TOKEN_CONFIG.token_count(FRAMES), MARKS)
    marks[gold, :, GOLD] = 1
    return marks.flatten(0, 1)


def step_marks(golds: Sequence[NDArray[np.float32]]) -> Tensor:
    """What steps' video tokens should express: (video tokens, MARKS).

    golds: for each question its moment as fractions of the video, (2,).
    """
    centres = (torch.arange(STEPS) + 0.5) / STEPS
    gold = torch.from_numpy(np.stack(golds))  # (n, 2)
    marks = torch.zeros(len(gold), STEPS, MARKS)
    marks[..., INSIDE] = ((centres >= gold[:, :1]) & (centres < gold[:, 1:])).float()
    own = torch.arange(len(gold))
    marks[own, (gold[:, 0] * STEPS).long().clamp(0, STEPS - 1), FIRST] = 1
    marks[own, ((gold[:, 1] * STEPS).ceil().long() - 1).clamp(0, STEPS - 1), LAST] = 1
    return marks.flatten(0, 1)
