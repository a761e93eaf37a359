"""X-Pool: each text pools a video's frames by attention to the frames that are similar to it.

Gorti et al., CVPR 2022, https://arxiv.org/abs/2203.15086;
https://github.com/layer6ai-labs/xpool at e0b4040 (modules/transformer.py): one attention head, maps
that start as the identity, dropout 0.3. Train with `ivcr baseline train xpool --set
clip=CHECKPOINT`: `tune=head` (the default: it needs no accelerator) trains only the pooling, on the
checkpoint's frame embeddings, `tune=all` the whole checkpoint on pixels, as the paper does. Over
features (`features`, `text`) the pooling stands on their encoders instead.
Differences from the paper: frames and texts have length 1 before the pooling, which has no effect
because the pooling begins with a layer norm; AdamW. Every text is compared with every video,
without a shortlist. Reads: utterances (`context`), frames. Ignores: answers, the videos' text,
sound and, unless `candidates=used`, the candidates. A moment turn is answered with the whole of the
given video, else of the best one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from baselines.base import About, Answer, Baseline, Provenance, Query, TrainerConfig, View
from baselines.dialogue_context import check_context, readings
from baselines.ranking import Corpus, Scores, cache_texts, weighted_embedding
from baselines.retrieval_training.contrastive import LearningRates
from baselines.retrieval_training.encoder_pairs import FrameBatch
from baselines.retrieval_training.finetuning import load_head, train_head, training_data
from baselines.retrieval_training.head_settings import FinetuningSettings
from harness.records import CandidateUse

ABOUT = About(
    needs=("frames", "checkpoint"),
    trains=True,
    train_needs=("frames", "checkpoint", "train_labels"),
    languages=("en", "zh"),
    paper="https://arxiv.org/abs/2203.15086",
)
DROPOUT = 0.3
VIDEOS_AT_ONCE = 1024
RATES = {
    "head": LearningRates(1e-4, 0.0),
    "all": LearningRates(1e-5, 1e-6),
    "features": LearningRates(1e-3, 1e-3),
}
EPOCHS = {"head": 20.0, "all": 5.0, "features": 20.0}


class XPoolHead(nn.Module):
    """Cosines of texts and the frames that they attend to; all of width d."""

    def __init__(self, width: int) -> None:
        """All maps start as identities."""
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj, self.out_proj, self.linear_proj = (
            _identity(width) for _ in range(5)
        )
        self.layer_norm1, self.layer_norm2, self.layer_norm3 = (
            nn.LayerNorm(width) for _ in range(3)
        )
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, texts: Tensor, batch: FrameBatch) -> Tensor:
        """texts: (n, d); batch: frames of videos, (videos, most, d); returns (n, videos)."""
        pooled = nn.functional.normalize(self.pool(texts, batch), dim=-1)  # (n, videos, d)
        return torch.einsum("nd,nvd->nv", nn.functional.normalize(texts, dim=-1), pooled)

    def pool(self, texts: Tensor, batch: FrameBatch) -> Tensor:
        """The frames of each video, pooled by each text, (n, d): shape (n, videos, d)."""
        queries = self.q_proj(self.layer_norm1(texts))  # (n, d)
        frames = self.layer_norm1(batch.frames)  # (videos, most, d)
        keys, values = self.k_proj(frames), self.v_proj(frames)
        logits = torch.einsum("nd,vfd->nvf", queries, keys) / math.sqrt(queries.shape[-1])
        weights = logits.masked_fill(batch.mask == 0, -math.inf).softmax(dim=-1)
        attended = self.out_proj(torch.einsum("nvf,vfd->nvd", weights, values))
        first = self.layer_norm2(attended)
        pooled: Tensor = self.layer_norm3(first + self.dropout(self.linear_proj(first)))
        return pooled


class XPool(Baseline):
    """The 100 best videos of the corpus by cosine; videos that cannot be read are not ranked."""

    settings_type = FinetuningSettings
    _settings: FinetuningSettings

    def train(self, view: View, config: TrainerConfig) -> None:
        """Train and write the checkpoint folder."""
        chosen = self._settings
        kind = "features" if chosen.features else chosen.tune
        data = training_data(chosen, view, config)
        head = XPoolHead(data.width)
        train_head(
            "xpool", chosen, head, data, view, config,
            rates=RATES[kind], epochs=EPOCHS[kind],
        )  # fmt: skip

    def prepare(self, view: View) -> None:
        """Load the trained folder and embed the corpus' frames.

        Raises what `load_head` raises, and WrongUsageError if the context is not in the history.
        """
        self._corpus = Corpus(view)
        self._loaded = loaded = load_head("xpool", self._settings, self.given, self._corpus, view)
        check_context(loaded.settings.context, view.history)
        self._head = XPoolHead(loaded.width).to(loaded.device).eval()
        self._head.load_state_dict(loaded.head)
        self._embed = cache_texts(loaded.embed)

    def candidate_use(self, declared: CandidateUse) -> CandidateUse:
        """As the setting has it."""
        return self._settings.candidates

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """A ranking for each video turn, one moment for each moment turn."""
        return [self._corpus.answer(query, self.scores) for query in queries]

    def provenance(self) -> Provenance:
        """The trained folder, the checkpoint it started from, the frames by their hashes."""
        return self._loaded.provenance

    @torch.inference_mode()
    def scores(self, query: Query) -> Scores:
        """Cosines over the corpus, one query with many videos at a time."""
        embedding = weighted_embedding(self._embed, readings(query, self._loaded.settings.context))
        ids, device = self._loaded.readable, self._loaded.device
        text = torch.from_numpy(embedding[None]).to(device)
        parts = [
            self._head(text, self._loaded.frames(ids[at : at + VIDEOS_AT_ONCE]))[0].cpu().numpy()
            for at in range(0, len(ids), VIDEOS_AT_ONCE)
        ]
        return self._corpus.over_corpus(ids, np.concatenate(parts))


def _identity(width: int) -> nn.Linear:
    linear = nn.Linear(width, width)
    nn.init.eye_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear
