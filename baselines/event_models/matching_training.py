"""Training a matcher on annotated events, which only IVCR-Mini has.

The loss is InfoNCE with the other videos of the batch as negatives (https://arxiv.org/abs/1807.03748),
plus a pairwise loss that puts each gold video before its foil. With several processes, each takes
its negatives from its own share of the batch: two processes do not train as one does.
"""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from baselines.base import TrainerConfig, View
from baselines.dialogue_context import Context
from baselines.event_models.event_annotations import value_count
from baselines.event_models.matching import Matcher, collate_videos
from baselines.event_models.matching_data import MatchingData
from baselines.event_models.matching_sampler import (
    MatchingBatch,
    MatchingSampler,
    collate_samples,
)
from baselines.event_models.query_encoder import collate_texts
from baselines.event_models.recogniser_training import Size
from baselines.training.batches import StepBatches
from baselines.training.fit import fit, one_cycle, to_device
from baselines.training.metrics import RetrievalMetrics

RATE, DECAY = 3e-3, 1e-2
STEPS: dict[Size, int] = {"small": 200, "full": 1200}


class MatchingModule(pl.LightningModule):
    """Trains a matcher; ranks the validation videos for the validation queries.

    figures: by name the last validation's.
    """

    def __init__(self, matcher: Matcher, data: MatchingData, context: Context) -> None:
        """context: what validation queries read of the dialogue before them."""
        super().__init__()
        self.matcher, self._context = matcher, context
        self.val = data.val
        self._names = sorted({example.gold for example in data.val})
        if self._names:
            self._videos = collate_videos([data.videos[name] for name in self._names])
        self._metrics = RetrievalMetrics()
        self.figures: dict[str, float] = {}

    def training_step(self, batch: MatchingBatch, _: int) -> Tensor:
        """InfoNCE over the batch's videos, and the pairwise loss of golds and foils: a scalar."""
        scores = self.matcher.scores(self.matcher.query_weights(batch.texts), batch.videos)
        own = torch.arange(len(scores), device=scores.device)
        same = batch.numbers[None] == batch.numbers[: len(scores), None]
        same[own, own] = False
        loss = nn.functional.cross_entropy(scores.masked_fill(same, -1e4), own)
        if len(batch.with_foil):
            foils = len(scores) + torch.arange(len(batch.with_foil), device=scores.device)
            margin = scores[batch.with_foil, batch.with_foil] - scores[batch.with_foil, foils]
            loss = loss + nn.functional.softplus(-margin).mean()
        return loss

    def validation_step(self, which: Tensor, _: int) -> None:
        """Rank all validation videos for the validation queries `which`, (n,)."""
        examples = [self.val[at] for at in which.tolist()]
        last = self._context == "last"
        texts = collate_texts([each.alone if last else each.in_context for each in examples])
        weights = self.matcher.query_weights(to_device(texts, self.device))
        scores = self.matcher.scores(weights, to_device(self._videos, self.device))
        gold = [self._names.index(each.gold) for each in examples]
        self._metrics.update(scores, torch.tensor(gold, device=self.device))

    def on_validation_epoch_end(self) -> None:
        """Log the figures."""
        figures = self._metrics.compute()
        self.log_dict(figures)
        self.figures = {name: round(float(value), 4) for name, value in figures.items()}
        self._metrics.reset()

    def configure_optimizers(self) -> Any:
        """AdamW with a one-cycle learning rate."""
        return one_cycle(self, RATE, DECAY)


def train_matcher(
    data: MatchingData, context: Context, view: View, config: TrainerConfig, size: Size
) -> MatchingModule:
    """Train a matcher on `data`; queries read `context` of the dialogue before them."""
    torch.manual_seed(config.seed)
    matcher = Matcher(data.lexicon.size, value_count(data.attributes))
    module = MatchingModule(matcher, data, context)
    val = DataLoader(range(len(module.val)), batch_size=64) if module.val else None  # type: ignore[arg-type,var-annotated]
    fit(
        module,
        StepBatches(MatchingSampler(data, context), collate_samples, seed=config.seed).loader(),
        config,
        stage="matcher",
        steps=STEPS[size],
        validation=val,
        times=5,
        note=view.note,
    )
    return module
