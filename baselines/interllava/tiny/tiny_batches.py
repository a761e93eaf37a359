"""Tiny InterLLaVA's batches (trainable on IVCR-Mini only): examples to tokens and visual inputs."""

from __future__ import annotations

from collections.abc import Sequence

from baselines.interllava import prompts
from baselines.interllava.tiny.tiny_examples import TurnExample
from baselines.interllava.tiny.tiny_frame_encoder import TinyFrameEncoder
from baselines.interllava.tiny.tiny_model import FRAMES, TOKEN_CONFIG
from baselines.interllava.tokenizer import Tokenizer
from baselines.interllava.training import TurnBatch
from baselines.interllava.video_marks import candidate_marks, step_marks


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
            golds = [(each.number, len(each.candidates)) for each in examples]
            marks = candidate_marks(golds, TOKEN_CONFIG.token_count(FRAMES))
            return TurnBatch("video", tokens, visual._replace(marks=marks), answers)
        videos = [each.steps for each in examples if each.steps is not None]
        if not videos:
            return TurnBatch("chat", tokens, None, answers)
        visual = self._encoder.encode_steps(texts, videos, [each.length for each in examples])
        moments = [each.gold for each in examples if each.gold is not None]
        if moments:
            visual = visual._replace(marks=step_marks(moments))
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
