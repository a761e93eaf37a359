"""Training a matcher."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from baselines.base import (
    TrainerConfig,
    View,
)
from baselines.dialogue_context import Context
from baselines.event_models.matching import (
    Matcher,
    laid_out,
)
from baselines.event_models.matching_data import Lesson
from baselines.event_models.matching_sampler import Draw, Rows, collate
from baselines.event_models.query_encoder import batch
from baselines.training.batches import StepBatches
from baselines.training.fit import fit, one_cycle, to_device
from baselines.training.metrics import RetrievalMetrics

RATE, DECAY = 3e-3, 1e-2
STEPS = {"small": 200, "full": 1200}


class Training(pl.LightningModule):
    """Trains the matcher; ranks the validation videos for the validation queries."""

    def __init__(self, matcher: Matcher, lesson: Lesson, context: Context) -> None:
        super().__init__()
        self.matcher, self._context = matcher, context
        self.val = lesson.val
        self._names = sorted({pair.gold for pair in lesson.val})
        if self._names:
            self._videos = laid_out([lesson.tracks[name] for name in self._names])
        self._found = RetrievalMetrics()
        self.figures: dict[str, float] = {}

    def training_step(self, rows: Rows, _: int) -> Tensor:
        """Find the gold among the batch's videos, and put it before its foil."""
        scores = self.matcher.scores(self.matcher.wanted(rows.texts), rows.videos)
        own = torch.arange(len(scores), device=scores.device)
        same = rows.numbers[None] == rows.numbers[: len(scores), None]
        same[own, own] = False
        loss = nn.functional.cross_entropy(scores.masked_fill(same, -1e4), own)
        if len(rows.foiled):
            foils = len(scores) + torch.arange(len(rows.foiled), device=scores.device)
            ahead = scores[rows.foiled, rows.foiled] - scores[rows.foiled, foils]
            loss = loss + nn.functional.softplus(-ahead).mean()
        return loss

    def validation_step(self, which: Tensor, _: int) -> None:
        """Rank all validation videos for some of the validation queries."""
        pairs = [self.val[at] for at in which.tolist()]
        read = [pair.alone if self._context == "last" else pair.whole for pair in pairs]
        wanted = self.matcher.wanted(to_device(batch(read), self.device))
        scores = self.matcher.scores(wanted, to_device(self._videos, self.device))
        gold = [self._names.index(pair.gold) for pair in pairs]
        self._found.update(scores, torch.tensor(gold, device=self.device))

    def on_validation_epoch_end(self) -> None:
        """Log R@1 and the rest."""
        figures = self._found.compute()
        self.log_dict(figures)
        self.figures = {name: round(float(value), 4) for name, value in figures.items()}
        self._found.reset()

    def configure_optimizers(self) -> Any:
        """AdamW with one cycle of its rate."""
        return one_cycle(self, RATE, DECAY)


def fit_matcher(
    module: Training, draw: Draw, config: TrainerConfig, steps: int, view: View
) -> None:
    val = DataLoader(range(len(module.val)), batch_size=64) if module.val else None  # type: ignore[arg-type,var-annotated]
    fit(
        module,
        StepBatches(draw, collate, seed=config.seed).loader(),
        config,
        stage="matcher",
        steps=steps,
        validation=val,
        times=5,
        note=view.note,
    )
