"""The recogniser: which annotated attributes each frame of a video shows, with probabilities.

Two networks in sequence, trained from scratch on annotated events, which only IVCR-Mini has. A
small convolutional network reads single frames, with the grey differences to the frames before and
after (motion). A temporal convolutional network (dilated, residual; Lea et al., CVPR 2017,
https://arxiv.org/abs/1611.05267) reads the features of successive frames and predicts again, with
the neighbouring frames in view. The output is one row per frame: a probability for each value of
each attribute, and the probability that an event goes on. dual_encoder, tan2d and moment_detr read
these rows and no pixels. recogniser_training.py trains it, recogniser_checkpoints.py stores it.
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
from baselines.event_models.event_annotations import Attribute, value_count
from baselines.training import checkpoints
from baselines.video.features import Features, extract_features
from baselines.video.sampling import Frames, Sampler

SAMPLER = Sampler(rate=8, size=48)
CHANNELS = 5  # red, green, blue, grey change since the frame before and until the next
WIDTH = 128  # of the frame network's features
FRAMES_AT_ONCE = 256

CLIP_NOISE = 0.3  # deviation of the noise that training adds to inputs
Rows = NDArray[np.float32]


class FrameNet(nn.Module):
    """Frames to features and logits; the last logit is that an event goes on."""

    def __init__(self, values: int) -> None:
        """values: the number of all attributes' values."""
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
        """Features (n, WIDTH) and logits (n, values + 1) of frames (n, CHANNELS, 48, 48)."""
        features = self.body(frames.contiguous(memory_format=torch.channels_last))
        return features, self.head(features)


class ClipNet(nn.Module):
    """The features and logits of successive frames to better logits.

    The inputs are scaled to mean 0 and deviation 1, as measured on the train split.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, values: int, width: int = 96) -> None:
        """values: the number of all attributes' values."""
        super().__init__()
        inputs = WIDTH + values + 1
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("deviation", torch.ones(inputs))
        self.enter = nn.Conv1d(inputs, width, 1)
        self.layers = nn.ModuleList(_dilated(width, dilation) for dilation in (1, 2, 4))
        self.head = nn.Conv1d(width, values + 1, 1)

    def forward(self, rows: Tensor) -> Tensor:
        """Logits (n, frames, values + 1) of rows (n, frames, WIDTH + values + 1)."""
        rows = (rows - self.mean) / self.deviation
        if self.training:
            rows = rows + CLIP_NOISE * torch.randn_like(rows)
        state = self.enter(rows.transpose(1, 2))
        for layer in self.layers:
            state = state + layer(state)
        return self.head(state).transpose(1, 2)  # type: ignore[no-any-return]


class Recogniser(nn.Module):
    """Both networks, and the attributes whose values they predict."""

    def __init__(self, attributes: tuple[Attribute, ...]) -> None:
        """attributes: those of the annotations that it is trained on."""
        super().__init__()
        self.attributes = attributes
        values = value_count(attributes)
        self.frame, self.clip = FrameNet(values), ClipNet(values)

    @torch.inference_mode()
    def recognise(self, pixels: NDArray[np.uint8]) -> Rows:
        """Probabilities of one video's frames: (n, 48, 48, 3) to (n, values + 1)."""
        return self.predict_proba(self.encode_frames(pixels))

    @torch.inference_mode()
    def encode_frames(self, pixels: NDArray[np.uint8]) -> Tensor:
        """The frame network's features and logits of one video.

        pixels: (n, 48, 48, 3); returns (n, WIDTH + values + 1).
        """
        last = len(pixels) - 1
        parts = []
        for first in range(0, len(pixels), FRAMES_AT_ONCE):
            now = np.arange(first, min(first + FRAMES_AT_ONCE, last + 1))
            places = (now, np.maximum(now - 1, 0), np.minimum(now + 1, last))
            frames = frame_inputs(*(torch.from_numpy(pixels[place]) for place in places))
            parts.append(torch.cat(self.frame(frames), dim=1))
        return torch.cat(parts)

    @torch.inference_mode()
    def predict_proba(self, encoded: Tensor) -> Rows:
        """Probabilities from encoded frames: (n, WIDTH + values + 1) to (n, values + 1)."""
        logits = self.clip(encoded[None])[0]
        parts = [logits[:, a.slice].softmax(-1) for a in self.attributes]
        return torch.cat([*parts, logits[:, -1:].sigmoid()], dim=1).numpy()


class RecogniserEncoder:
    """A trained recogniser as an encoder of frames, for baselines/video/features.py."""

    def __init__(self, recogniser: Recogniser, *, shuffled: bool = False) -> None:
        """shuffled: a control; the frames of each video are encoded in random order."""
        self._recogniser, self._shuffled = recogniser.eval(), shuffled
        weights = checkpoints.to_safetensors(recogniser.state_dict())
        self.key = f"recogniser {hashlib.sha256(weights).hexdigest()}"
        if shuffled:
            self.key += ", frames shuffled"

    def encode(self, frames: Frames) -> Rows:
        """One row per frame: (frames, values + 1)."""
        pixels = frames.pixels
        if self._shuffled:
            pixels = pixels[np.random.default_rng(len(pixels)).permutation(len(pixels))]
        return self._recogniser.recognise(pixels)


class FrameFeatures(NamedTuple):
    """A recogniser's rows by video id, (frames, values + 1), and their times, (frames,) in ms."""

    rows: dict[str, Rows]
    times: dict[str, NDArray[np.int32]]


def encode_videos(encoder: RecogniserEncoder, names: Iterable[str], view: View) -> Features:
    """The rows of these videos, kept in the cache; videos that cannot be read are left out."""
    videos = [view.videos[name] for name in names if name in view.videos]
    return extract_features(videos, view.folder, SAMPLER, encoder, cache=view.cache, note=view.note)


def recognise_videos(
    recogniser: Recogniser, names: Iterable[str], view: View, known: FrameFeatures
) -> FrameFeatures:
    """The rows of these videos, added to the `known` ones; unreadable videos are left out."""
    missing = [name for name in names if name not in known.rows]
    features = encode_videos(RecogniserEncoder(recogniser), missing, view)
    rows = known.rows | {name: np.asarray(features[name]) for name in features}
    return FrameFeatures({name: rows[name] for name in sorted(rows)}, known.times | features.times)


def frame_inputs(now: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """The frame network's input from frames and their neighbours, bytes (n, h, w, 3) each.

    Returns (n, CHANNELS, h, w), channels last in memory: colours in [-1, 1], changes in [-2, 2].
    """
    colours, *neighbours = (frames.float() for frames in (now, before, after))
    grey = colours.mean(3, keepdim=True)
    earlier, later = (frames.mean(3, keepdim=True) for frames in neighbours)
    parts = [colours / 127.5 - 1, (grey - earlier) / 127.5, (later - grey) / 127.5]
    return torch.cat(parts, dim=3).permute(0, 3, 1, 2)


def _convolution(frame_inputs: int, outputs: int, size: int, stride: int) -> Iterator[nn.Module]:
    yield nn.Conv2d(frame_inputs, outputs, size, stride, size // 2, bias=False)
    yield nn.BatchNorm2d(outputs)
    yield nn.ReLU()


def _dilated(width: int, dilation: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv1d(width, width, 5, padding=2 * dilation, dilation=dilation, bias=False),
        nn.BatchNorm1d(width),
        nn.ReLU(),
        nn.Dropout(0.2),
    )
