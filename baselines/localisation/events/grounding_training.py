"""Training a localiser on annotated events, which only IVCR-Mini has.

A recogniser is trained first, or taken from another folder. Then a cross-modal encoder and the
localiser's head are trained on the moment turns of the train split (grounding_sampler.py).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from baselines.base import TrainerConfig, View
from baselines.event_models.controls import LABELS_PERMUTED, training_split
from baselines.event_models.event_annotations import read_annotations
from baselines.event_models.lexicon import split_lexicon
from baselines.event_models.query_encoder import collate_texts
from baselines.event_models.recogniser import recognise_videos
from baselines.event_models.recogniser_checkpoints import save_checkpoint
from baselines.event_models.recogniser_training import Size, train_recogniser
from baselines.localisation.events.cross_modal_encoder import Grounder, GroundingBatch
from baselines.localisation.events.grounding_data import GroundingData, moment_videos
from baselines.localisation.events.grounding_sampler import GroundingSampler, collate_samples
from baselines.localisation.events.step_features import collate_steps
from baselines.localisation.localiser_settings import LocaliserSettings
from baselines.localisation.validated_module import ValidatedModule
from baselines.training.batches import StepBatches
from baselines.training.fit import fit, to_device

DECAY = 1e-2


class GroundingSchedule(NamedTuple):
    """The greatest learning rate, and the number of steps of each size."""

    rate: float
    steps: dict[Size, int]


def train_on_events(
    name: str, settings: LocaliserSettings, head: type[nn.Module], view: View,
    config: TrainerConfig, schedule: GroundingSchedule,
) -> None:  # fmt: skip
    """Train a recogniser and a grounder with that head; write the folder `config.out`."""
    training = training_split(view, settings.control)
    annotations = read_annotations(view.folder, name)
    recogniser, features = train_recogniser(
        view, config, annotations, settings.size, settings.recogniser
    )
    names = moment_videos(training, view.validation, annotations)
    features = recognise_videos(recogniser, names, view, features)
    lexicon = split_lexicon(training, annotations)
    data = GroundingData.of_splits(training, view.validation, lexicon, features, annotations)
    if settings.control == LABELS_PERMUTED:
        data = data.shuffle_labels(config.seed)
    module = train_grounder(data, head, view, config, schedule, settings.size)
    save_checkpoint(
        name, settings, view, config, recogniser, module.grounder, lexicon,
        validation=module.figures,
    )  # fmt: skip


def train_grounder(
    data: GroundingData, head: type[nn.Module], view: View, config: TrainerConfig,
    schedule: GroundingSchedule, size: Size,
) -> GroundingModule:  # fmt: skip
    """Train a grounder with that head."""
    torch.manual_seed(config.seed)
    grounder = Grounder(data.lexicon.size, data.annotations.value_count, head())
    module = GroundingModule(grounder, data, schedule.rate)
    val = DataLoader(range(len(module.val)), batch_size=64) if module.val else None  # type: ignore[arg-type,var-annotated]
    fit(
        module,
        StepBatches(GroundingSampler(data), collate_samples, seed=config.seed).loader(),
        config,
        stage="grounder",
        steps=schedule.steps[size],
        validation=val,
        times=5,
        note=view.note,
    )
    return module


class GroundingModule(ValidatedModule):
    """Trains a grounder; localises the moments of the validation questions."""

    def __init__(self, grounder: Grounder, data: GroundingData, rate: float) -> None:
        """rate: the greatest learning rate."""
        super().__init__(rate, DECAY)
        self.grounder = grounder
        self.val, self._videos = data.val, data.videos

    def training_step(self, batch: GroundingBatch, _: int) -> Tensor:
        """The head's loss: a scalar."""
        return self.grounder.loss(batch)

    def validation_step(self, which: Tensor, _: int) -> None:
        """Localise the moments of the validation questions `which`, (n,), one by one."""
        for at in which.tolist():
            question = self.val[at]
            video = self._videos[question.video_id]
            texts = to_device(collate_texts([question.text]), self.device)
            steps = to_device(collate_steps([video.steps]), self.device)
            fractions, scores = self.grounder.spans(texts, steps)
            self.count(fractions, scores, video.length, (question.start, question.end))
