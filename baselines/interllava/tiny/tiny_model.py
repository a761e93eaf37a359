"""Tiny InterLLaVA's network (trainable on IVCR-Mini only: needs annotated events), for two cores.

The published frame encoder knows most things in the world. Its replacement here is trained on
IVCR-Mini's train split alone (tiny_frame_encoder.py). Each frame has three patches: what it shows,
how it agrees with the question, and facts. The rest is InterLLaVA's network with small sizes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import Blip2QFormerConfig, InstructBlipQFormerConfig

from baselines.event_models.matching import ROLES
from baselines.event_models.query_encoder import WIDTH
from baselines.interllava.model import (
    EncodedFrames,
    InterLLaVA,
    VideoTokenConfig,
    VideoTokenEncoder,
)
from baselines.interllava.small_language import HIDDEN, small_language_model
from baselines.interllava.tokenizer import Tokenizer
from baselines.interllava.training import TurnBatch
from baselines.interllava.video_marks import MARKS
from baselines.localisation.events.step_features import KNOWN
from baselines.localisation.heads import STEPS

FRAMES = 8  # of a candidate; a moment turn's video has STEPS
TOKEN_CONFIG = VideoTokenConfig(queries=2, video_queries=8, window=8, stride=8, positions=STEPS)
FACTS = 5  # of a candidate, see `TinyFrameEncoder.encode_candidates`


class VisualInputs(NamedTuple):
    """The frames of several videos: what they show, how they agree with the question, facts.

    contents, agreement, facts: (videos, frames, d) each. text_ids, text_mask: (videos, frames, n),
    the Q-Former's text. counts: the candidates of each question. marks: in training what the video
    tokens should express, (video tokens, MARKS).
    """

    contents: Tensor
    agreement: Tensor
    facts: Tensor
    text_ids: Tensor
    text_mask: Tensor
    counts: list[int]
    marks: Tensor | None = None


class PatchProjector(nn.Module):
    """Projects the three parts of a frame to the patches that the first Q-Former reads."""

    def __init__(self, values: int, agreements: int, facts: int) -> None:
        """The width of each part."""
        super().__init__()
        self.parts = nn.ModuleList(nn.Linear(size, WIDTH) for size in (values, agreements, facts))
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, visual: VisualInputs) -> EncodedFrames:
        """Frames of three patches."""
        parts = zip(self.parts, visual[:3], strict=True)
        patches = torch.stack([project(part) for project, part in parts], dim=2)
        return EncodedFrames(self.norm(patches), visual.text_ids, visual.text_mask)


class TinyNetwork(nn.Module):
    """InterLLaVA with a projector for candidates (`choosing`) and one for moments (`grounding`).

    marks: (MARKS, HIDDEN), one direction for each fact that a video token can express: that its
    candidate is the gold one; that its frame is inside the moment, is its first, is its last.
    """

    marks: Tensor

    def __init__(self, values: int, tokenizer: Tokenizer) -> None:
        """values: of all attributes together."""
        super().__init__()
        self.choosing = PatchProjector(values, ROLES, FACTS)
        self.grounding = PatchProjector(values, WIDTH, KNOWN + 1)
        tokens, language = _video_tokens(len(tokenizer)), small_language_model(tokenizer)
        self.net = InterLLaVA(tokens, language, tokenizer.placeholder)
        self.register_buffer("marks", nn.functional.normalize(torch.randn(MARKS, HIDDEN), dim=1))

    def encode_frames(self, batch: TurnBatch) -> Tensor | None:
        """The video tokens of a batch: (video tokens, HIDDEN); None of no video."""
        if batch.visual is None:
            return None
        project = self.choosing if batch.task == "video" else self.grounding
        return self.net.encode_videos([project(batch.visual)])

    def read_marks(self, tokens: Tensor) -> Tensor:
        """How much tokens (n, HIDDEN) express each mark, about 0 to 1: (n, MARKS)."""
        return tokens @ self.marks.T

    def write_marks(self, marks: Tensor) -> Tensor:
        """Tokens (n, HIDDEN) that express marks (n, MARKS)."""
        return marks @ self.marks


def _video_tokens(vocabulary: int) -> VideoTokenEncoder:
    sizes: dict[str, Any] = {
        "hidden_size": WIDTH,
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
        "intermediate_size": 2 * WIDTH,
        "cross_attention_frequency": 1,
        "encoder_hidden_size": WIDTH,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "initializer_range": 0.1,
    }
    frame = InstructBlipQFormerConfig(vocab_size=vocabulary, max_position_embeddings=32, **sizes)
    video = Blip2QFormerConfig(vocab_size=1, **sizes)
    encoder = VideoTokenEncoder(TOKEN_CONFIG, frame, video, HIDDEN)
    _attend_to_own_frame(encoder)
    return encoder


def _attend_to_own_frame(encoder: VideoTokenEncoder) -> None:
    """Initialise each video query so that it attends to its own frame of the window."""
    places = nn.functional.normalize(torch.randn(TOKEN_CONFIG.window, WIDTH), dim=1) * 8
    windows = TOKEN_CONFIG.positions // TOKEN_CONFIG.window
    with torch.no_grad():
        encoder.video_query_tokens.copy_(places[None])
        encoder.positions.weight.copy_(places.repeat(windows, 1))
        layers: Any = encoder.video_qformer.encoder.layer
        for layer in layers:
            attention = layer.crossattention.attention
            nn.init.eye_(attention.query.weight)
            nn.init.eye_(attention.key.weight)
        encoder.projection.weight.mul_(0.1)
