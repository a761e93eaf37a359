"""Recognises annotated events in videos: which attributes each moment shows, with what certainty.

Two networks, one after the other, trained from scratch on the train split's annotated events. A
small convolutional network looks at single frames, with the grey differences to the frames before
and after (motion); a temporal convolutional network (dilated, residual; Lea et al., CVPR 2017,
https://arxiv.org/abs/1611.05267) reads what it found, frame after frame, and says it again with the
neighbourhood in view. What comes out is one row a frame: a probability for each value of each
attribute, and the probability that an event is going on. dual_encoder, tan2d and moment_detr read
these rows and no pixels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from baselines import checkpoints, scripts
from baselines.features import PIXELS, Features, extract
from baselines.frames import Frames, Sampler
from baselines.protocol import Course, MissingInputError, Provenance, View
from baselines.scripts import Annotations, Attribute, Script
from baselines.training import StepBatches, fit, one_cycle
from harness.errors import WrongUsageError

SAMPLER = Sampler(rate=8, size=48)
CHANNELS = 5  # red, green, blue, what changed since the frame before, what changes until the next
WIDTH = 128  # of what the frame network hands on
FRAMES_AT_ONCE = 256

FRAME_RATE, FRAME_DECAY = 4e-3, 5e-2
CLIP_BATCH, CLIP = 24, 60  # clips, and frames of each
CLIP_RATE, CLIP_DECAY = 3e-3, 1e-2
CLIP_NOISE = 0.3

PREFIX = "recogniser."  # of its weights' names in a checkpoint
HOLDERS = ("dual_encoder", "tan2d", "moment_detr")  # whose checkpoints have one

PERMUTED = "labels_permuted"
PLACES = ("checkpoint", "recogniser")  # settings that name folders of one machine

Size = Literal["small", "full"]
FRAME_BATCH = {"small": 112, "full": 192}  # frames
FRAME_STEPS = {"small": 150, "full": 1000}
CLIP_STEPS = {"small": 120, "full": 600}
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
        values = scripts.size(attributes)
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
    """A trained recogniser as an encoder of frames, for baselines/features.py."""

    def __init__(self, recogniser: Recogniser, *, shuffled: bool = False) -> None:
        """shuffled: a control; the frames of each video are put in random order beforehand."""
        self._recogniser, self._shuffled = recogniser.eval(), shuffled
        weights = checkpoints.serialised(recogniser.state_dict())
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


def learn(
    view: View, course: Course, found: Annotations, size: Size, start: str
) -> tuple[Recogniser, Seen]:
    """A recogniser, trained on the annotated videos, or taken from the folder `start` if named.

    Also returns what it says of videos that it looked at on the way.

    Raises MissingInputError if no annotated video can be read; EnvironmentFailure or
    WrongUsageError if `start` does not hold one.
    """
    torch.manual_seed(course.seed)
    if start:
        return taken(Path(start), found.attributes), Seen({}, {})
    recogniser = Recogniser(found.attributes)
    pixels = _pixels(view, found)
    labels = {name: targets(found, found.scripts[name], pixels.times[name]) for name in pixels}
    fit(
        _FrameLesson(recogniser),
        StepBatches(_Drawn(pixels, labels, FRAME_BATCH[size]), _stacked, seed=course.seed).loader(),
        course,
        stage="frames",
        steps=FRAME_STEPS[size],
        note=view.note,
    )
    recogniser.eval()
    looked = {name: recogniser.looked(pixels[name]) for name in pixels}
    everything = torch.cat(list(looked.values()))
    recogniser.clip.mean.copy_(everything.mean(0))
    recogniser.clip.deviation.copy_(everything.std(0) + 1e-3)
    fit(
        _ClipLesson(recogniser),
        StepBatches(_Clips(looked, labels), _stacked, seed=course.seed).loader(),
        course,
        stage="clips",
        steps=CLIP_STEPS[size],
        note=view.note,
    )
    recogniser.eval()
    rows = {name: recogniser.said(each) for name, each in looked.items()}
    return recogniser, Seen(rows, pixels.times)


def watch(recogniser: Recogniser, names: Iterable[str], view: View, seen: Seen) -> Seen:
    """What it says of these videos and those in `seen`; those that cannot be read are left out."""
    missing = [view.videos[name] for name in names if name in view.videos and name not in seen.rows]
    found = extract(
        missing, view.folder, SAMPLER, Eyes(recogniser), cache=view.cache, note=view.note
    )
    rows = seen.rows | {name: np.asarray(found[name]) for name in found}
    return Seen({name: rows[name] for name in sorted(rows)}, seen.times | found.times)


def taken(folder: Path, attributes: tuple[Attribute, ...] | None = None) -> Recogniser:
    """The recogniser of a trained folder of any baseline that has one.

    Raises EnvironmentFailure or WrongUsageError as `checkpoints.load` does, and WrongUsageError
    if its attributes are not `attributes`.
    """
    kept = checkpoints.load(folder, baseline=HOLDERS)
    recogniser = restored(kept)
    if attributes is not None and recogniser.attributes != attributes:
        raise WrongUsageError(
            f"{folder}: its recogniser tells other attributes apart than the benchmark's "
            f"{scripts.FILE} names; leave the setting out, and one is trained"
        )
    return recogniser


def restored(kept: checkpoints.Checkpoint) -> Recogniser:
    """The recogniser in a checkpoint, as `facts` and `weights` put it there."""
    attributes = msgspec.convert(kept.facts["attributes"], tuple[Attribute, ...])
    recogniser = Recogniser(attributes)
    own = {n.removeprefix(PREFIX): w for n, w in kept.weights.items() if n.startswith(PREFIX)}
    recogniser.load_state_dict(own)
    return recogniser.eval()


def check_control(control: str, kept: checkpoints.Checkpoint) -> None:
    """Raise WrongUsageError if weights of permuted labels run without saying so, or others with."""
    trained = kept.settings["control"]
    if (control == PERMUTED) != (trained == PERMUTED):
        raise WrongUsageError(
            f"--set control={control}: the weights were trained with control={trained}; "
            f"{PERMUTED} is said in training and when it runs"
        )


def others(kept: checkpoints.Checkpoint) -> dict[str, Tensor]:
    """The weights in a checkpoint that are not the recogniser's."""
    return {name: w for name, w in kept.weights.items() if not name.startswith(PREFIX)}


def provenance(kept: checkpoints.Checkpoint, features: Features) -> Provenance:
    """What a baseline tells of a trained folder with a recogniser, and of the frames it saw."""
    settings = {name: of for name, of in kept.settings.items() if name not in PLACES}
    return Provenance(
        parameters=sum(weight.numel() for weight in kept.weights.values()),
        frames_per_video=f"{SAMPLER.rate:g} per second",
        training_data=(kept.facts["benchmark"],),
        details={
            "checkpoint": kept.sha256,
            "trained": {"settings": settings, "seed": kept.facts["seed"]},
            "decoder": features.decoder,
            "skipped": features.skipped,
        },
    )


def weights(recogniser: Recogniser) -> dict[str, Tensor]:
    """Its weights by the names under which a checkpoint keeps them."""
    return {PREFIX + name: weight for name, weight in recogniser.state_dict().items()}


def inputs(now: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """What the frame network reads: frames and those around them, bytes (n, h, w, 3) each.

    Returns (n, CHANNELS, h, w), channels last in memory: colours in [-1, 1], changes in [-2, 2].
    """
    colours, *around = (frames.float() for frames in (now, before, after))
    grey = colours.mean(3, keepdim=True)
    earlier, later = (frames.mean(3, keepdim=True) for frames in around)
    parts = [colours / 127.5 - 1, (grey - earlier) / 127.5, (later - grey) / 127.5]
    return torch.cat(parts, dim=3).permute(0, 3, 1, 2)


def targets(found: Annotations, script: Script, times: NDArray[np.int32]) -> NDArray[np.int64]:
    """What a video shows at `times` (ms): (n, attributes + 1), values numbered within attributes.

    -1: nothing to be said. The last column: 1 where an event is going on.
    """
    rows = np.full((len(times), len(found.attributes) + 1), -1)
    rows[:, -1] = 0
    owner = {
        attribute.first + place: (column, place)
        for column, attribute in enumerate(found.attributes)
        for place in range(len(attribute.values))
    }
    for value in script.values:
        column, place = owner[value]
        rows[:, column] = place
    for event in script.events:
        here = (times >= event.start) & (times < event.end)
        rows[here, -1] = 1
        for value in event.values:
            column, place = owner[value]
            rows[here, column] = place
    return rows


def losses(attributes: Sequence[Attribute], logits: Tensor, gold: Tensor) -> Tensor:
    """Cross entropies of all attributes and of "going on", added; (n, values + 1), (n, a + 1)."""
    total = nn.functional.binary_cross_entropy_with_logits(logits[:, -1], gold[:, -1].float())
    for column, attribute in enumerate(attributes):
        known = gold[:, column] >= 0
        if known.any():
            total = total + nn.functional.cross_entropy(
                logits[known, attribute.slice], gold[known, column]
            )
    return total


class _Drawn:
    """Draws frames of random videos, each with the one before and the one after: (3, h, w, 3)."""

    def __init__(
        self, pixels: Features, labels: Mapping[str, NDArray[np.int64]], size: int
    ) -> None:
        self._pixels, self._labels, self._size = pixels, labels, size
        self._names = sorted(labels)

    def __call__(self, step: int, generator: np.random.Generator) -> list[tuple[Any, Any]]:
        rows = []
        for name in generator.choice(self._names, self._size):
            pixels, labels = self._pixels[name], self._labels[name]
            at = int(generator.integers(len(pixels)))
            rows.append((pixels[[at, max(at - 1, 0), min(at + 1, len(pixels) - 1)]], labels[at]))
        return rows


class _Clips:
    """Draws clips of random videos, from what the frame network says of them."""

    def __init__(
        self, looked: Mapping[str, Tensor], labels: Mapping[str, NDArray[np.int64]]
    ) -> None:
        self._looked, self._labels = looked, labels
        self._names = sorted(name for name in labels if len(labels[name]) >= CLIP)
        self._names = self._names or sorted(labels)

    def __call__(self, step: int, generator: np.random.Generator) -> list[tuple[Any, Any]]:
        drawn = []
        for name in generator.choice(self._names, CLIP_BATCH):
            at = int(generator.integers(max(1, len(self._labels[name]) - CLIP + 1)))
            here = np.minimum(np.arange(at, at + CLIP), len(self._labels[name]) - 1)
            drawn.append((self._looked[name][here].numpy(), self._labels[name][here]))
        return drawn


def _stacked(rows: Sequence[tuple[Any, Any]]) -> tuple[Tensor, Tensor]:
    inputs, gold = zip(*rows, strict=True)
    return torch.from_numpy(np.stack(inputs)), torch.from_numpy(np.stack(gold))


class _FrameLesson(pl.LightningModule):
    def __init__(self, recogniser: Recogniser) -> None:
        super().__init__()
        self.net, self._attributes = recogniser.frame, recogniser.attributes

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        windows, gold = batch
        _, logits = self.net(_changed(inputs(*windows.unbind(1))))
        return losses(self._attributes, logits, gold)

    def configure_optimizers(self) -> Any:
        return one_cycle(self, FRAME_RATE, FRAME_DECAY)


def _changed(frames: Tensor) -> Tensor:
    """Frames in another contrast and brightness, with noise: (n, 5, h, w)."""
    size = (len(frames), 1, 1, 1)
    frames = frames * (0.85 + 0.3 * torch.rand(size, device=frames.device))
    light = 0.1 * torch.randn(size, device=frames.device)
    colours = frames[:, :3] + light
    frames = torch.cat([colours, frames[:, 3:]], dim=1)
    return frames + 0.04 * torch.randn_like(frames)


class _ClipLesson(pl.LightningModule):
    def __init__(self, recogniser: Recogniser) -> None:
        super().__init__()
        self.net, self._attributes = recogniser.clip, recogniser.attributes

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        rows, gold = batch
        return losses(self._attributes, self.net(rows).flatten(0, 1), gold.flatten(0, 1))

    def configure_optimizers(self) -> Any:
        return one_cycle(self, CLIP_RATE, CLIP_DECAY)


def _pixels(view: View, found: Annotations) -> Features:
    videos = [view.videos[name] for name in sorted(found.scripts) if name in view.videos]
    # Pixels are not kept from run to run: 7 kB a frame, and decoding takes seconds.
    pixels = extract(videos, view.folder, SAMPLER, PIXELS, cache=None, note=view.note)
    if not pixels:
        raise MissingInputError(
            f"none of the {len(videos):,} annotated videos can be read; see the paths in "
            f"{view.folder / 'videos.jsonl'}"
        )
    return pixels


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
