"""Training a recogniser (recogniser.py) on a train split's annotated events, in two stages.

Single random frames first, in other contrast and brightness and with noise; then clips of what the
frame network says of whole videos. Cross entropy over the values of each attribute where an event
goes on, binary cross entropy for whether one does. Batch norm is over the batch of each process.
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
from baselines.event_models.event_annotations import Annotations, Attribute, Script
from baselines.event_models.recogniser import SAMPLER, Recogniser, Seen, inputs
from baselines.event_models.recogniser_checkpoints import taken
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


def learn(
    view: View, config: TrainerConfig, found: Annotations, size: Size, start: str
) -> tuple[Recogniser, Seen]:
    """A recogniser, trained on the annotated videos, or taken from the folder `start` if named.

    Also returns what it says of videos that it looked at on the way.

    Raises MissingInputError if no annotated video can be read; EnvironmentFailure or
    WrongUsageError if `start` does not hold one.
    """
    torch.manual_seed(config.seed)
    if start:
        return taken(Path(start), found.attributes), Seen({}, {})
    recogniser = Recogniser(found.attributes)
    pixels = _pixels(view, found)
    labels = {name: targets(found, found.scripts[name], pixels.times[name]) for name in pixels}
    fit(
        _FrameLesson(recogniser),
        StepBatches(_Drawn(pixels, labels, FRAME_BATCH[size]), _stacked, seed=config.seed).loader(),
        config,
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
        StepBatches(_Clips(looked, labels), _stacked, seed=config.seed).loader(),
        config,
        stage="clips",
        steps=CLIP_STEPS[size],
        note=view.note,
    )
    recogniser.eval()
    rows = {name: recogniser.said(each) for name, each in looked.items()}
    return recogniser, Seen(rows, pixels.times)


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
        """The loss of frames: bytes (n, 3, h, w, 3), each with those around it; gold (n, a + 1)."""
        windows, gold = batch
        _, logits = self.net(_changed(inputs(*windows.unbind(1))))
        return losses(self._attributes, logits, gold)

    def configure_optimizers(self) -> Any:
        """AdamW with one cycle of its rate."""
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
        """The loss of clips: (n, CLIP, inputs) and gold (n, CLIP, a + 1)."""
        rows, gold = batch
        return losses(self._attributes, self.net(rows).flatten(0, 1), gold.flatten(0, 1))

    def configure_optimizers(self) -> Any:
        """AdamW with one cycle of its rate."""
        return one_cycle(self, CLIP_RATE, CLIP_DECAY)


def _pixels(view: View, found: Annotations) -> Features:
    videos = [view.videos[name] for name in sorted(found.scripts) if name in view.videos]
    # Pixels are not kept from run to run: 7 kB a frame, and decoding takes seconds.
    pixels = extract_features(videos, view.folder, SAMPLER, PIXELS, cache=None, note=view.note)
    if not pixels:
        raise MissingInputError(
            f"none of the {len(videos):,} annotated videos can be read; see the paths in "
            f"{view.folder / 'videos.jsonl'}"
        )
    return pixels
