"""Contrastive training of a head that compares texts with videos' frames.

Each batch holds pairs of an utterance (with its context) and its gold video. By cross entropy, each
text learns to find its video among the batch's videos, and each video its text. Pairs of one video
are no negatives of each other. Radford et al., ICML 2021, section 2.3.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple, Protocol

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from baselines.base import Exchange, LabelledSplit, MissingInputError, Query, TrainerConfig, View
from baselines.dialogue_context import Context, readings
from baselines.retrieval_training.encoder_pairs import EncoderPair, FrameBatch, Readings
from baselines.training.batches import StepBatches, gather
from baselines.training.fit import fit
from baselines.training.metrics import RetrievalMetrics

BATCH = 32
MAX_SCALE = 100.0  # CLIP's own bound on the scale of cosines
WARM_UP = 0.1
DECAY = 0.2
VALIDATIONS = 10
PATIENCE = 4


class TextVideoPair(NamedTuple):
    """What the text encoder reads for one video turn, and the turn's gold video."""

    readings: Readings
    video_id: str


class LearningRates(NamedTuple):
    """Of the head, and of the checkpoint where it is trained too."""

    head: float
    checkpoint: float


class ContrastiveHead(Protocol):
    """A module that compares texts with videos: cosines, (texts, videos)."""

    def __call__(self, texts: Tensor, videos: FrameBatch) -> Tensor:
        """texts: (n, d); videos: (m, most, d) with a mask."""


def training_pairs(labels: LabelledSplit, context: Context) -> list[TextVideoPair]:
    """The video turns of a split with their gold videos, in order.

    Of earlier turns a text holds the utterances, but no answers and no videos.
    """
    pairs = []
    both = zip(labels.turns, labels.gold, strict=True)
    for _, dialogue in groupby(both, key=lambda line: line[0].dialogue_id):
        earlier: tuple[Exchange, ...] = ()
        for turn, gold in dialogue:
            query = Query(turn.dialogue_id, turn.turn, turn.language, turn.task, turn.utterance,
                          history=earlier)  # fmt: skip
            if turn.task == "video" and gold.video_id is not None:
                pairs.append(TextVideoPair(readings(query, context), gold.video_id))
            earlier += (Exchange(turn.task, turn.utterance, "", None, ()),)
    return pairs


def pairs_with_videos(
    pairs: Iterable[TextVideoPair], videos: Collection[str]
) -> list[TextVideoPair]:
    """The pairs whose video is one of `videos`. Raises MissingInputError if there are none."""
    usable = [pair for pair in pairs if pair.video_id in videos]
    if not usable:
        raise MissingInputError(
            "no video turn of the train split has a video that can be read; see the paths in "
            "videos.jsonl (`ivcr data import --videos META` takes them from META)"
        )
    return usable


def contrastive_loss(logits: Tensor, videos: Tensor) -> Tensor:
    """Mean of both directions' cross entropies of a batch: a scalar.

    logits: (n, n), text i against video j, where i and i are a pair. videos: (n,), the number of
    each pair's video. Other pairs of the same video are left out of a pair's negatives, in both
    directions.
    """
    same_video = (videos[:, None] == videos[None, :]) & ~torch.eye(
        len(videos), dtype=torch.bool, device=videos.device
    )
    logits = logits.masked_fill(same_video, -math.inf)
    positives = torch.arange(len(videos), device=videos.device)
    text_to_video = nn.functional.cross_entropy(logits, positives)
    video_to_text = nn.functional.cross_entropy(logits.T, positives)
    return (text_to_video + video_to_text) / 2


class ContrastiveModule(pl.LightningModule):
    """Trains `head`, and `encoders` if they have weights; ranks the validation videos."""

    def __init__(
        self, head: nn.Module, encoders: EncoderPair, train: Sequence[TextVideoPair],
        val: Sequence[TextVideoPair], *, rates: LearningRates, scale: float,
    ) -> None:  # fmt: skip
        """scale: initial factor of the cosines, which is trained too."""
        super().__init__()
        self.head, self.encoders, self.train_pairs, self.val_pairs = head, encoders, train, val
        self._rates = rates
        self.scale = nn.Parameter(torch.tensor(math.log(scale)))
        self._val_videos = list(dict.fromkeys(pair.video_id for pair in val))
        known = dict.fromkeys(pair.video_id for pair in train)
        self._numbers = {video_id: number for number, video_id in enumerate(known)}
        self._metrics = RetrievalMetrics()
        self._val_frames: FrameBatch | None = None  # while it is validated

    def training_step(self, batch: Tensor, _: int) -> Tensor:
        """The loss of the whole batch, a scalar; batch: this process' share of pairs, (n,)."""
        pairs = [self.train_pairs[row] for row in batch.tolist()]
        texts = gather(self._texts(pairs))
        frames = FrameBatch(*map(gather, self._frames([pair.video_id for pair in pairs])))
        videos = torch.tensor([self._numbers[pair.video_id] for pair in pairs], device=self.device)
        scale = self.scale.exp().clamp(max=MAX_SCALE)
        return contrastive_loss(scale * self.head(texts, frames), gather(videos))

    def on_validation_epoch_start(self) -> None:
        """Encode all validation videos, each once, in batches."""
        ids = self._val_videos
        parts = [self._frames(ids[at : at + BATCH]) for at in range(0, len(ids), BATCH)]
        self._val_frames = FrameBatch(*map(torch.cat, zip(*parts, strict=True)))

    def validation_step(self, batch: Tensor, _: int) -> None:
        """Rank all validation videos for some of the validation pairs; batch: (n,)."""
        pairs = [self.val_pairs[row] for row in batch.tolist()]
        scores = self.head(self._texts(pairs), self._val_frames)
        gold = [self._val_videos.index(pair.video_id) for pair in pairs]
        self._metrics.update(scores, torch.tensor(gold, device=self.device))

    def on_validation_epoch_end(self) -> None:
        """Log R@1 and the other metrics."""
        self.log_dict(self._metrics.compute())
        self._metrics.reset()
        self._val_frames = None

    def configure_optimizers(self) -> Any:
        """AdamW; the rates rise for a tenth of the steps and fall to 0 by half a cosine."""
        encoder = [w for name, w in self.named_parameters() if name.startswith("encoders.")]
        rest = [w for name, w in self.named_parameters() if not name.startswith("encoders.")]
        groups = [{"params": rest, "lr": self._rates.head}]
        groups += [{"params": encoder, "lr": self._rates.checkpoint}] if encoder else []
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

    def _texts(self, pairs: Sequence[TextVideoPair]) -> Tensor:
        return self.encoders.texts([pair.readings for pair in pairs]).to(self.device)

    def _frames(self, video_ids: Sequence[str]) -> FrameBatch:
        return FrameBatch(*(part.to(self.device) for part in self.encoders.frames(video_ids)))


def train_module(
    module: ContrastiveModule, view: View, config: TrainerConfig, *, epochs: float
) -> int:
    """Train for so many passes over the pairs; returns the steps. Keeps the best R@1, if any."""
    size = min(BATCH, len(module.train_pairs))
    steps = math.ceil(epochs * len(module.train_pairs) / size)

    def draw(_: int, generator: np.random.Generator) -> list[int]:
        rows: list[int] = generator.choice(len(module.train_pairs), size, replace=False).tolist()
        return rows

    val = DataLoader(range(len(module.val_pairs)), batch_size=BATCH)  # type: ignore[arg-type,var-annotated]
    validated = bool(module.val_pairs)
    fit(
        module,
        StepBatches(draw, lambda rows: torch.tensor(rows), seed=config.seed).loader(),
        config,
        stage="head",
        steps=steps,
        validation=val if validated else None,
        monitor="R@1" if validated else None,
        patience=PATIENCE if validated else None,
        times=VALIDATIONS,
        note=view.note,
    )
    return steps if config.steps is None else min(steps, config.steps)
