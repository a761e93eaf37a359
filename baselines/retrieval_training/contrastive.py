"""Contrastive training of a head that compares texts with videos' frames.

Each batch holds pairs of an utterance (with its context) and its gold video; every text is told to
find its video among the batch's, and every video its text, by cross entropy. Pairs of one video are
no negatives of each other. Radford et al., ICML 2021, section 2.3.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple, Protocol

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from baselines.base import Exchange, LabelledSplit, MissingInputError, Query, TrainerConfig, View
from baselines.dialogue_context import Context, readings
from baselines.retrieval_training.encoder_pairs import Clips, Readings, Towers
from baselines.training.fit import StepBatches, fit, gathered
from baselines.training.metrics import Retrieval

BATCH = 32
SHARPEST = 100.0  # CLIP's own bound on the scale of cosines
WARM_UP = 0.1
DECAY = 0.2
VALIDATIONS = 10
PATIENCE = 4


class Pair(NamedTuple):
    """What a text tower reads for one video turn, and the turn's gold video."""

    readings: Readings
    video_id: str


class Rates(NamedTuple):
    """Learning rates: of the head, and of the checkpoint where that is trained too."""

    head: float
    checkpoint: float


class ContrastiveHead(Protocol):
    """A module that compares texts with videos: cosines, (texts, videos)."""

    def __call__(self, texts: Tensor, clips: Clips) -> Tensor:
        """texts: (n, d); clips: (m, most, d) with a mask."""


def pairs(training: LabelledSplit, context: Context) -> list[Pair]:
    """The video turns of a split with their gold videos, in order; of earlier turns, utterances."""
    found = []
    both = zip(training.turns, training.gold, strict=True)
    for _, dialogue in groupby(both, key=lambda line: line[0].dialogue_id):
        said: tuple[Exchange, ...] = ()
        for turn, gold in dialogue:
            query = Query(turn.dialogue_id, turn.turn, turn.language, turn.task, turn.utterance,
                          history=said)  # fmt: skip
            if turn.task == "video" and gold.video_id is not None:
                found.append(Pair(readings(query, context), gold.video_id))
            said += (Exchange(turn.task, turn.utterance, "", None, ()),)
    return found


def readable(found: Iterable[Pair], videos: Any) -> list[Pair]:
    """The pairs whose video is one of `videos`. Raises MissingInputError if none is."""
    kept = [pair for pair in found if pair.video_id in videos]
    if not kept:
        raise MissingInputError("no video turn of the train split has a video that can be read")
    return kept


def symmetric(logits: Tensor, videos: Tensor) -> Tensor:
    """Mean of both directions' cross entropies of a batch; (n, n) logits, row i belongs to i.

    videos: (n,), which video each pair has. A pair of the same video as pair i is left out of i's
    rivals, in both directions.
    """
    twins = (videos[:, None] == videos[None, :]) & ~torch.eye(
        len(videos), dtype=torch.bool, device=videos.device
    )
    rivals = logits.masked_fill(twins, -math.inf)
    own = torch.arange(len(videos), device=videos.device)
    across = nn.functional.cross_entropy(rivals, own)
    down = nn.functional.cross_entropy(rivals.T, own)
    return (across + down) / 2


class Contrast(pl.LightningModule):
    """Trains `head`, and `towers` if they have weights, on `train`; ranks the videos of `val`."""

    def __init__(
        self, head: nn.Module, towers: Towers, train: Sequence[Pair], val: Sequence[Pair],
        *, rates: Rates, scale: float,
    ) -> None:  # fmt: skip
        """scale: what cosines are multiplied by, at first."""
        super().__init__()
        self.head, self.towers, self.train_pairs, self.val_pairs = head, towers, train, val
        self._rates = rates
        self.scale = nn.Parameter(torch.tensor(math.log(scale)))
        self._val_videos = list(dict.fromkeys(pair.video_id for pair in val))
        known = dict.fromkeys(pair.video_id for pair in train)
        self._numbers = {video_id: number for number, video_id in enumerate(known)}
        self._figures = Retrieval()

    def training_step(self, batch: Tensor, _: int) -> Tensor:
        """The loss of the whole batch, whichever process holds which rows of it."""
        rows = [self.train_pairs[row] for row in batch.tolist()]
        texts = gathered(self._texts(rows))
        clips = Clips(*map(gathered, self._clips([pair.video_id for pair in rows])))
        videos = torch.tensor([self._numbers[pair.video_id] for pair in rows], device=self.device)
        scale = self.scale.exp().clamp(max=SHARPEST)
        return symmetric(scale * self.head(texts, clips), gathered(videos))

    def validation_step(self, batch: Tensor, _: int) -> None:
        """Rank all validation videos for some of the validation pairs."""
        rows = [self.val_pairs[row] for row in batch.tolist()]
        scores = self.head(self._texts(rows), self._clips(self._val_videos))
        gold = [self._val_videos.index(pair.video_id) for pair in rows]
        self._figures.update(scores, torch.tensor(gold, device=self.device))

    def on_validation_epoch_end(self) -> None:
        """Log R@1 and the rest."""
        self.log_dict(self._figures.compute())
        self._figures.reset()

    def configure_optimizers(self) -> Any:
        """AdamW; the rates rise for a tenth of the steps and fall to 0 by half a cosine."""
        tower = [w for name, w in self.named_parameters() if name.startswith("towers.")]
        rest = [w for name, w in self.named_parameters() if not name.startswith("towers.")]
        groups = [{"params": rest, "lr": self._rates.head}]
        groups += [{"params": tower, "lr": self._rates.checkpoint}] if tower else []
        optimizer = torch.optim.AdamW(groups, weight_decay=DECAY)
        steps = self.trainer.max_steps

        def rate(step: int) -> float:
            warm = max(1, int(WARM_UP * steps))
            done = (step - warm) / max(1, steps - warm)
            return (step + 1) / warm if step < warm else (1 + math.cos(math.pi * done)) / 2

        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }

    def _texts(self, rows: Sequence[Pair]) -> Tensor:
        return self.towers.texts([pair.readings for pair in rows]).to(self.device)

    def _clips(self, video_ids: Sequence[str]) -> Clips:
        return Clips(*(part.to(self.device) for part in self.towers.clips(video_ids)))


def train(module: Contrast, view: View, config: TrainerConfig, *, epochs: float) -> int:
    """Train by so many passes over the pairs; returns the steps. Keeps the best R@1, if any."""
    size = min(BATCH, len(module.train_pairs))
    steps = math.ceil(epochs * len(module.train_pairs) / size)

    def draw(_: int, generator: np.random.Generator) -> list[int]:
        rows: list[int] = generator.choice(len(module.train_pairs), size, replace=False).tolist()
        return rows

    val = DataLoader(range(len(module.val_pairs)), batch_size=BATCH)  # type: ignore[arg-type,var-annotated]
    checked = bool(module.val_pairs)
    fit(
        module,
        StepBatches(draw, lambda rows: torch.tensor(rows), seed=config.seed).loader(),
        config,
        stage="head",
        steps=steps,
        validation=val if checked else None,
        monitor="R@1" if checked else None,
        patience=PATIENCE if checked else None,
        times=VALIDATIONS,
        note=view.note,
    )
    return steps if config.steps is None else min(steps, config.steps)
