"""Training a localiser on the gold spans of the train split: no annotated events, no foils."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from baselines.base import LabelledSplit, TrainerConfig, View
from baselines.event_models.controls import LABELS_PERMUTED, training_split
from baselines.features.feature_sets import open_features
from baselines.localisation.heads import STEPS
from baselines.localisation.localiser_settings import LocaliserSettings, Size
from baselines.localisation.moment_batches import BATCH, MomentSampler, collate_videos
from baselines.localisation.moment_data import MomentData, moment_videos
from baselines.localisation.moment_inputs import InputFacts, feature_lines, text_reader
from baselines.localisation.span_localiser import MomentBatch, SpanLocaliser
from baselines.localisation.validated_module import ValidatedModule
from baselines.localisation.video_steps import (
    PixelSource,
    RowSource,
    StepPlaces,
    VideoSource,
    read_pixels,
)
from baselines.networks.frame_network import FrameNetworkEncoder
from baselines.networks.text_network import collate_tokens
from baselines.networks.vocabulary import Vocabulary
from baselines.training import checkpoints
from baselines.training.batches import StepBatches
from baselines.training.fit import fit, to_device
from baselines.video.sampling import Frames
from harness.benchmark import Benchmark

DECAY = 2e-2
LEAST = 150  # steps: of few videos even a few hundred passes are soon done
TEXTS = ("video", "moment")  # tasks of the turns whose words make the vocabulary


class MomentSchedule(NamedTuple):
    """The greatest learning rate, and how often each size shows each video; LEAST steps or more."""

    rate: float
    passes: Mapping[Size, int]

    def steps(self, size: Size, videos: int) -> int:
        """The number of steps for so many videos."""
        return max(LEAST, math.ceil(self.passes[size] * videos / BATCH))


def train_on_spans(
    name: str, settings: LocaliserSettings, head: type[nn.Module], view: View,
    config: TrainerConfig, schedule: MomentSchedule,
) -> None:  # fmt: skip
    """Train a localiser with that head; write the folder `config.out`.

    Raises WrongUsageError at settings that contradict each other, MissingInputError if no moment
    turn of the train split has a gold span in a video that can be read.
    """
    training = training_split(view, settings.control)
    videos, lines, width = _videos(settings, training, view)
    pieces = () if settings.text else _vocabulary(training).pieces
    text = text_reader(settings, pieces, view)
    data = MomentData.of_splits(training, view.validation, videos, text.encode)
    if settings.control == LABELS_PERMUTED:
        data = data.shuffle_labels(config.seed)
    facts = InputFacts(lines, pieces, text.key, width, text.width)
    torch.manual_seed(config.seed)
    module = MomentModule(SpanLocaliser(facts.inputs, head()), data, schedule.rate)
    sampler = MomentSampler(data)
    fit(
        module,
        StepBatches(sampler, collate_videos, seed=config.seed).loader(),
        config,
        stage="localiser",
        steps=schedule.steps(settings.size, sampler.videos),
        validation=DataLoader(range(len(data.val)), batch_size=64) if data.val else None,  # type: ignore[arg-type]
        times=3,
        note=view.note,
    )
    checkpoints.save(
        config.out,
        baseline=name,
        settings=settings,
        weights=module.localiser.state_dict(),
        facts={
            "benchmark": f"{Benchmark(view.folder).header.name} train",
            "inputs": msgspec.to_builtins(facts),
            "seed": config.seed,
            "validation": module.figures,
        },
    )


def _videos(
    settings: LocaliserSettings, training: LabelledSplit, view: View
) -> tuple[VideoSource, tuple[str, ...], int]:
    """What training shows of the videos; the features' lines and width, if there are any."""
    names = moment_videos(training, view.validation)
    if not settings.features:
        return PixelSource(read_pixels(view, names)), (), 0
    features = open_features(settings.features, names, view.folder, view.note)
    return RowSource(features), feature_lines(features), features.width


def _vocabulary(training: LabelledSplit) -> Vocabulary:
    return Vocabulary.of_texts(turn.utterance for turn in training.turns if turn.task in TEXTS)


class MomentModule(ValidatedModule):
    """Trains a localiser; finds the moments of the validation questions."""

    def __init__(self, localiser: SpanLocaliser, data: MomentData, rate: float) -> None:
        """rate: the greatest learning rate."""
        super().__init__(rate, DECAY)
        self.localiser, self._data = localiser, data
        self._steps: dict[str, Tensor] = {}

    def training_step(self, batch: MomentBatch, _: int) -> Tensor:
        """The sum of the losses: a scalar."""
        return self.localiser.loss(batch)

    def on_validation_epoch_start(self) -> None:
        """Encode the videos of the validation questions."""
        names = {question.video_id for question in self._data.val}
        self._steps = {name: self._encode(name) for name in sorted(names)}

    def _encode(self, video_id: str) -> Tensor:
        """A video as steps: (1, STEPS, width)."""
        videos: Any = self._data.videos
        rows = videos.rows if self.localiser.frames is None else videos.pixels
        times, own = rows.times[video_id], np.asarray(rows[video_id])
        if self.localiser.frames is not None:
            own = FrameNetworkEncoder(self.localiser.frames).encode(Frames(times, own))
        steps = StepPlaces.of_times(times, STEPS).mean(own)
        return torch.from_numpy(steps)[None].to(self.device)

    def validation_step(self, which: Tensor, _: int) -> None:
        """Find the moments of the validation questions `which`, (n,), one by one."""
        for at in which.tolist():
            question = self._data.val[at]
            text = to_device(collate_tokens([self._data.encode(question.text)]), self.device)
            fractions, scores = self.localiser.spans(self._steps[question.video_id], text)
            end = self._data.videos.end(question.video_id)
            self.count(fractions, scores, end, (question.start, question.end))

    def on_validation_epoch_end(self) -> None:
        """Log the figures, and drop the encoded videos."""
        super().on_validation_epoch_end()
        self._steps = {}
