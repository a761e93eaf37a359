"""Networks of single pictures: what `AutoModel` and `AutoImageProcessor` read from a checkpoint.

ViT, DeiT, DINOv2, Swin, ConvNeXt, ResNet, EfficientNet and others. A frame's row is the network's
pooled output; where it has none, or its weights are not in the checkpoint (those that were saved
for classification), the mean over its patches, without the tokens that stand for no patch. Rows are
not scaled. Frames are scaled by libswscale (bicubic), whatever filter the checkpoint's own library
would take, and cut and normalised as preprocessor_config.json says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from baselines.encoders.image_text import (
    BATCH,
    AutoImageProcessor,
    AutoModel,
    Preprocessing,
    image_inputs,
)
from baselines.encoders.resolve import loading, locate_checkpoint
from baselines.video.sampling import Frames, Sampler
from harness.errors import WrongUsageError
from harness.files import shown

POOLER = "pooler"
UNSCALED_FROM = 384  # ConvNeXt cuts smaller pictures out of larger ones, and stretches these


class VisionBackbone:
    """A loaded checkpoint: maps frames to rows. key: names weights and preprocessing.

    A row depends on the frames of its own video alone, which go through in batches of 64. pools:
    whether the network's own pooling is read. width: of a row.
    """

    def __init__(self, network: Any, preprocessing: Preprocessing, key: str, *, pools: bool):
        """Try it with one black picture. Raises ValueError, RuntimeError if it takes none."""
        self.key, self.pools = key, pools
        self._network, self._preprocessing = network, preprocessing
        self._network.to("cuda" if torch.cuda.is_available() else "cpu").eval()
        side = preprocessing.scaled
        with torch.inference_mode():
            self.width = int(self._rows(torch.zeros(1, side, side, 3, dtype=torch.uint8)).shape[1])

    @property
    def parameters(self) -> int:
        """The number of its weights."""
        return sum(weight.numel() for weight in self._network.parameters())

    def sampler(self, rate: float, most: int | None) -> Sampler:
        """Frames at `rate` a second, at most `most`, in the size that this checkpoint reads."""
        return Sampler(rate, self._preprocessing.scaled, most, self._preprocessing.crop)

    @torch.inference_mode()
    def encode(self, frames: Frames) -> NDArray[np.float32]:
        """One row for each frame of one video: shape (n, width)."""
        parts = [
            self._rows(torch.from_numpy(frames.pixels[at : at + BATCH].copy()))
            for at in range(0, max(1, len(frames.pixels)), BATCH)
        ]
        return np.concatenate([part.cpu().numpy() for part in parts])

    def _rows(self, pixels: Tensor) -> Tensor:
        """Rows of uint8 pictures, (n, scaled, scaled, 3).  # (n, width)"""
        inputs = image_inputs(pixels.to(self._network.device), self._preprocessing)
        output = self._network(**inputs)
        pooled = getattr(output, "pooler_output", None)
        rows = self._patch_mean(output.last_hidden_state)
        if self.pools and pooled is not None:
            rows = pooled.flatten(1)
        return rows.float()

    def _patch_mean(self, hidden: Tensor) -> Tensor:
        """The mean over patches of maps, (n, d, h, w), or of tokens, (n, tokens, d)."""
        if hidden.dim() == 4:
            return hidden.mean(dim=(2, 3))
        patch = getattr(self._network.config, "patch_size", None)
        tokens = hidden.shape[1]
        patches = (self._preprocessing.size // patch) ** 2 if isinstance(patch, int) else tokens
        return hidden[:, max(tokens - patches, 0) :].mean(dim=1)


def load_backbone(
    checkpoint: str, revision: str | None, note: Callable[[str], None] | None = None
) -> VisionBackbone:
    """Load a checkpoint: a folder, or a name and revision that `hf download` has fetched.

    Raises EnvironmentFailure if it is absent or damaged, WrongUsageError if it is of another kind
    or if a revision is given for a folder.
    """
    folder, key = locate_checkpoint(checkpoint, revision)
    with loading(checkpoint, folder, unused=(POOLER,)):
        network, report = AutoModel.from_pretrained(
            folder, use_safetensors=True, dtype=torch.float32, output_loading_info=True,
            local_files_only=True,
        )  # fmt: skip
        if network.main_input_name != "pixel_values":
            raise WrongUsageError(_other_kind(checkpoint, network, "reads no pictures"))
        processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
    steps = preprocessing_of(checkpoint, processor)
    try:
        backbone = VisionBackbone(network, steps, key, pools=not report["missing_keys"])
    except (ValueError, RuntimeError, TypeError, AttributeError) as error:
        reason = f"takes no single picture ({shown(str(error).partition(chr(10))[0], 120)})"
        raise WrongUsageError(_other_kind(checkpoint, network, reason)) from error
    if note is not None:
        how = "its pooled output" if backbone.pools else "the mean of its patches"
        kind = network.config.model_type
        note(f"{checkpoint}: {kind}, {backbone.parameters:,} weights; rows are {how}")
    return backbone


def preprocessing_of(checkpoint: str, processor: Any) -> Preprocessing:
    """The steps of an image processor, as `Preprocessing` has them.

    Raises WrongUsageError at steps that are not done here.
    """
    size, cuts = dict(processor.size or {}), bool(getattr(processor, "do_center_crop", False))
    edge = size.get("shortest_edge")
    side = edge or size.get("height")
    if not side or (edge is None and size.get("width") != side):
        raise _unreadable(checkpoint, f"a size of {shown(str(size))}, no square")
    if getattr(processor, "do_flip_channel_order", False):
        raise _unreadable(checkpoint, "colours in the order BGR")
    scaled = cut = int(side)
    crop = edge is not None
    if (share := getattr(processor, "crop_pct", None)) and edge is not None:
        crop = cuts or scaled < UNSCALED_FROM
        scaled = int(scaled / share) if crop else scaled
    if cuts:
        cut = int(dict(processor.crop_size)["height"])
    if scaled < cut:
        raise _unreadable(checkpoint, f"pictures of {scaled} pixels, of which it cuts {cut}")
    factor = float(processor.rescale_factor) if processor.do_rescale else 1.0
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    deviation: tuple[float, ...] = (1.0, 1.0, 1.0)
    if processor.do_normalize:
        mean, deviation = tuple(processor.image_mean), tuple(processor.image_std)
    if getattr(processor, "rescale_offset", False):  # EfficientNet's pixels go from -1 to 1
        mean = tuple(each + 1 for each in mean)
    if getattr(processor, "include_top", False):  # and are divided once more
        deviation = tuple(a * b for a, b in zip(deviation, processor.image_std, strict=True))
    return Preprocessing(cut, scaled, crop, factor, mean, deviation)


def _unreadable(checkpoint: str, finding: str) -> WrongUsageError:
    return WrongUsageError(
        f"{checkpoint}: preprocessor_config.json asks for {finding}; expected square pictures in "
        "RGB; compute these features with the checkpoint's own code and take them with "
        "`ivcr features import`"
    )


def _other_kind(checkpoint: str, network: Any, reason: str) -> str:
    return (
        f"{checkpoint}: is a model of type {shown(network.config.model_type)}, which {reason}; "
        "expected one of frames: of the CLIP kind, or a network of pictures such as ViT, DINOv2, "
        "ConvNeXt, ResNet, EfficientNet"
    )
