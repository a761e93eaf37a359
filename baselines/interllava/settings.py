"""InterLLaVA's settings, of both configurations."""

from __future__ import annotations

from typing import ClassVar, Literal

from baselines.base import Settings
from baselines.event_models.recogniser_training import Size
from baselines.interllava.losses import WEIGHT
from baselines.interllava.training import LossForm

Control = Literal["none", "videos_permuted"]


class InterLLaVASettings(Settings, frozen=True):
    """Configuration and weights, losses, a control, and what each configuration needs.

    config: full (from published files), or tiny (from scratch on IVCR-Mini). checkpoint: the
    trained folder to run with; full runs without one as published. losses: how the losses of the
    candidate's number and of the span are computed. `spelt`: from the probabilities of the tokens
    that spell the numbers, so with a gradient. `argmax`: from the most likely text, as published,
    without a gradient. `words`: not at all. weight: of these two losses. control: videos_permuted
    shows each video in the place of another when it runs.
    start: (tiny) the trained folder of a dual encoder that training starts from. size: (tiny) how
    many training steps. files: (full) the folder of published files. frames: (full) of each
    candidate. moment_frames: (full) of a moment turn's video. dtype: (full) of the frozen weights.
    """

    PATHS: ClassVar[tuple[str, ...]] = ("checkpoint", "start", "files")

    config: Literal["tiny", "full"] = "full"
    checkpoint: str = ""
    losses: LossForm = "spelt"
    weight: float = WEIGHT
    control: Control = "none"
    start: str = ""
    size: Size = "full"
    files: str = ""
    frames: int = 12
    moment_frames: int = 64
    dtype: Literal["float32", "bfloat16", "float16"] = "bfloat16"
