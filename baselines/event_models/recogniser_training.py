"""Training a recogniser on annotated events, which only IVCR-Mini has, in two stages.

The first stage trains the frame network on single random frames, in random contrast and brightness
and with noise. The second trains the temporal network on clips of the frame network's output. The
loss is cross entropy over the values of each attribute where an event goes on, plus binary cross
entropy for whether one does. Batch norm is over the batch of each process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from baselines.base import MissingInputError, TrainerConfig, View
from baselines.event_models.event_annotations import Attribute, EventAnnotations, VideoAnnotation
from baselines.event_models.recogniser import SAMPLER, FrameFeatures, Recogniser, frame_inputs
from baselines.event_models.recogniser_checkpoints import load_recogniser
from baselines.training.batches import StepBatches
from baselines.training.fit import fit, one_cycle
from baselines.video.features import PIXELS, Features, extract_features

Size = Literal["small", "full"]
FRAME_BATCH = {"small": 112, "full": 192}  # frames
FRAME_STEPS = {"small": 150, "full": 1000}
FRAME_RATE, FRAME_DECAY = 4e-3, 5e-2
CLIP_BATCH, CLIP = 24, 60  # clips, and frames of each
CLIP_STEPS = {"small": 120, "full": 600}
CLIP_RATE, CLIP_DECAY = 3e-3, 1e-2


def train_recogniser(
    view: View, config: TrainerConfig, annotations: EventAnnotations, size: Size, start: str
) -> tuple[Recogniser, FrameFeatures]:
    """Train a recogniser on the annotated videos, or load the one in the folder `start` if named.

    Also returns the rows of the videos that training has read.

    Raises MissingInputError if no annotated video can be read; EnvironmentFailure or
    WrongUsageError if `start` holds no recogniser.
    """
    torch.manual_seed(config.seed)
    if start:
        return load_recogniser(Path(start), annotations.attributes), FrameFeatures({}, {})
    recogniser = Recogniser(annotations.attributes)
    pixels = _pixels(view, annotations)
    labels = {
        name: frame_targets(annotations, annotations.videos[name], pixels.times[name])
        for name in pixels
    }
    frames = _FrameSampler(pixels, labels, FRAME_BATCH[size])
    fit(
        _FrameModule(recogniser),
        StepBatches(frames, _collate, seed=config.seed).loader(),
        config,
        stage="frames",
        steps=FRAME_STEPS[size],
        note=view.note,
    )
    recogniser.eval()
    encoded = {name: recogniser.encode_frames(pixels[name]) for name in pixels}
    inputs = torch.cat(list(encoded.values()))
    recogniser.clip.mean.copy_(inputs.mean(0))
    recogniser.clip.deviation.copy_(inputs.std(0) + 1e-3)
    fit(
        _ClipModule(recogniser),
        StepBatches(_ClipSampler(encoded, labels), _collate, seed=config.seed).loader(),
        config,
        stage="clips",
        steps=CLIP_STEPS[size],
        note=view.note,
    )
    recogniser.eval()
    rows = {name: recogniser.predict_proba(each) for name, each in encoded.items()}
    return recogniser, FrameFeatures(rows, pixels.times)


def frame_targets(
    annotations: EventAnnotations, video: VideoAnnotation, times: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Targets of a video's frames at times, (frames,) in ms: (frames, attributes + 1).

    Values are numbered within their attribute; -1 where none is annotated. The last column is 1
    where an event goes on, else 0.
    """
    rows = np.full((len(times), len(annotations.attributes) + 1), -1)
    rows[:, -1] = 0
    columns = {
        attribute.first + place: (column, place)
        for column, attribute in enumerate(annotations.attributes)
        for place in range(len(attribute.values))
    }
    for value in video.values:
        column, place = columns[value]
        rows[:, column] = place
    for event in video.events:
        inside = (times >= event.start) & (times < event.end)
        rows[inside, -1] = 1
        for value in event.values:
            column, place = columns[value]
            rows[inside, column] = place
    return rows


def attribute_loss(attributes: Sequence[Attribute], logits: Tensor, gold: Tensor) -> Tensor:
    """The sum of all attributes' cross entropies and of "an event goes on": a scalar.

    logits: (n, values + 1); gold: (n, attributes + 1), as `frame_targets` has it.
    """
    total = nn.functional.binary_cross_entropy_with_logits(logits[:, -1], gold[:, -1].float())
    for column, attribute in enumerate(attributes):
        known = gold[:, column] >= 0
        if known.any():
            total = total + nn.functional.cross_entropy(
                logits[known, attribute.slice], gold[known, column]
            )
    return total


class _FrameSampler:
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


class _ClipSampler:
    """Draws clips of random videos from their encoded frames."""

    def __init__(
        self, encoded: Mapping[str, Tensor], labels: Mapping[str, NDArray[np.int64]]
    ) -> None:
        self._encoded, self._labels = encoded, labels
        self._names = sorted(name for name in labels if len(labels[name]) >= CLIP)
        self._names = self._names or sorted(labels)

    def __call__(self, step: int, generator: np.random.Generator) -> list[tuple[Any, Any]]:
        rows = []
        for name in generator.choice(self._names, CLIP_BATCH):
            at = int(generator.integers(max(1, len(self._labels[name]) - CLIP + 1)))
            clip = np.minimum(np.arange(at, at + CLIP), len(self._labels[name]) - 1)
            rows.append((self._encoded[name][clip].numpy(), self._labels[name][clip]))
        return rows


def _collate(rows: Sequence[tuple[Any, Any]]) -> tuple[Tensor, Tensor]:
    inputs, gold = zip(*rows, strict=True)
    return torch.from_numpy(np.stack(inputs)), torch.from_numpy(np.stack(gold))


class _FrameModule(pl.LightningModule):
    def __init__(self, recogniser: Recogniser) -> None:
        super().__init__()
        self.net, self._attributes = recogniser.frame, recogniser.attributes

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """The loss of frames, bytes (n, 3, h, w, 3) with their neighbours; gold (n, a + 1)."""
        windows, gold = batch
        _, logits = self.net(_augment(frame_inputs(*windows.unbind(1))))
        return attribute_loss(self._attributes, logits, gold)

    def configure_optimizers(self) -> Any:
        """AdamW with a one-cycle learning rate."""
        return one_cycle(self, FRAME_RATE, FRAME_DECAY)


def _augment(frames: Tensor) -> Tensor:
    """Frames, (n, 5, h, w), in random contrast and brightness, with noise; result alike."""
    size = (len(frames), 1, 1, 1)
    frames = frames * (0.85 + 0.3 * torch.rand(size, device=frames.device))
    brightness = 0.1 * torch.randn(size, device=frames.device)
    colours = frames[:, :3] + brightness
    frames = torch.cat([colours, frames[:, 3:]], dim=1)
    return frames + 0.04 * torch.randn_like(frames)


class _ClipModule(pl.LightningModule):
    def __init__(self, recogniser: Recogniser) -> None:
        super().__init__()
        self.net, self._attributes = recogniser.clip, recogniser.attributes

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """The loss of clips: (n, CLIP, inputs) and gold (n, CLIP, a + 1)."""
        rows, gold = batch
        return attribute_loss(self._attributes, self.net(rows).flatten(0, 1), gold.flatten(0, 1))

    def configure_optimizers(self) -> Any:
        """AdamW with a one-cycle learning rate."""
        return one_cycle(self, CLIP_RATE, CLIP_DECAY)


def _pixels(view: View, annotations: EventAnnotations) -> Features:
    videos = [view.videos[name] for name in sorted(annotations.videos) if name in view.videos]
    # Pixels are not kept from run to run: 7 kB a frame, and decoding takes seconds.
    pixels = extract_features(videos, view.folder, SAMPLER, PIXELS, cache=None, note=view.note)
    if not pixels:
        raise MissingInputError(
            f"expected annotated videos that can be read, found none among {len(videos):,}; see "
            f"the paths in {view.folder / 'videos.jsonl'}"
        )
    return pixels
