"""InterLLaVA's settings, of both configurations."""

from __future__ import annotations

from typing import Literal

from baselines.base import Settings
from baselines.event_models.recogniser_training import Size
from baselines.interllava.losses import WEIGHT
from baselines.interllava.training import Form

Control = Literal["none", "videos_permuted"]


class InterLLaVASettings(Settings, frozen=True):
    """Which weights, what is shown, how it is trained, and the control.

    config: full from published files, or tiny. checkpoint: the trained folder, to run with (full
    runs without one as it was published). losses, weight: the form and the weight of the losses of
    number and span. control: videos_permuted shows each video in the place of another, when it
    runs. Of tiny: start: the trained folder of a dual encoder, to train from; size: how much to
    train. Of full: files: the folder of published files; frames of a candidate, moment_frames of a
    moment's video; dtype: of the frozen weights.
    """

    config: Literal["tiny", "full"] = "full"
    checkpoint: str = ""
    losses: Form = "spelt"
    weight: float = WEIGHT
    control: Control = "none"
    start: str = ""
    size: Size = "full"
    files: str = ""
    frames: int = 12
    moment_frames: int = 64
    dtype: Literal["float32", "bfloat16", "float16"] = "bfloat16"
