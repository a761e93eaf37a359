"""EfficientNet-Lite0: the network of pictures, trained on ImageNet, of which a package has weights.

EfficientNet-B0 without squeeze-and-excitation and with ReLU6: 3.4 million weights without the
classifier, which is left out. A frame's row is the mean over the last layer's map. Frames are
stretched to the network's square, so that nothing at their edges is lost, and normalised as in the
release that the weights descend from: (x - 127) / 128. Rows are not scaled. Tan and Le, 2019;
https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from baselines.encoders.resolve import loading, locate_checkpoint
from baselines.encoders.weights_report import NEXT_STEP, check_names
from baselines.video.sampling import Frames, Sampler

MODEL_TYPE = "efficientnet-lite0"  # in config.json
WEIGHTS = "model.safetensors"
SIDE, WIDTH, BATCH = 224, 1280, 64
MEAN, DEVIATION = 127.0, 128.0
STEM = 32  # channels
EPSILON = 1e-3


class StageConfig(NamedTuple):
    """Blocks of one kind. The first has the stride and the change of channels."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STAGES = (
    StageConfig(1, 3, 1, 1, 16),
    StageConfig(2, 3, 2, 6, 24),
    StageConfig(2, 5, 2, 6, 40),
    StageConfig(3, 3, 2, 6, 80),
    StageConfig(3, 5, 1, 6, 112),
    StageConfig(4, 5, 2, 6, 192),
    StageConfig(1, 3, 1, 6, 320),
)


class _Unit(nn.Module):
    """Padding as in TensorFlow ("same"), convolution, normalisation, and ReLU6 where `bounded`."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1,
        *, bounded: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        total = kernel - stride  # of an even side; the odd pixel comes after
        self.pad = nn.ZeroPad2d((total // 2, total - total // 2) * 2) if kernel > 1 else None
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=EPSILON)
        self.bounded = bounded

    def forward(self, maps: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, outputs, h / stride, w / stride)."""
        found: Tensor = self.norm(self.conv(maps if self.pad is None else self.pad(maps)))
        return nn.functional.relu6(found) if self.bounded else found


class _Block(nn.Module):
    """An inverted bottleneck: expand, convolve each channel, project; added where it fits."""

    def __init__(self, inputs: int, stage: StageConfig, stride: int) -> None:
        super().__init__()
        inner = inputs * stage.expansion
        self.expand = _Unit(inputs, inner) if stage.expansion > 1 else None
        self.depthwise = _Unit(inner, inner, stage.kernel, stride, inner)
        self.project = _Unit(inner, stage.channels, bounded=False)
        self.adds = stride == 1 and inputs == stage.channels

    def forward(self, maps: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, channels, h / stride, w / stride)."""
        inner = maps if self.expand is None else self.expand(maps)
        found: Tensor = self.project(self.depthwise(inner))
        return found + maps if self.adds else found


class EfficientNetLite(nn.Module):
    """Pictures to rows."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Unit(3, STEM, 3, 2)
        blocks, channels = [], STEM
        for stage in STAGES:
            for number in range(stage.blocks):
                blocks.append(_Block(channels, stage, stage.stride if number == 0 else 1))
                channels = stage.channels
        self.blocks = nn.Sequential(*blocks)
        self.head = _Unit(channels, WIDTH)

    def forward(self, pictures: Tensor) -> Tensor:
        """Normalised pictures, (n, 3, SIDE, SIDE), to rows, (n, WIDTH)."""
        maps: Tensor = self.head(self.blocks(self.stem(pictures)))
        return maps.mean(dim=(2, 3))


class EfficientNetEncoder:
    """The network as an encoder of frames (baselines/video/features.py).

    A row depends on its own video's frames alone, which go through in batches of 64.
    """

    width = WIDTH

    def __init__(self, network: EfficientNetLite, key: str) -> None:
        """key: names weights and preprocessing."""
        self.key = key
        self._network = network.to("cuda" if torch.cuda.is_available() else "cpu").eval()

    @property
    def parameters(self) -> int:
        """The number of its weights."""
        return sum(weight.numel() for weight in self._network.parameters())

    def sampler(self, rate: float, most: int | None) -> Sampler:
        """Frames at `rate` a second, at most `most`, as squares of SIDE pixels."""
        return Sampler(rate, SIDE, most)

    @torch.inference_mode()
    def encode(self, frames: Frames) -> NDArray[np.float32]:
        """One row for each frame of one video: shape (n, WIDTH)."""
        device = next(self._network.parameters()).device
        parts = []
        for at in range(0, max(1, len(frames.pixels)), BATCH):
            pixels = torch.from_numpy(frames.pixels[at : at + BATCH].copy()).to(device)
            inputs = (pixels.float().permute(0, 3, 1, 2) - MEAN) / DEVIATION
            parts.append(self._network(inputs).cpu().numpy())
        return np.concatenate(parts)


def load_efficientnet_lite(
    checkpoint: str, revision: str | None, note: Callable[[str], None] | None = None
) -> EfficientNetEncoder:
    """Load the folder that `ivcr weights unpack efficientnet` makes.

    Raises EnvironmentFailure if it is absent, damaged, or has other weights; WrongUsageError if a
    revision is given for a folder.
    """
    folder, key = locate_checkpoint(checkpoint, revision)
    network = EfficientNetLite()
    with loading(checkpoint, folder):
        weights = load_file(Path(folder) / WEIGHTS)
    check_names(checkpoint, network.state_dict(), weights, next_step=NEXT_STEP)
    network.load_state_dict(weights)
    encoder = EfficientNetEncoder(network, key)
    if note is not None:
        note(f"{checkpoint}: {MODEL_TYPE}, {encoder.parameters:,} weights")
    return encoder
