"""A frame network trained from scratch: one row for a frame and its change until the next one.

A small convolutional network reads the colours of a frame and their differences from the frame an
eighth of a second later. It is trained by whatever reads its rows; nothing is annotated in frames.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from baselines.video.sampling import Frames, Sampler

RATE, SIZE = 8, 48  # frames a second, and their side in pixels
CHANNELS = (8, 24, 48, 64)
WIDTH = 128
FRAMES_AT_ONCE = 256
CHANGE = 64.0  # of a colour that is the input 1
Rows = NDArray[np.float32]


class FrameNetwork(nn.Module):
    """Pairs of successive frames to rows."""

    def __init__(self) -> None:
        """Initialise the weights at random."""
        super().__init__()
        side = SIZE >> len(CHANNELS)
        self.body = nn.Sequential(
            *_convolutions((6, *CHANNELS)),
            nn.Flatten(),
            nn.Linear(CHANNELS[-1] * side * side, WIDTH, bias=False),
            nn.BatchNorm1d(WIDTH),
            nn.ReLU(),
        )

    def forward(self, pairs: Tensor) -> Tensor:
        """Rows (n, WIDTH) of bytes (n, 2, SIZE, SIZE, 3): a frame and the next one."""
        now, later = pairs.float().unbind(1)
        inputs = torch.cat([now / 127.5 - 1, (later - now) / CHANGE], dim=3).permute(0, 3, 1, 2)
        if self.training:
            inputs = _augment(inputs)
        rows: Tensor = self.body(inputs.contiguous(memory_format=torch.channels_last))
        return rows


class FrameNetworkEncoder:
    """A trained frame network as an encoder of frames, for baselines/video/features.py."""

    width = WIDTH

    def __init__(self, network: FrameNetwork, *, shuffled: bool = False) -> None:
        """shuffled: a control; the frames of each video are encoded in random order."""
        self._network, self._shuffled = network.eval(), shuffled
        weights = {key: value.contiguous() for key, value in network.state_dict().items()}
        digest = hashlib.sha256(safetensors.torch.save(weights)).hexdigest()
        self.key = f"frame network {digest}" + ", frames shuffled" * shuffled
        self.parameters = sum(weight.numel() for weight in network.parameters())

    def sampler(self, rate: float | None = None, most: int | None = None) -> Sampler:
        """The sampler of its frames. The rate is its own, because a change depends on it."""
        return Sampler(rate=RATE, size=SIZE, most=most)

    @torch.inference_mode()
    def encode(self, frames: Frames) -> Rows:
        """One row for each frame of one video: (frames, WIDTH)."""
        pixels = frames.pixels
        if self._shuffled:
            pixels = pixels[np.random.default_rng(len(pixels)).permutation(len(pixels))]
        places = np.arange(len(pixels))
        device = next(self._network.parameters()).device
        parts = [
            torch.from_numpy(frame_pairs(pixels, places[at : at + FRAMES_AT_ONCE])).to(device)
            for at in range(0, len(places), FRAMES_AT_ONCE)
        ]
        return torch.cat([self._network(part) for part in parts]).cpu().numpy()


def frame_pairs(pixels: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The frames at `places`, (k,), and the next ones: (k, 2, h, w, 3) of pixels (n, h, w, 3).

    The last frame is paired with the one before it, because a video's end is no change.
    """
    first = np.maximum(np.minimum(places, len(pixels) - 2), 0)
    return np.stack([pixels[first], pixels[np.minimum(first + 1, len(pixels) - 1)]], axis=1)


def _convolutions(channels: tuple[int, ...]) -> Iterator[nn.Module]:
    """Convolutions that halve the side, the first one of 5 x 5 pixels, the others of 3 x 3."""
    for at, (inputs, outputs) in enumerate(itertools.pairwise(channels)):
        size = 3 if at else 5
        yield nn.Conv2d(inputs, outputs, size, 2, size // 2, bias=False)
        yield nn.BatchNorm2d(outputs)
        yield nn.ReLU()


def _augment(inputs: Tensor) -> Tensor:
    """Inputs, (n, 6, h, w), in random contrast and brightness; result alike."""
    size = (len(inputs), 1, 1, 1)
    inputs = inputs * (0.85 + 0.3 * torch.rand(size, device=inputs.device))
    colours = inputs[:, :3] + 0.1 * torch.randn(size, device=inputs.device)
    return torch.cat([colours, inputs[:, 3:]], dim=1)
