"""Training a localiser's head (grounding.py) on the moment turns of a train split.

Half of the questions are asked of their own video, half of one put together anew: the annotated
events in other lengths, as an unsure recogniser might see them, and in another order, with some
left out and one of another video put in, where the question names no relation between events.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from baselines.base import TrainerConfig, View
from baselines.event_models import lexicon
from baselines.event_models.event_annotations import read
from baselines.event_models.query_encoder import batch
from baselines.event_models.recogniser import watch
from baselines.event_models.recogniser_checkpoints import PERMUTED, labelled, saved
from baselines.event_models.recogniser_training import Size, learn
from baselines.localisation.cross_modal_encoder import (
    Batch,
    Grounder,
)
from baselines.localisation.grounder import (
    GroundingSettings,
    spans,
)
from baselines.localisation.grounding_data import Asked, named
from baselines.localisation.grounding_sampler import Draw, collate
from baselines.localisation.proposals import nms
from baselines.localisation.step_features import (
    together,
)
from baselines.training.batches import StepBatches
from baselines.training.fit import fit, one_cycle, to_device
from baselines.training.metrics import MomentMetrics

DECAY = 1e-2


class Plan(NamedTuple):
    """How a localiser is trained: the rate at its highest, and the steps of each size."""

    rate: float
    steps: dict[Size, int]


def learnt(
    name: str, chosen: GroundingSettings, make: type[nn.Module], view: View,
    config: TrainerConfig, plan: Plan,
) -> None:  # fmt: skip
    """Train the recogniser and a grounder, whose head `make` makes; write `config.out`."""
    training = labelled(view, chosen.control)
    found = read(view.folder, name)
    eyes, seen = learn(view, config, found, chosen.size, chosen.recogniser)
    seen = watch(eyes, named(training, view.validation, found), view, seen)
    known = lexicon.of(training, found)
    asked = Asked.of(training, view.validation, known, seen, found)
    if chosen.control == PERMUTED:
        asked = asked.dealt(config.seed)
    module = grounded(asked, make, view, config, plan, chosen.size)
    saved(name, chosen, view, config, eyes, module.grounder, known, validation=module.figures)


def grounded(
    asked: Asked, make: type[nn.Module], view: View, config: TrainerConfig, plan: Plan, size: Size
) -> _Training:
    """Train a grounder, whose head `make` makes."""
    torch.manual_seed(config.seed)
    module = _Training(Grounder(asked.known.size, asked.found.size, make()), asked, plan)
    _fit(module, Draw(asked), config, plan.steps[size], view)
    return module


class _Training(pl.LightningModule):
    """Trains a grounder; finds the moments of the validation questions."""

    def __init__(self, grounder: Grounder, asked: Asked, plan: Plan) -> None:
        super().__init__()
        self.grounder, self._rate = grounder, plan.rate
        self.later, self._films = asked.val, asked.films
        self._found = MomentMetrics()
        self.figures: dict[str, float] = {}

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """The head's loss."""
        return self.grounder.loss(batch)

    def validation_step(self, which: Tensor, _: int) -> None:
        """Find the moments of some validation questions, one by one, as when it runs."""
        for at in which.tolist():
            asked = self.later[at]
            film = self._films[asked.video_id]
            told = to_device(batch([asked.text]), self.device)
            scenes = to_device(together([film.scene]), self.device)
            fractions, scores = self.grounder.spans(told, scenes)
            found = spans(fractions[0].cpu().numpy(), film.length)
            kept = nms(found, scores[0].cpu().numpy().astype(np.float64), most=5)
            rows = np.zeros((1, 5, 2), np.int64)
            rows[0, : len(kept)] = found[kept]
            gold = torch.tensor([[asked.start, asked.end]], device=self.device)
            self._found.update(torch.from_numpy(rows).to(self.device), gold)

    def on_validation_epoch_end(self) -> None:
        """Log the figures."""
        figures = self._found.compute()
        self.log_dict({name: value.float() for name, value in figures.items()})
        self.figures = {name: round(float(value), 4) for name, value in figures.items()}
        self._found.reset()

    def configure_gradient_clipping(self, optimizer: Any, *_: Any, **__: Any) -> None:
        """Gradients of length 1 at most: without it the map's first steps can be too long."""
        self.clip_gradients(optimizer, gradient_clip_val=1.0, gradient_clip_algorithm="norm")

    def configure_optimizers(self) -> Any:
        """AdamW with one cycle of its rate."""
        return one_cycle(self, self._rate, DECAY)


def _fit(module: _Training, draw: Draw, config: TrainerConfig, steps: int, view: View) -> None:
    later = DataLoader(range(len(module.later)), batch_size=64) if module.later else None  # type: ignore[arg-type,var-annotated]
    fit(
        module,
        StepBatches(draw, collate, seed=config.seed).loader(),
        config,
        stage="grounder",
        steps=steps,
        validation=later,
        times=5,
        note=view.note,
    )
