"""Moment-DETR: a decoder's queries each propose a span and how sure it is; a set, no proposals.

Lei et al., NeurIPS 2021, https://arxiv.org/abs/2107.09609: QUERIES learnt vectors read the encoded
steps by cross-attention; each gives centre and length of a span, and whether it is the moment. In
training the gold is matched with the proposal that suits it best (the Hungarian method, which for
one gold moment is the least cost), by L1 and generalised IoU (https://arxiv.org/abs/1902.09630).
What differs from the paper: steps are agreements of a question with what a recogniser trained from
scratch sees (baselines/localisation/grounding.py), the network is smaller, and there is no saliency
loss, since no saliency is annotated. Reads: frames (8 a second), the utterance alone, in the video
that is given, else in the latest that the history names; without one it abstains, as it does in
video turns. Ignores: earlier utterances, answers, the videos' text, sound, candidates. Needs
train/events.jsonl to be trained.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from baselines.base import About, Answer, Baseline, Provenance, Query, TrainerConfig, View
from baselines.event_models.query_encoder import WIDTH
from baselines.localisation.grounder import GroundingSettings, answer, open_trained
from baselines.localisation.grounding_training import Plan, learnt

ABOUT = About(
    needs=("frames", "checkpoint"),
    trains=True,
    train_needs=("frames", "annotated_events", "train_labels"),
    languages=("en", "zh"),
    paper="https://arxiv.org/abs/2107.09609",
)
PLAN = Plan(rate=1e-3, steps={"small": 500, "full": 2000})
QUERIES, LAYERS, HEADS = 10, 2, 4
L1, GIOU, SURE = 10.0, 1.0, 4.0  # weights of the losses, as in the paper
REST = 0.1  # how much a proposal counts that is not the moment


class MomentDETRSettings(GroundingSettings, frozen=True):
    """As GroundingSettings."""


class MomentDETR(Baseline):
    """Up to ten moments of one video, best first."""

    settings_type = MomentDETRSettings
    _settings: MomentDETRSettings

    def train(self, view: View, config: TrainerConfig) -> None:
        """Train recogniser and decoder, and write the checkpoint folder."""
        learnt("moment_detr", self._settings, Decoder, view, config, PLAN)

    def prepare(self, view: View) -> None:
        """Load the trained folder and watch the corpus' videos; raises as `open_trained` does."""
        self._opened = open_trained("moment_detr", self._settings, Decoder, view)

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """Moments for each moment turn whose video is known and can be read."""
        return [answer(query, self._opened) for query in queries]

    def provenance(self) -> Provenance:
        """The trained folder by its hash, how it was trained, the frames by their hashes."""
        return self._opened.provenance


class Decoder(nn.Module):
    """Proposals from the states of the steps."""

    def __init__(self) -> None:
        """Draw the weights."""
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

    def forward(self, state: Tensor, gist: Tensor) -> tuple[Tensor, Tensor]:
        """Spans (n, QUERIES, 2), fractions of the video, and logits of being the moment."""
        asked = self.queries.weight + gist[:, None]
        found = self.layers(asked, state)
        centre, length = self.span(found).sigmoid().unbind(2)
        return torch.stack([centre - length / 2, centre + length / 2], dim=2), self.sure(found)[
            ..., 0
        ]

    def loss(self, state: Tensor, gist: Tensor, gold: Tensor) -> Tensor:
        """Of the matched proposals L1 and generalised IoU; of all, whether they are matched."""
        proposed, logits = self(state, gist)
        far = apart(proposed, gold[:, None])
        unlike = 1 - generalised_iou(proposed, gold[:, None])
        cost = L1 * far + GIOU * unlike - SURE * logits.sigmoid()
        best = cost.argmin(dim=1, keepdim=True)
        wanted = torch.zeros_like(logits).scatter(1, best, 1.0)
        weight = torch.full_like(logits, REST).scatter(1, best, 1.0)
        sure = nn.functional.binary_cross_entropy_with_logits(logits, wanted, weight)
        return L1 * far.gather(1, best).mean() + GIOU * unlike.gather(1, best).mean() + SURE * sure

    def spans(self, state: Tensor, gist: Tensor) -> tuple[Tensor, Tensor]:
        """All proposals as fractions of the video (n, k, 2), and their scores (n, k)."""
        return self(state, gist)  # type: ignore[no-any-return]


def apart(ones: Tensor, others: Tensor) -> Tensor:
    """L1 distance of spans' centres and lengths: (..., 2) and (..., 2) to (...)."""
    difference = ones - others
    centre = difference.mean(dim=-1).abs()
    return centre + (difference[..., 1] - difference[..., 0]).abs()


def generalised_iou(ones: Tensor, others: Tensor) -> Tensor:
    """IoU less the share of the hull that neither covers: (..., 2) and (..., 2) to (...)."""
    start, end = torch.maximum(ones, others)[..., 0], torch.minimum(ones, others)[..., 1]
    meet = (end - start).clamp(min=0)
    union = (ones[..., 1] - ones[..., 0]) + (others[..., 1] - others[..., 0]) - meet
    hull = torch.maximum(ones, others)[..., 1] - torch.minimum(ones, others)[..., 0]
    return meet / union.clamp(min=1e-6) - (hull - union) / hull.clamp(min=1e-6)
