"""Contrastive training of a head that compares texts with videos' frames.

Each batch holds pairs of an utterance (with its context) and its gold video. By cross entropy, each
text learns to find its video among the batch's videos, and each video its text. Pairs of one video
are no negatives of each other. A text may also get hard negatives: other videos of its turn's
candidates. Radford et al., ICML 2021, section 2.3.
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
from baselines.training.batches import StepBatches, gather, pad_alike
from baselines.training.fit import fit
from baselines.training.metrics import RetrievalMetrics

BATCH = 32
MAX_SCALE = 100.0  # CLIP's own bound on the scale of cosines
WARM_UP = 0.1
DECAY = 0.2
VALIDATIONS = 10
PATIENCE = 4


class TextVideoPair(NamedTuple):
    """What the text encoder reads for one turn, and the turn's gold video.

    foil: a video that differs from it in one thing, where the split names one. rivals: the turn's
    other candidates.
    """

    readings: Readings
    video_id: str
    foil: str | None = None
    rivals: tuple[str, ...] = ()


class LearningRates(NamedTuple):
    """Of the head, and of the checkpoint where it is trained too."""

    head: float
    checkpoint: float


class ContrastiveHead(Protocol):
    """A module that compares texts with videos: cosines, (texts, videos)."""

    def __call__(self, texts: Tensor, videos: FrameBatch) -> Tensor:
        """texts: (n, d), or of words (n, words, d); videos: (m, most, d) with a mask."""


def training_pairs(
    labels: LabelledSplit, context: Context, *, moments: bool = False
) -> list[TextVideoPair]:
    """The video turns of a split with their gold videos, in order; `moments`: its moment turns too.

    Of earlier turns a text holds the utterances, but no answers and no videos.
    """
    tasks = ("video", "moment") if moments else ("video",)
    pairs = []
    both = zip(labels.turns, labels.gold, strict=True)
    for _, dialogue in groupby(both, key=lambda line: line[0].dialogue_id):
        earlier: tuple[Exchange, ...] = ()
        for turn, gold in dialogue:
            query = Query(turn.dialogue_id, turn.turn, turn.language, turn.task, turn.utterance,
                          history=earlier)  # fmt: skip
            if turn.task in tasks and gold.video_id is not None:
                others = (*labels.candidates.get(turn.key, ()), gold.foil)
                rivals = tuple(v for v in others if v not in (None, gold.video_id, gold.foil))
                text = readings(query, context)
                pairs.append(TextVideoPair(text, gold.video_id, gold.foil, rivals))
            earlier += (Exchange(turn.task, turn.utterance, "", None, ()),)
    return pairs


def pairs_with_videos(
    pairs: Iterable[TextVideoPair], videos: Collection[str]
) -> list[TextVideoPair]:
    """The pairs whose video is one of `videos`, with those of their negatives that are too.

    Raises MissingInputError if there are none.
    """
    usable = [
        pair._replace(
            foil=pair.foil if pair.foil in videos else None,
            rivals=tuple(video_id for video_id in pair.rivals if video_id in videos),
        )
        for pair in pairs
        if pair.video_id in videos
    ]
    if not usable:
        raise MissingInputError(
            "no video turn of the train split has a video that can be read; see the paths in "
            "videos.jsonl (`ivcr data import --videos META` takes them from META)"
        )
    return usable


def contrastive_loss(logits: Tensor, videos: Tensor) -> Tensor:
    """Mean of both directions' cross entropies of a batch: a scalar.

    logits: (n, m), text i against video j, where i and i are a pair; videos from n on are negatives
    alone. videos: (m,), the number of each video. What is the same video as a pair's own is left
    out of its negatives, in both directions.
    """
    pairs = len(logits)
    same_video = (videos[:pairs, None] == videos[None, :]) & ~torch.eye(
        pairs, len(videos), dtype=torch.bool, device=videos.device
    )
    logits = logits.masked_fill(same_video, -math.inf)
    positives = torch.arange(pairs, device=videos.device)
    text_to_video = nn.functional.cross_entropy(logits, positives)
    video_to_text = nn.functional.cross_entropy(logits[:, :pairs].T, positives)
    return (text_to_video + video_to_text) / 2


class HardNegatives:
    """The videos of all pairs and of their negatives, by number, and draws among them."""

    def __init__(self, pairs: Sequence[TextVideoPair]) -> None:
        """Gold videos come first."""
        known = dict.fromkeys(pair.video_id for pair in pairs)
        known |= dict.fromkeys(video_id for pair in pairs for video_id in pair.rivals)
        known |= dict.fromkeys(pair.foil for pair in pairs if pair.foil)
        self.ids = list(known)
        self._numbers = {video_id: number for number, video_id in enumerate(self.ids)}

    def number(self, video_id: str) -> int:
        """The number of a video."""
        return self._numbers[video_id]

    def draw(self, pair: TextVideoPair, count: int, generator: np.random.Generator) -> list[int]:
        """Numbers of `count` videos: the foil, then rivals in a random order, then any videos.

        The gold video may be among the last: it is no negative of itself (`contrastive_loss`).
        """
        shuffled = [pair.rivals[at] for at in generator.permutation(len(pair.rivals))]
        named = ([pair.foil] if pair.foil else []) + shuffled
        more = generator.integers(len(self.ids), size=max(0, count - len(named)))
        return [*(self.number(video_id) for video_id in named[:count]), *map(int, more)]


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
        self.negatives = HardNegatives(train)
        self._metrics = RetrievalMetrics()
        self._val_frames: FrameBatch | None = None  # while it is validated

    def training_step(self, batch: Tensor, _: int) -> Tensor:
        """The loss of the whole batch, a scalar.

        batch: this process' share, (n, 1 + k): a pair and the numbers of its hard negatives.
        """
        pairs = [self.train_pairs[row] for row in batch[:, 0].tolist()]
        texts = self._texts(pairs)
        texts = gather(pad_alike(texts) if texts.ndim == 3 else texts)
        own = [self.negatives.number(pair.video_id) for pair in pairs]
        columns = [torch.tensor(own), *batch[:, 1:].T]  # of all processes: pairs, then negatives
        ids = [self.negatives.ids[number] for column in columns for number in column.tolist()]
        parts = [torch.split(part, len(batch)) for part in self._frames(ids)]  # a column each
        frames = FrameBatch(*(torch.cat([gather(each) for each in part]) for part in parts))
        videos = torch.cat([gather(column.to(self.device)) for column in columns])
        scale = self.scale.exp().clamp(max=MAX_SCALE)
        return contrastive_loss(scale * self.head(texts, frames), videos)

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
    module: ContrastiveModule, view: View, config: TrainerConfig, *, epochs: float, hard: int = 0
) -> int:
    """Train for so many passes over the pairs; returns the steps. Keeps the best R@1, if any.

    hard: hard negatives of a pair.
    """
    size = min(BATCH, len(module.train_pairs))
    steps = math.ceil(epochs * len(module.train_pairs) / size)

    def draw(_: int, generator: np.random.Generator) -> list[list[int]]:
        rows: list[int] = generator.choice(len(module.train_pairs), size, replace=False).tolist()
        pairs = module.train_pairs
        return [[row, *module.negatives.draw(pairs[row], hard, generator)] for row in rows]

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
