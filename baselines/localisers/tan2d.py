"""2D-TAN, trained on gold spans: of its own frames or any features, and any text encoder.

Zhang et al., AAAI 2020, https://arxiv.org/abs/1912.03590: every span between two steps of the video
is a cell of a two-dimensional map. Cell (i, j) is the maximum over the steps i to j, multiplied by
the query and convolved with its neighbours. Its score is trained towards its IoU with the gold
moment, scaled between 0.5 and 1. Differences from the paper: the steps are states of a reader that
is trained with the map (baselines/localisation/question_reader.py), beside three further losses
(span_localiser.py); the convolutions are smaller; a cell also has the mean over its steps. With
reader=events the steps are similarities to the output of a recogniser, which is trained on
annotated events, as IVCR-Mini alone has them (baselines/localisation/events/).
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
from baselines.localisation.heads import STEPS, WIDTH
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
    paper="https://arxiv.org/abs/1912.03590",
)
SCHEDULES = LocaliserSchedules(
    frames=MomentSchedule(rate=3e-3, passes={"small": 6, "full": 40}),
    events=GroundingSchedule(rate=2e-3, steps={"small": 200, "full": 700}),
)
CHANNELS = 24
LOWEST, HIGHEST = 0.5, 1.0  # IoU whose target is 0, and whose target is 1


class TAN2D(Baseline):
    """Up to ten moments of one video, best first."""

    settings_type = LocaliserSettings
    _settings: LocaliserSettings

    def train(self, view: View, config: TrainerConfig) -> None:
        """Train the networks, and write the checkpoint folder."""
        train_localiser("tan2d", self._settings, SpanMap, view, config, SCHEDULES)

    def prepare(self, view: View) -> None:
        """Load the trained folder and its videos' frames; raises as `load_localiser` does."""
        self._loaded = load_localiser("tan2d", self._settings, self.given, SpanMap, view)

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """Moments for each moment turn whose video is known and can be read."""
        return [self._loaded.answer(query) for query in queries]

    def scored_spans(self, query: Query) -> ScoredSpans | None:
        """All spans of the turn's video with their logits."""
        return self._loaded.scored_spans(query)

    def provenance(self) -> Provenance:
        """The hash of the trained folder, how it was trained, and the hashes of the frames."""
        return self._loaded.provenance


class SpanMap(nn.Module):
    """Scores all spans of steps."""

    trained_on = 8  # a map is dear, and is soon trained
    start: Tensor
    end: Tensor
    real: Tensor

    def __init__(self) -> None:
        """Initialise the weights at random."""
        super().__init__()
        self.video, self.question = nn.Linear(2 * WIDTH, CHANNELS), nn.Linear(WIDTH, CHANNELS)
        self.norm = nn.LayerNorm(CHANNELS)
        self.layers = nn.ModuleList(
            nn.Conv2d(CHANNELS, CHANNELS, 3, padding=dilation, dilation=dilation)
            for dilation in (1, 2, 1)
        )
        self.score = nn.Conv2d(CHANNELS, 1, 1)
        place = torch.arange(STEPS)
        start, end = place[:, None].expand(STEPS, STEPS), place[None].expand(STEPS, STEPS)
        self.register_buffer("start", start / STEPS, persistent=False)
        self.register_buffer("end", (end + 1) / STEPS, persistent=False)
        self.register_buffer("real", start <= end, persistent=False)

    def forward(self, state: Tensor, pooled: Tensor) -> Tensor:
        """Logits of the cells: (n, STEPS, STEPS); those below the diagonal are no spans.

        state: (n, STEPS, WIDTH); pooled: (n, WIDTH).
        """
        cells = torch.cat([max_pool_spans(state), mean_pool_spans(state)], dim=3)
        both = self.video(cells) * self.question(pooled)[:, None, None]
        features = self.norm(both).permute(0, 3, 1, 2) * self.real
        for layer in self.layers:
            features = features + nn.functional.relu(layer(features)) * self.real
        return self.score(features)[:, 0]  # type: ignore[no-any-return]

    def loss(self, state: Tensor, pooled: Tensor, gold: Tensor) -> Tensor:
        """Binary cross entropy of the cells with their scaled IoU: a scalar; gold: (n, 2)."""
        start, end = gold[:, :1], gold[:, 1:]
        cells, scores = self.spans(state, pooled)
        overlap = torch.minimum(cells[..., 1], end) - torch.maximum(cells[..., 0], start)
        overlap = overlap.clamp(min=0)
        union = (cells[..., 1] - cells[..., 0]) + (end - start) - overlap
        target = ((overlap / union - LOWEST) / (HIGHEST - LOWEST)).clamp(0, 1)
        return STEPS / 2 * nn.functional.binary_cross_entropy_with_logits(scores, target)

    def spans(self, state: Tensor, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """All cells as fractions of the video (n, k, 2), and their scores (n, k)."""
        scores = self(state, pooled)[:, self.real]
        cells = torch.stack([self.start[self.real], self.end[self.real]], dim=1)
        return cells.expand(len(scores), -1, -1), scores


def max_pool_spans(state: Tensor) -> Tensor:
    """Maximum over the steps i to j: (n, steps, d) to (n, i, j, d); arbitrary where j < i."""
    rows, row = [state], state
    for _ in range(state.shape[1] - 1):
        row = torch.maximum(row[:, :-1], state[:, len(rows) :])
        rows.append(nn.functional.pad(row, (0, 0, len(rows), 0)))
    return _by_start(rows)


def _by_start(rows: list[Tensor]) -> Tensor:
    """Rows by length, (n, end, d) each, to cells by start and end, (n, start, end, d)."""
    by_length = torch.stack(rows, dim=1)  # (n, length - 1, end, d)
    size = by_length.shape[1]
    place = torch.arange(size, device=by_length.device)
    length = (place[None] - place[:, None]).clamp(min=0)  # (start, end)
    return by_length[:, length, place[None].expand(size, size)]


def mean_pool_spans(state: Tensor) -> Tensor:
    """Mean over the steps i to j: (n, steps, d) to (n, i, j, d); arbitrary where j < i."""
    sums = nn.functional.pad(state.cumsum(dim=1), (0, 0, 1, 0))
    place = torch.arange(state.shape[1], device=state.device)
    length = (place[None] - place[:, None] + 1).clamp(min=1)
    return (sums[:, None, 1:] - sums[:, :-1, None]) / length[None, :, :, None]
