"""Recognises annotated events in videos: which attributes each moment shows, with what certainty.

Two networks, one after the other, trained from scratch on the train split's annotated events. A
small convolutional network looks at single frames, with the grey differences to the frames before
and after (motion); a temporal convolutional network (dilated, residual; Lea et al., CVPR 2017,
https://arxiv.org/abs/1611.05267) reads what it found, frame after frame, and says it again with the
neighbourhood in view. What comes out is one row a frame: a probability for each value of each
attribute, and the probability that an event is going on. dual_encoder, tan2d and moment_detr read
these rows and no pixels. Trained by recogniser_training.py, kept by recogniser_folders.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from baselines.base import View
from baselines.event_models import event_annotations
from baselines.event_models.event_annotations import Attribute
from baselines.training import checkpoints
from baselines.video.features import Features, extract_features
from baselines.video.sampling import Frames, Sampler

SAMPLER = Sampler(rate=8, size=48)
CHANNELS = 5  # red, green, blue, what changed since the frame before, what changes until the next
WIDTH = 128  # of what the frame network hands on
FRAMES_AT_ONCE = 256

CLIP_NOISE = 0.3  # deviation of what is added to inputs in training
Rows = NDArray[np.float32]


class FrameNet(nn.Module):
    """Frames (n, 5, 48, 48) to features (n, WIDTH) and logits (n, values + 1), "going on" last."""

    def __init__(self, values: int) -> None:
        """values: of all attributes together."""
        super().__init__()
        self.body = nn.Sequential(
            *_convolution(CHANNELS, 16, 5, 2),
            *_convolution(16, 32, 3, 2),
            *_convolution(32, 64, 3, 1),
            nn.MaxPool2d(2),
            *_convolution(64, 96, 3, 1),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(96 * 9, WIDTH, bias=False),
            nn.BatchNorm1d(WIDTH),
            nn.ReLU(),
        )
        self.head = nn.Linear(WIDTH, values + 1)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Features and logits."""
        features = self.body(frames.contiguous(memory_format=torch.channels_last))
        return features, self.head(features)


class ClipNet(nn.Module):
    """What FrameNet says of successive frames, (n, time, WIDTH + values + 1), said again: logits.

    The inputs are brought to mean 0 and deviation 1, as measured on the train split.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, values: int, width: int = 96) -> None:
        """values: of all attributes together."""
        super().__init__()
        inputs = WIDTH + values + 1
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("deviation", torch.ones(inputs))
        self.enter = nn.Conv1d(inputs, width, 1)
        self.layers = nn.ModuleList(_dilated(width, dilation) for dilation in (1, 2, 4))
        self.head = nn.Conv1d(width, values + 1, 1)

    def forward(self, rows: Tensor) -> Tensor:
        """Logits: (n, time, values + 1)."""
        rows = (rows - self.mean) / self.deviation
        if self.training:
            rows = rows + CLIP_NOISE * torch.randn_like(rows)
        state = self.enter(rows.transpose(1, 2))
        for layer in self.layers:
            state = state + layer(state)
        return self.head(state).transpose(1, 2)  # type: ignore[no-any-return]


class Recogniser(nn.Module):
    """Both networks, and the attributes whose values they tell apart."""

    def __init__(self, attributes: tuple[Attribute, ...]) -> None:
        """attributes: those of the annotations that it is trained on."""
        super().__init__()
        self.attributes = attributes
        values = event_annotations.size(attributes)
        self.frame, self.clip = FrameNet(values), ClipNet(values)

    @torch.inference_mode()
    def rows(self, pixels: NDArray[np.uint8]) -> Rows:
        """Probabilities for the frames of one video: (n, 48, 48, 3) to (n, values + 1)."""
        return self.said(self.looked(pixels))

    @torch.inference_mode()
    def looked(self, pixels: NDArray[np.uint8]) -> Tensor:
        """What the frame network says of the frames of one video: (n, WIDTH + values + 1)."""
        last = len(pixels) - 1
        parts = []
        for first in range(0, len(pixels), FRAMES_AT_ONCE):
            now = np.arange(first, min(first + FRAMES_AT_ONCE, last + 1))
            places = (now, np.maximum(now - 1, 0), np.minimum(now + 1, last))
            frames = inputs(*(torch.from_numpy(pixels[place]) for place in places))
            parts.append(torch.cat(self.frame(frames), dim=1))
        return torch.cat(parts)

    @torch.inference_mode()
    def said(self, looked: Tensor) -> Rows:
        """What the second network makes of it: (n, values + 1)."""
        logits = self.clip(looked[None])[0]
        parts = [logits[:, a.slice].softmax(-1) for a in self.attributes]
        return torch.cat([*parts, logits[:, -1:].sigmoid()], dim=1).numpy()


class Eyes:
    """A trained recogniser as an encoder of frames, for baselines/video/features.py."""

    def __init__(self, recogniser: Recogniser, *, shuffled: bool = False) -> None:
        """shuffled: a control; the frames of each video are put in random order beforehand."""
        self._recogniser, self._shuffled = recogniser.eval(), shuffled
        weights = checkpoints.to_safetensors(recogniser.state_dict())
        self.key = f"recogniser {hashlib.sha256(weights).hexdigest()}"
        if shuffled:
            self.key += ", frames shuffled"

    def encode(self, frames: Frames) -> Rows:
        """One row a frame: (n, values + 1)."""
        pixels = frames.pixels
        if self._shuffled:
            pixels = pixels[np.random.default_rng(len(pixels)).permutation(len(pixels))]
        return self._recogniser.rows(pixels)


class Seen(NamedTuple):
    """What a recogniser says of videos, by id: rows (n, values + 1), at times (n,) in ms."""

    rows: dict[str, Rows]
    times: dict[str, NDArray[np.int32]]


def watched(eyes: Eyes, names: Iterable[str], view: View) -> Features:
    """What it says of these videos, as features; those that cannot be read are left out."""
    videos = [view.videos[name] for name in names if name in view.videos]
    return extract_features(videos, view.folder, SAMPLER, eyes, cache=view.cache, note=view.note)


def watch(recogniser: Recogniser, names: Iterable[str], view: View, seen: Seen) -> Seen:
    """What it says of these videos and those in `seen`; those that cannot be read are left out."""
    found = watched(Eyes(recogniser), [name for name in names if name not in seen.rows], view)
    rows = seen.rows | {name: np.asarray(found[name]) for name in found}
    return Seen({name: rows[name] for name in sorted(rows)}, seen.times | found.times)


def inputs(now: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """What the frame network reads: frames and those around them, bytes (n, h, w, 3) each.

    Returns (n, CHANNELS, h, w), channels last in memory: colours in [-1, 1], changes in [-2, 2].
    """
    colours, *around = (frames.float() for frames in (now, before, after))
    grey = colours.mean(3, keepdim=True)
    earlier, later = (frames.mean(3, keepdim=True) for frames in around)
    parts = [colours / 127.5 - 1, (grey - earlier) / 127.5, (later - grey) / 127.5]
    return torch.cat(parts, dim=3).permute(0, 3, 1, 2)


def _convolution(inputs: int, outputs: int, size: int, stride: int) -> Iterator[nn.Module]:
    yield nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False)
    yield nn.BatchNorm2d(outputs)
    yield nn.ReLU()


def _dilated(width: int, dilation: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv1d(width, width, 5, padding=2 * dilation, dilation=dilation, bias=False),
        nn.BatchNorm1d(width),
        nn.ReLU(),
        nn.Dropout(0.2),
    )
