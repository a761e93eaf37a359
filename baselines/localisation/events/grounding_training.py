"""Training a localiser on annotated events, which only IVCR-Mini has.

A recogniser is trained first, or taken from another folder. Then a cross-modal encoder and the
localiser's head are trained on the moment turns of the train split (grounding_sampler.py).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytorch_lightning as pl
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
from baselines.localisation.heads import to_spans
from baselines.localisation.localiser_settings import LocaliserSettings
from baselines.localisation.proposals import nms
from baselines.training.batches import StepBatches
from baselines.training.fit import fit, one_cycle, to_device
from baselines.training.metrics import MomentMetrics

DECAY = 1e-2
RANKED = 5  # moments that validation counts


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


class GroundingModule(pl.LightningModule):
    """Trains a grounder; localises the moments of the validation questions.

    figures: by name the last validation's.
    """

    def __init__(self, grounder: Grounder, data: GroundingData, rate: float) -> None:
        """rate: the greatest learning rate."""
        super().__init__()
        self.grounder, self._rate = grounder, rate
        self.val, self._videos = data.val, data.videos
        self._moments = MomentMetrics()
        self.figures: dict[str, float] = {}

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
            spans = to_spans(fractions[0].cpu().numpy(), video.length)
            best = nms(spans, scores[0].cpu().numpy().astype(np.float64), most=RANKED)
            rows = np.zeros((1, RANKED, 2), np.int64)
            rows[0, : len(best)] = spans[best]
            gold = torch.tensor([[question.start, question.end]], device=self.device)
            self._moments.update(torch.from_numpy(rows).to(self.device), gold)

    def on_validation_epoch_end(self) -> None:
        """Log the figures."""
        figures = self._moments.compute()
        self.log_dict({name: value.float() for name, value in figures.items()})
        self.figures = {name: round(float(value), 4) for name, value in figures.items()}
        self._moments.reset()

    def configure_gradient_clipping(self, optimizer: Any, *_: Any, **__: Any) -> None:
        """Gradients of length 1 at most: without it the map's first steps can be too long."""
        self.clip_gradients(optimizer, gradient_clip_val=1.0, gradient_clip_algorithm="norm")

    def configure_optimizers(self) -> Any:
        """AdamW with a one-cycle learning rate."""
        return one_cycle(self, self._rate, DECAY)
