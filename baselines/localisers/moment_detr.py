"""Moment-DETR, trained on gold spans: of its own frames or any features, and any text encoder.

Lei et al., NeurIPS 2021, https://arxiv.org/abs/2107.09609: QUERIES trained vectors read the encoded
steps by cross-attention. Each proposes the centre and length of a span, and a score that it is the
moment. In training the gold moment is matched with the proposal of least cost (the Hungarian method
for one gold moment), by L1 distance, generalised IoU (https://arxiv.org/abs/1902.09630) and score.
Differences from the paper: the steps are states of a reader that is trained with the decoder
(baselines/localisation/question_reader.py), beside three further losses (span_localiser.py); the
network is smaller; there is no saliency loss, as no saliency is annotated. With reader=events the
steps are similarities to the output of a recogniser, which is trained on annotated events, as
IVCR-Mini alone has them (baselines/localisation/events/).
Reads: frames (8 per second) or features, and the utterance, in the video that is given, else in the
latest that the history names; it abstains without one, and in video turns. Ignores: earlier
utterances, answers, the videos' text, sound, candidates.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from baselines.base import About, Answer, Baseline, Provenance, Query, TrainerConfig, View
from baselines.localisation.events.grounding_training import GroundingSchedule
from baselines.localisation.heads import WIDTH
from baselines.localisation.localiser import LocaliserSchedules, load_localiser, train_localiser
from baselines.localisation.localiser_settings import LocaliserSettings
from baselines.localisation.moment_training import MomentSchedule
from baselines.localisation.proposals import ScoredSpans

ABOUT = About(
    needs=("frames", "checkpoint"),
    trains=True,
    train_needs=("frames", "train_labels"),
    train_note="reader=events needs annotated events too, which IVCR-Mini alone has",
    languages=("en", "zh"),
    paper="https://arxiv.org/abs/2107.09609",
)
SCHEDULES = LocaliserSchedules(
    frames=MomentSchedule(rate=3e-3, passes={"small": 6, "full": 25}),
    events=GroundingSchedule(rate=1e-3, steps={"small": 500, "full": 2000}),
)
QUERIES, LAYERS, HEADS = 10, 2, 4
L1, GIOU, SCORE = 10.0, 1.0, 4.0  # weights of the losses, as in the paper
UNMATCHED = 0.1  # weight of a proposal that is not matched


class MomentDETR(Baseline):
    """Up to ten moments of one video, best first."""

    settings_type = LocaliserSettings
    _settings: LocaliserSettings

    def train(self, view: View, config: TrainerConfig) -> None:
        """Train the networks, and write the checkpoint folder."""
        train_localiser("moment_detr", self._settings, MomentDecoder, view, config, SCHEDULES)

    def prepare(self, view: View) -> None:
        """Load the trained folder and its videos' frames; raises as `load_localiser` does."""
        self._loaded = load_localiser(
            "moment_detr", self._settings, self.given, MomentDecoder, view
        )

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """Moments for each moment turn whose video is known and can be read."""
        return [self._loaded.answer(query) for query in queries]

    def scored_spans(self, query: Query) -> ScoredSpans | None:
        """All spans of the turn's video with their logits."""
        return self._loaded.scored_spans(query)

    def provenance(self) -> Provenance:
        """The hash of the trained folder, how it was trained, and the hashes of the frames."""
        return self._loaded.provenance


class MomentDecoder(nn.Module):
    """Proposals from the states of the steps."""

    trained_on = None  # all questions

    def __init__(self) -> None:
        """Initialise the weights at random."""
        super().__init__()
        self.queries = nn.Embedding(QUERIES, WIDTH)
        self.layers = nn.TransformerDecoder(
            nn.TransformerDecoderLayer(
                WIDTH, HEADS, 4 * WIDTH, dropout=0.1, activation="gelu", batch_first=True,
                norm_first=True,
            ),
            LAYERS,
            nn.LayerNorm(WIDTH),
        )  # fmt: skip
        self.span = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.GELU(), nn.Linear(WIDTH, 2))
        self.sure = nn.Linear(WIDTH, 1)

    def forward(self, state: Tensor, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Spans (n, QUERIES, 2), fractions of the video, and logits (n, QUERIES).

        state: (n, STEPS, WIDTH); pooled: (n, WIDTH).
        """
        decoded = self.layers(self.queries.weight + pooled[:, None], state)
        centre, length = self.span(decoded).sigmoid().unbind(2)
        spans = torch.stack([centre - length / 2, centre + length / 2], dim=2)
        return spans, self.sure(decoded)[..., 0]

    def loss(self, state: Tensor, pooled: Tensor, gold: Tensor) -> Tensor:
        """L1 and generalised IoU of the matched proposals, cross entropy of all scores: a scalar.

        gold: (n, 2), fractions of the video.
        """
        proposed, logits = self(state, pooled)
        distance = span_distance(proposed, gold[:, None])
        dissimilarity = 1 - generalised_iou(proposed, gold[:, None])
        cost = L1 * distance + GIOU * dissimilarity - SCORE * logits.sigmoid()
        matched = cost.argmin(dim=1, keepdim=True)
        target = torch.zeros_like(logits).scatter(1, matched, 1.0)
        weight = torch.full_like(logits, UNMATCHED).scatter(1, matched, 1.0)
        score = nn.functional.binary_cross_entropy_with_logits(logits, target, weight)
        distance, dissimilarity = distance.gather(1, matched), dissimilarity.gather(1, matched)
        return L1 * distance.mean() + GIOU * dissimilarity.mean() + SCORE * score

    def spans(self, state: Tensor, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """All proposals as fractions of the video (n, k, 2), and their scores (n, k)."""
        return self(state, pooled)  # type: ignore[no-any-return]


def span_distance(ones: Tensor, others: Tensor) -> Tensor:
    """L1 distance of spans' centres and lengths: (..., 2) and (..., 2) to (...)."""
    difference = ones - others
    centre = difference.mean(dim=-1).abs()
    return centre + (difference[..., 1] - difference[..., 0]).abs()


def generalised_iou(ones: Tensor, others: Tensor) -> Tensor:
    """IoU less the share of the hull that neither covers: (..., 2) and (..., 2) to (...)."""
    start, end = torch.maximum(ones, others)[..., 0], torch.minimum(ones, others)[..., 1]
    overlap = (end - start).clamp(min=0)
    union = (ones[..., 1] - ones[..., 0]) + (others[..., 1] - others[..., 0]) - overlap
    hull = torch.maximum(ones, others)[..., 1] - torch.minimum(ones, others)[..., 0]
    return overlap / union.clamp(min=1e-6) - (hull - union) / hull.clamp(min=1e-6)
