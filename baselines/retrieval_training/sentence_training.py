"""Trains a sentence-transformers model on utterances and the texts of their gold videos.

The losses are the library's own: MultipleNegativesRankingLoss (Henderson et al., 2017,
https://arxiv.org/abs/1705.00652), or its cached form, which gives the gradients of a large batch in
little memory (Gao et al., RepL4NLP 2021, https://arxiv.org/abs/2101.06983). The steps are those of
baselines/training instead of the library's trainer, so that they can be repeated and resumed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pytorch_lightning as pl
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import (
    CachedMultipleNegativesRankingLoss,
    MultipleNegativesRankingLoss,
)
from torch import Tensor
from torch.utils.data import DataLoader

from baselines.base import TrainerConfig, View
from baselines.training.batches import StepBatches
from baselines.training.fit import fit, one_cycle
from baselines.training.metrics import RetrievalMetrics

Loss = Literal["ranking", "cached"]
BATCH = {"ranking": 32, "cached": 256}
MINI_BATCH = 32  # of the cached loss, and of validation
EPOCHS = 4.0
RATE, DECAY = 2e-5, 0.01
VALIDATIONS, PATIENCE = 8, 3
QUERY, DOCUMENT = ("query",), ("document", "passage", "corpus")  # names of prompts


class TextPair(NamedTuple):
    """A query's text, its gold video's text, and the texts of other candidates."""

    query: str
    document: str
    rivals: tuple[str, ...] = ()


class SentenceModule(pl.LightningModule):
    """Trains a model; ranks the validation videos' texts."""

    def __init__(
        self, model: SentenceTransformer, train: Sequence[TextPair], val: Sequence[TextPair],
        loss: Loss,
    ) -> None:  # fmt: skip
        """The model is trained in place."""
        super().__init__()
        self.model, self.train_pairs, self.val_pairs = model, train, val
        self._loss = (
            MultipleNegativesRankingLoss(model)
            if loss == "ranking"
            else CachedMultipleNegativesRankingLoss(model, mini_batch_size=MINI_BATCH)
        )
        self._documents = list(dict.fromkeys(pair.document for pair in val))
        self._metrics = RetrievalMetrics()

    def training_step(self, batch: list[list[str]], _: int) -> Tensor:
        """This process' loss, a scalar; batch: queries, documents, and columns of negatives."""
        prompts = [QUERY, *(DOCUMENT for _ in batch[1:])]
        features = [self._inputs(texts, names) for texts, names in zip(batch, prompts, strict=True)]
        loss: Tensor = self._loss(features, torch.zeros(len(batch[0]), device=self.device))
        return loss

    def on_validation_epoch_start(self) -> None:
        """Embed the texts of all validation videos, each once."""
        self._rows = self._embedded(self._documents, DOCUMENT)

    def validation_step(self, batch: Tensor, _: int) -> None:
        """Rank all validation texts for some of the validation pairs; batch: (n,)."""
        pairs = [self.val_pairs[row] for row in batch.tolist()]
        scores = self._embedded([pair.query for pair in pairs], QUERY) @ self._rows.T
        gold = [self._documents.index(pair.document) for pair in pairs]
        self._metrics.update(scores, torch.tensor(gold, device=self.device))

    def on_validation_epoch_end(self) -> None:
        """Log R@1 and the other metrics; videos of one text count as one."""
        self.log_dict(self._metrics.compute())
        self._metrics.reset()

    def configure_optimizers(self) -> Any:
        """AdamW; the rate rises, then falls to 0."""
        return one_cycle(self, RATE, DECAY)

    def _inputs(self, texts: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
        """A batch of texts with the model's own prompt, padded, with a mask."""
        found = self.model.preprocess(list(texts), prompt=_prompt(self.model, names))
        return {
            name: part.to(self.device) if isinstance(part, Tensor) else part
            for name, part in found.items()
        }

    def _embedded(self, texts: Sequence[str], names: Sequence[str]) -> Tensor:
        """Unit vectors of texts, (n, d), in padded batches."""
        parts = [
            self.model(self._inputs(texts[at : at + MINI_BATCH], names))["sentence_embedding"]
            for at in range(0, len(texts), MINI_BATCH)
        ]
        return torch.nn.functional.normalize(torch.cat(parts), dim=-1)


def train_sentences(
    module: SentenceModule, view: View, config: TrainerConfig, *, loss: Loss, negatives: int
) -> int:
    """Train for EPOCHS passes over the pairs; returns the steps. Keeps the best R@1, if any.

    negatives: texts of other candidates for each pair.
    """
    pairs = module.train_pairs
    size = min(BATCH[loss], len({pair.document for pair in pairs}))
    steps = math.ceil(EPOCHS * len(pairs) / size)

    def draw(_: int, generator: np.random.Generator) -> list[list[str]]:
        return [
            [pair.query, pair.document, *_rivals(pair, pairs, negatives, generator)]
            for pair in distinct(pairs, size, generator)
        ]

    def columns(rows: Sequence[list[str]]) -> list[list[str]]:
        return [list(column) for column in zip(*rows, strict=True)]

    val = DataLoader(range(len(module.val_pairs)), batch_size=MINI_BATCH)  # type: ignore[arg-type,var-annotated]
    validated = bool(module.val_pairs)
    fit(
        module,
        StepBatches(draw, columns, seed=config.seed).loader(),
        config,
        stage="texts",  # not `sentences`, the folder of the model: stages are removed at the end
        steps=steps,
        validation=val if validated else None,
        monitor="R@1" if validated else None,
        patience=PATIENCE if validated else None,
        times=VALIDATIONS,
        note=view.note,
    )
    return steps if config.steps is None else min(steps, config.steps)


def distinct(
    pairs: Sequence[TextPair], size: int, generator: np.random.Generator
) -> list[TextPair]:
    """`size` random pairs of different documents, so that none is another's false negative."""
    found: dict[str, TextPair] = {}
    for at in generator.permutation(len(pairs)):
        found.setdefault(pairs[at].document, pairs[at])
        if len(found) == size:
            break
    return list(found.values())


def _rivals(
    pair: TextPair, pairs: Sequence[TextPair], count: int, generator: np.random.Generator
) -> list[str]:
    """`count` texts of other videos: of the turn's candidates first, then of any pair."""
    named = [pair.rivals[at] for at in generator.permutation(len(pair.rivals))[:count]]
    others = [pairs[at].document for at in generator.permutation(len(pairs))]
    return (named + [text for text in others if text != pair.document] + others)[:count]


def _prompt(model: SentenceTransformer, names: Sequence[str]) -> str | None:
    """The prompt that `encode_query` and `encode_document` put before a text."""
    known = [name for name in names if name in model.prompts]
    name = known[0] if known else model.default_prompt_name
    return model.prompts.get(name) if name else None
