"""InterLLaVA's network: frames to the tokens of videos, tokens of videos among words to a reply.

As the code of the benchmark's paper has it (repository ivcr200k/ivcr200k.github.io, ivcr/models),
composed from parts of `transformers` and `peft`: a Q-Former reads each frame, conditioned on a text
that says when it was sampled; frames get a position embedding; a second Q-Former reads windows of
frames; a linear layer brings what comes out among the words of a causal language model with LoRA
adapters. The same network is built small (baselines/interllava/tiny/tiny_model.py) and whole
(published_files.py).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from msgspec import Struct
from peft import LoraConfig, TaskType, get_peft_model
from torch import Tensor, nn
from transformers import (
    Blip2QFormerConfig,
    Blip2QFormerModel,
    InstructBlipQFormerConfig,
    InstructBlipQFormerModel,
    LlamaForCausalLM,
)

RANK, ALPHA, DROPOUT = 32, 32, 0.1  # of LoRA
ADAPTED = ("q_proj", "k_proj", "v_proj", "o_proj")


class Form(Struct, frozen=True, forbid_unknown_fields=True):
    """Sizes that the files of weights do not tell.

    queries: of the first Q-Former; video_queries: of the second one, for each window of `window`
    frames, which begin `stride` frames apart; positions: frames that are told apart. numbered: a
    candidate's tokens have its number's word embedding added, timed: each token of a video its
    frame's time's (both are of the tiny configuration alone; timed asks for as many video queries
    as a window has frames).
    """

    queries: int = 32
    video_queries: int = 32
    window: int = 32
    stride: int = 32
    positions: int = 64
    numbered: bool = False
    timed: bool = False

    def tokens(self, frames: int) -> int:
        """How many tokens a video of so many frames becomes."""
        return self.video_queries * -(-frames // self.stride)


class Frames(NamedTuple):
    """What the frame encoder saw of several videos, of each as many frames.

    features: (videos, frames, patches, d). words, mask: (videos, frames, n) of the Q-Former's text
    for each frame.
    """

    features: Tensor
    words: Tensor
    mask: Tensor


class Rows(NamedTuple):
    """Prompts and answers as token ids, filled up on one side: (n, tokens) each.

    A placeholder stands once for each token of a video. mask: 1 where a token stands. labels: the
    tokens that are to be learnt, else -100. added: further token ids whose word embeddings are
    added to what a video's token says (-1: none); in the order of the placeholders.
    """

    ids: Tensor
    mask: Tensor
    labels: Tensor
    added: Tensor


class VideoTokens(nn.Module):
    """Frames to tokens: both Q-Formers, the positions of frames, the projection."""

    def __init__(
        self,
        form: Form,
        frame: InstructBlipQFormerConfig,
        video: Blip2QFormerConfig,
        width: int,
    ) -> None:
        """width: of the language model's words."""
        super().__init__()
        self.form = form
        self.query_tokens = nn.Parameter(torch.empty(1, form.queries, frame.hidden_size))
        self.qformer = InstructBlipQFormerModel(frame)
        self.positions = nn.Embedding(form.positions, frame.hidden_size)
        self.video_query_tokens = nn.Parameter(
            torch.empty(1, form.video_queries, video.hidden_size)
        )
        self.video_qformer = Blip2QFormerModel(video)
        self.projection = nn.Linear(video.hidden_size, width)
        for tokens in (self.query_tokens, self.video_query_tokens):
            nn.init.normal_(tokens, std=frame.initializer_range)

    def forward(self, frames: Frames) -> Tensor:
        """Tokens among words: (videos, form.tokens(frames), width)."""
        videos, count = frames.features.shape[:2]
        each = self._frames(frames)
        seen = each.view(videos, count, *each.shape[1:])
        state = seen + self.positions.weight[:count, None]
        there = frames.mask.new_ones(videos, count, self.form.queries)
        mask = torch.cat([there, frames.mask], dim=2)
        windows = [
            self._window(state[:, at : at + self.form.window], mask[:, at : at + self.form.window])
            for at in range(0, count, self.form.stride)
        ]
        tokens: Tensor = self.projection(torch.cat(windows, dim=1))
        return tokens

    def _frames(self, frames: Frames) -> Tensor:
        """Each frame by itself: (videos * frames, queries + words, d)."""
        features, words, mask = (part.flatten(0, 1) for part in frames)
        queries = self.query_tokens.expand(len(features), -1, -1)
        seen: Tensor = self.qformer(
            words,
            attention_mask=torch.cat([mask.new_ones(queries.shape[:2]), mask], dim=1),
            query_embeds=queries,
            encoder_hidden_states=features,
        ).last_hidden_state
        return seen

    def _window(self, state: Tensor, mask: Tensor) -> Tensor:
        """A window of frames: (videos, video queries, d)."""
        read: Tensor = self.video_qformer(
            query_embeds=self.video_query_tokens.expand(len(state), -1, -1),
            encoder_hidden_states=state.flatten(1, 2),
            encoder_attention_mask=mask.flatten(1, 2),
        ).last_hidden_state
        return read


class InterLLaVA(nn.Module):
    """Tokens of videos among words: a reply's logits, its loss, the reply itself."""

    def __init__(self, tokens: VideoTokens, language: Any, placeholder: int) -> None:
        """language: a causal language model; placeholder: the id that stands for videos' tokens."""
        super().__init__()
        self.tokens, self.language = tokens, language
        self._placeholder = placeholder

    def seen(self, videos: Sequence[Frames]) -> Tensor | None:
        """All tokens of videos, in the placeholders' order: (tokens, width); None of no video."""
        return torch.cat([self.tokens(each).flatten(0, 1) for each in videos]) if videos else None

    def embedded(self, rows: Rows, seen: Tensor | None) -> Tensor:
        """Words and videos' tokens: (n, tokens, width)."""
        words = self.language.get_input_embeddings()
        state: Tensor = words(rows.ids)
        if seen is None:
            return state
        known = (rows.added >= 0)[:, None]
        seen = seen + torch.where(known, words(rows.added.clamp(min=0)), 0)
        here = (rows.ids == self._placeholder)[..., None]
        return state.masked_scatter(here, seen.to(state.dtype))

    def forward(self, rows: Rows, seen: Tensor | None) -> Tensor:
        """Logits of the token after each: (n, tokens, vocabulary)."""
        state = self.embedded(rows, seen)
        logits: Tensor = self.language(inputs_embeds=state, attention_mask=rows.mask).logits
        return logits

    @torch.inference_mode()
    def replies(self, rows: Rows, seen: Tensor | None, longest: int, end: int) -> Tensor:
        """The likeliest tokens, one after the other, after prompts filled up on the left."""
        told: Tensor = self.language.generate(
            inputs_embeds=self.embedded(rows, seen),
            attention_mask=rows.mask,
            do_sample=False,
            num_beams=1,
            max_new_tokens=longest,
            eos_token_id=end,
            pad_token_id=end,
        )
        return told


def adapted(language: LlamaForCausalLM, added: Sequence[int]) -> Any:
    """The language model with LoRA adapters; all else in it is frozen but the `added` tokens.

    In the paper's code the embeddings of the added tokens stay as they were drawn.
    """
    config = LoraConfig(
        task_type=TaskType.CAUSAL_LM,
        r=RANK,
        lora_alpha=ALPHA,
        lora_dropout=DROPOUT,
        target_modules=list(ADAPTED),
        trainable_token_indices={"embed_tokens": list(added)} if added else None,
    )
    with warnings.catch_warnings():
        # peft asks the model under a name that transformers has given up.
        warnings.simplefilter("ignore", FutureWarning)
        return get_peft_model(language, config)
