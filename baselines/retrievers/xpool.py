"""X-Pool: each text pools a video's frames anew, by attending to those that resemble it.

Gorti et al., CVPR 2022, https://arxiv.org/abs/2203.15086;
https://github.com/layer6ai-labs/xpool at e0b4040 (modules/transformer.py): one attention head, maps
that start as the identity, dropout 0.3. Train with `ivcr baseline train xpool --set
clip=CHECKPOINT`: `tune=head` (the default: it needs no accelerator) trains the pooling alone on the
checkpoint's frame embeddings, `tune=all` the whole checkpoint from pixels, as the paper does.
Other than the paper: frames and texts have length 1 before the pooling, whose first step is a layer
norm, which undoes it; AdamW. Every text is compared with every video exactly, no shortlist. Reads
utterances (`context`) and frames; ignores answers, the videos' text, sound and, unless
`candidates=used`, the candidates. A moment turn is answered with the whole of the given video, else
of the best one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from baselines.base import About, Answer, Baseline, Provenance, Query, TrainerConfig, View
from baselines.dialogue_context import check_context, readings
from baselines.ranking import Corpus, Scores, blended, remembered
from baselines.retrieval_training.contrastive import Rates
from baselines.retrieval_training.encoder_pairs import Clips, filled
from baselines.retrieval_training.finetuning import TunedSettings, open_trained, train_head, trainee
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
RATES = {"head": Rates(1e-4, 0.0), "all": Rates(1e-5, 1e-6)}
EPOCHS = {"head": 20.0, "all": 5.0}


class XPoolSettings(TunedSettings, frozen=True, forbid_unknown_fields=True):
    """As TunedSettings."""


class XPoolHead(nn.Module):
    """Cosines of texts and the frames that they attend to; all of width d."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj, self.out_proj, self.linear_proj = (
            _identity(width) for _ in range(5)
        )
        self.layer_norm1, self.layer_norm2, self.layer_norm3 = (
            nn.LayerNorm(width) for _ in range(3)
        )
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, texts: Tensor, clips: Clips) -> Tensor:
        """texts: (n, d); returns (n, videos)."""
        pooled = nn.functional.normalize(self.pooled(texts, clips), dim=-1)  # (n, videos, d)
        return torch.einsum("nd,nvd->nv", nn.functional.normalize(texts, dim=-1), pooled)

    def pooled(self, texts: Tensor, clips: Clips) -> Tensor:
        """What each text makes of each video: shape (n, videos, d)."""
        queries = self.q_proj(self.layer_norm1(texts))  # (n, d)
        frames = self.layer_norm1(clips.frames)  # (videos, most, d)
        keys, values = self.k_proj(frames), self.v_proj(frames)
        logits = torch.einsum("nd,vfd->nvf", queries, keys) / math.sqrt(queries.shape[-1])
        weights = logits.masked_fill(clips.mask == 0, -math.inf).softmax(dim=-1)
        attended = self.out_proj(torch.einsum("nvf,vfd->nvd", weights, values))
        first = self.layer_norm2(attended)
        pooled: Tensor = self.layer_norm3(first + self.dropout(self.linear_proj(first)))
        return pooled


class XPool(Baseline):
    """The 100 best videos of the corpus by cosine; videos that cannot be read are not ranked."""

    settings_type = XPoolSettings
    _settings: XPoolSettings

    def train(self, view: View, config: TrainerConfig) -> None:
        """Train and write the checkpoint folder."""
        chosen = self._settings
        learner = trainee(chosen, view, config)
        head = XPoolHead(learner.clip.width)
        train_head(
            "xpool", chosen, head, learner, view, config,
            rates=RATES[chosen.tune], epochs=EPOCHS[chosen.tune],
        )  # fmt: skip

    def prepare(self, view: View) -> None:
        """Load the trained folder and embed the corpus' frames."""
        self._corpus = Corpus(view)
        self._opened = opened = open_trained(
            "xpool", self._settings, self.given, self._corpus, view
        )
        check_context(opened.settings.context, view.history)
        self._head = XPoolHead(opened.clip.width).to(opened.clip.device).eval()
        self._head.load_state_dict(opened.head)
        self._embed = remembered(lambda text: opened.clip.texts([text])[0])

    def candidate_use(self, declared: CandidateUse) -> CandidateUse:
        """As the setting has it."""
        return self._settings.candidates

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """A ranking for each video turn, one moment for each moment turn."""
        return [self._corpus.answer(query, self._scores) for query in queries]

    def provenance(self) -> Provenance:
        """The trained folder, the checkpoint it started from, the frames by their hashes."""
        return self._opened.provenance

    @torch.inference_mode()
    def _scores(self, query: Query) -> Scores:
        """Cosines over the corpus, one query with many videos at a time."""
        told = blended(self._embed, readings(query, self._opened.settings.context))
        seen, device = self._opened.seen, self._opened.clip.device
        text = torch.from_numpy(told[None]).to(device)
        parts = [
            self._head(text, self._clips(seen[at : at + VIDEOS_AT_ONCE]))[0].cpu().numpy()
            for at in range(0, len(seen), VIDEOS_AT_ONCE)
        ]
        return self._corpus.scattered(seen, np.concatenate(parts))

    def _clips(self, video_ids: Sequence[str]) -> Clips:
        features, most = self._opened.features, self._opened.settings.most
        found = filled([features[video_id] for video_id in video_ids], most)
        return Clips(*(part.to(self._opened.clip.device) for part in found))


def _identity(width: int) -> nn.Linear:
    made = nn.Linear(width, width)
    nn.init.eye_(made.weight)
    nn.init.zeros_(made.bias)
    return made
