"""CLIP4Clip: trained frame embeddings, pooled by their mean, directly or after a transformer.

Luo et al., https://arxiv.org/abs/2104.08860; https://github.com/ArrowLuo/CLIP4Clip at 85cf908,
headers meanP (`similarity=mean`) and seqTransf (`similarity=sequence`: learned positions, 4 layers,
added to the frames themselves). Train with `ivcr baseline train clip4clip --set clip=CHECKPOINT`.
`tune=all` trains the whole checkpoint on pixels, as the paper does. `tune=head` (the default: it
needs no accelerator) keeps the checkpoint and trains the layers over the frames, and two linear
maps of texts and frames, which start as the identity and are not in the paper. Over features
(`features`, `text`) the layers stand on a text network and a map of the rows, which are trained
too. Differences from the paper: layers start at random and without effect, not as copies of CLIP's
layers; frames have length 1 before the layers; AdamW. Reads: utterances (`context`), frames.
Ignores: answers, the videos' text, sound and, unless `candidates=used`, the candidates. A moment
turn is answered with the whole of the given video, else of the best one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

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
    paper="https://arxiv.org/abs/2104.08860",
)
LAYERS = 4
HEAD_WIDTH = 64
RATES = {
    "head": LearningRates(1e-4, 0.0),
    "all": LearningRates(1e-4, 1e-7),
    "features": LearningRates(1e-3, 1e-3),
}
EPOCHS = {"head": 20.0, "all": 5.0, "features": 20.0}

Similarity = Literal["mean", "sequence"]


class CLIP4ClipSettings(FinetuningSettings, frozen=True, forbid_unknown_fields=True):
    """As FinetuningSettings, and one more.

    similarity: how a text is compared with a video's frames: with their mean, or with the mean of
    what a transformer over their sequence makes of them.
    """

    similarity: Similarity = "mean"


class CLIP4ClipHead(nn.Module):
    """Cosines of texts and pooled frames of width d."""

    def __init__(self, width: int, most: int, similarity: Similarity, *, maps: bool) -> None:
        """maps: whether there are linear maps of texts and frames, which start as identities."""
        super().__init__()
        self.text, self.frame = (_map(width) if maps else nn.Identity() for _ in range(2))
        self.positions = self.layers = None
        if similarity == "sequence":
            self.positions = nn.Embedding(most, width)
            nn.init.normal_(self.positions.weight, std=0.01)
            self.layers = nn.TransformerEncoder(_layer(width), LAYERS, enable_nested_tensor=False)
            for layer in self.layers.layers:
                _without_effect(cast(nn.TransformerEncoderLayer, layer))

    def forward(self, texts: Tensor, batch: FrameBatch) -> Tensor:
        """texts: (n, d); batch: frames of videos, (videos, most, d); returns (n, videos)."""
        return self.texts(texts) @ self.videos(batch).T

    def texts(self, texts: Tensor) -> Tensor:
        """Unit vectors of texts, (n, d): shape (n, d)."""
        return nn.functional.normalize(self.text(texts), dim=-1)

    def videos(self, batch: FrameBatch) -> Tensor:
        """Unit vectors of videos: shape (videos, d)."""
        frames = self.frame(batch.frames)  # (videos, most, d)
        if self.layers is not None and self.positions is not None:
            placed = frames + self.positions.weight[: frames.shape[1]]
            frames = frames + self.layers(placed, src_key_padding_mask=batch.mask == 0)
        frames = nn.functional.normalize(frames, dim=-1) * batch.mask[..., None]
        return nn.functional.normalize(frames.sum(dim=1), dim=-1)


class CLIP4Clip(Baseline):
    """The 100 best videos of the corpus by cosine; videos that cannot be read are not ranked."""

    settings_type = CLIP4ClipSettings
    _settings: CLIP4ClipSettings

    def train(self, view: View, config: TrainerConfig) -> None:
        """Train and write the checkpoint folder."""
        chosen = self._settings
        kind = "features" if chosen.features else chosen.tune
        data = training_data(chosen, view, config)
        head = _head(chosen, data.width)
        train_head(
            "clip4clip", chosen, head, data, view, config,
            rates=RATES[kind], epochs=EPOCHS[kind],
        )  # fmt: skip

    @torch.inference_mode()
    def prepare(self, view: View) -> None:
        """Load the trained folder and embed the corpus' videos.

        Raises what `load_head` raises, and WrongUsageError if the context is not in the history.
        """
        self._corpus = Corpus(view)
        self._loaded = loaded = load_head(
            "clip4clip", self._settings, self.given, self._corpus, view
        )
        check_context(loaded.settings.context, view.history)
        self._head = _head(loaded.settings, loaded.width).to(loaded.device).eval()
        self._head.load_state_dict(loaded.head)
        self._embed = cache_texts(loaded.embed)
        self._videos = np.concatenate([self._pooled(video_id) for video_id in loaded.readable])

    def candidate_use(self, declared: CandidateUse) -> CandidateUse:
        """As the setting has it."""
        return self._settings.candidates

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """A ranking for each video turn, one moment for each moment turn."""
        return [self._corpus.answer(query, self.scores) for query in queries]

    def provenance(self) -> Provenance:
        """The trained folder, the checkpoint it started from, the frames by their hashes."""
        return self._loaded.provenance

    def _pooled(self, video_id: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        """One video's vector, (1, d), computed alone, so that it does not depend on the corpus."""
        return self._head.videos(self._loaded.frames([video_id])).cpu().numpy()

    @torch.inference_mode()
    def scores(self, query: Query) -> Scores:
        """Cosines over the corpus."""
        embedding = weighted_embedding(self._embed, readings(query, self._loaded.settings.context))
        text = torch.from_numpy(embedding[None]).to(self._loaded.device)
        row = self._head.texts(text).cpu().numpy()[0]
        return self._corpus.over_corpus(self._loaded.readable, self._videos @ row)


def _head(chosen: CLIP4ClipSettings, width: int) -> CLIP4ClipHead:
    maps = chosen.tune == "head" and not chosen.features  # features are mapped already
    return CLIP4ClipHead(width, chosen.most, chosen.similarity, maps=maps)


def _map(width: int) -> nn.Linear:
    linear = nn.Linear(width, width, bias=False)
    nn.init.eye_(linear.weight)
    return linear


def _layer(width: int) -> nn.TransformerEncoderLayer:
    return nn.TransformerEncoderLayer(
        width, max(1, width // HEAD_WIDTH), 4 * width, dropout=0.0, activation="gelu",
        batch_first=True, norm_first=True,
    )  # fmt: skip


def _without_effect(layer: nn.TransformerEncoderLayer) -> None:
    """Initialise a layer so that it returns its input."""
    for part in (layer.self_attn.out_proj, layer.linear2):
        nn.init.zeros_(part.weight)
        nn.init.zeros_(part.bias)
