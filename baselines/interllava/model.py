"""InterLLaVA's network: frames to video tokens, video tokens among word embeddings to a reply.

The architecture is that of the paper's code (repository ivcr200k/ivcr200k.github.io, ivcr/models),
composed of parts of `transformers` and `peft`. A Q-Former reads each frame, conditioned on a text
that says when the frame was sampled. Frames get a position embedding. A second Q-Former reads
windows of frames. A linear layer projects its output to the word embeddings of a causal language
model with LoRA adapters. Both configurations use this network: the tiny one
(baselines/interllava/tiny) and the published one (baselines/interllava/published).
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

LORA_RANK, LORA_ALPHA, LORA_DROPOUT = 32, 32, 0.1
LORA_MODULES = ("q_proj", "k_proj", "v_proj", "o_proj")


class VideoTokenConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Sizes that the weight files do not give.

    queries: of the first Q-Former. video_queries: of the second one, for each window of `window`
    frames; windows start `stride` frames apart. positions: the most frames with a position.
    """

    queries: int = 32
    video_queries: int = 32
    window: int = 32
    stride: int = 32
    positions: int = 64

    def token_count(self, frames: int) -> int:
        """How many tokens a video of so many frames becomes."""
        return self.video_queries * -(-frames // self.stride)


class EncodedFrames(NamedTuple):
    """The frame encoder's output for several videos of one number of frames.

    features: (videos, frames, patches, d). text_ids, text_mask: (videos, frames, n), the text that
    the Q-Former reads with each frame.
    """

    features: Tensor
    text_ids: Tensor
    text_mask: Tensor


class TokenBatch(NamedTuple):
    """Prompts and answers as token ids, padded on one side: (n, tokens) each.

    ids: a placeholder stands once for each video token. mask: 1 for a token, 0 for padding.
    labels: the tokens to predict, else -100. video_words: (video tokens,), for each placeholder in
    order the id of a word whose embedding is added to the video token (-1: none).
    """

    ids: Tensor
    mask: Tensor
    labels: Tensor
    video_words: Tensor


class VideoTokenEncoder(nn.Module):
    """Frames to video tokens: both Q-Formers, the positions of frames, the projection."""

    def __init__(
        self,
        config: VideoTokenConfig,
        frame: InstructBlipQFormerConfig,
        video: Blip2QFormerConfig,
        width: int,
    ) -> None:
        """width: of the language model's word embeddings."""
        super().__init__()
        self.config = config
        self.query_tokens = nn.Parameter(torch.empty(1, config.queries, frame.hidden_size))
        self.qformer = InstructBlipQFormerModel(frame)
        self.positions = nn.Embedding(config.positions, frame.hidden_size)
        self.video_query_tokens = nn.Parameter(
            torch.empty(1, config.video_queries, video.hidden_size)
        )
        self.video_qformer = Blip2QFormerModel(video)
        self.projection = nn.Linear(video.hidden_size, width)
        for tokens in (self.query_tokens, self.video_query_tokens):
            nn.init.normal_(tokens, std=frame.initializer_range)

    def forward(self, frames: EncodedFrames) -> Tensor:
        """Video tokens: (videos, tokens, width); how many, config.token_count says."""
        videos, count = frames.features.shape[:2]
        each = self._encode_each(frames)
        state = each.view(videos, count, *each.shape[1:]) + self.positions.weight[:count, None]
        queries = frames.text_mask.new_ones(videos, count, self.config.queries)
        mask = torch.cat([queries, frames.text_mask], dim=2)
        size = self.config.window
        windows = [
            self._encode_window(state[:, at : at + size], mask[:, at : at + size])
            for at in range(0, count, self.config.stride)
        ]
        tokens: Tensor = self.projection(torch.cat(windows, dim=1))
        return tokens

    def _encode_each(self, frames: EncodedFrames) -> Tensor:
        """Each frame by itself: (videos * frames, queries + n, d)."""
        features, text_ids, mask = (part.flatten(0, 1) for part in frames)
        queries = self.query_tokens.expand(len(features), -1, -1)
        state: Tensor = self.qformer(
            text_ids,
            attention_mask=torch.cat([mask.new_ones(queries.shape[:2]), mask], dim=1),
            query_embeds=queries,
            encoder_hidden_states=features,
        ).last_hidden_state
        return state

    def _encode_window(self, state: Tensor, mask: Tensor) -> Tensor:
        """A window of frames: (videos, video queries, d)."""
        tokens: Tensor = self.video_qformer(
            query_embeds=self.video_query_tokens.expand(len(state), -1, -1),
            encoder_hidden_states=state.flatten(1, 2),
            encoder_attention_mask=mask.flatten(1, 2),
        ).last_hidden_state
        return tokens


class InterLLaVA(nn.Module):
    """Video tokens and words to the logits of a reply, and to the reply itself."""

    def __init__(self, tokens: nn.Module, language: Any, placeholder: int) -> None:
        """tokens: makes video tokens. language: a causal language model. placeholder: the id that
        stands for a video token."""
        super().__init__()
        self.tokens: Any = tokens  # a VideoTokenEncoder, or another configuration's
        self.language = language
        self._placeholder = placeholder

    def encode_videos(self, videos: Sequence[EncodedFrames]) -> Tensor | None:
        """All video tokens in the placeholders' order: (video tokens, width); None of no video."""
        return torch.cat([self.tokens(each).flatten(0, 1) for each in videos]) if videos else None

    def embed(self, batch: TokenBatch, video_tokens: Tensor | None) -> Tensor:
        """Embeddings of words, and video tokens at their placeholders: (n, tokens, width)."""
        words = self.language.get_input_embeddings()
        state: Tensor = words(batch.ids)
        if video_tokens is None:
            return state
        has_word = (batch.video_words >= 0)[:, None]
        video_tokens = video_tokens + torch.where(
            has_word, words(batch.video_words.clamp(min=0)), 0
        )
        here = (batch.ids == self._placeholder)[..., None]
        return state.masked_scatter(here, video_tokens.to(state.dtype))

    def forward(self, batch: TokenBatch, video_tokens: Tensor | None) -> Tensor:
        """Logits of the next token at each position: (n, tokens, vocabulary)."""
        state = self.embed(batch, video_tokens)
        logits: Tensor = self.language(inputs_embeds=state, attention_mask=batch.mask).logits
        return logits

    @torch.inference_mode()
    def generate(
        self, batch: TokenBatch, video_tokens: Tensor | None, longest: int, end: int
    ) -> Tensor:
        """Token ids, (n, tokens), of greedy replies to prompts that are padded on the left."""
        ids: Tensor = self.language.generate(
            inputs_embeds=self.embed(batch, video_tokens),
            attention_mask=batch.mask,
            do_sample=False,
            num_beams=1,
            max_new_tokens=longest,
            eos_token_id=end,
            pad_token_id=end,
        )
        return ids


def with_lora(language: LlamaForCausalLM, trainable_tokens: Sequence[int]) -> Any:
    """The language model with LoRA adapters; it is frozen but for these and `trainable_tokens`.

    In the paper's code the embeddings of new tokens keep their random initial values.
    """
    config = LoraConfig(
        task_type=TaskType.CAUSAL_LM,
        r=LORA_RANK,
        lora_alpha=LORA_ALPHA,
        lora_dropout=LORA_DROPOUT,
        target_modules=list(LORA_MODULES),
        trainable_token_indices=(
            {"embed_tokens": list(trainable_tokens)} if trainable_tokens else None
        ),
    )
    with warnings.catch_warnings():
        # peft calls the model by a name that transformers deprecates.
        warnings.simplefilter("ignore", FutureWarning)
        return get_peft_model(language, config)
