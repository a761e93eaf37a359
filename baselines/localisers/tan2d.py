"""2D-TAN: every span between two steps of the video is a cell of a map, which convolutions score.

Zhang et al., AAAI 2020, https://arxiv.org/abs/1912.03590: cell (i, j) is the maximum over the steps
i to j, multiplied by the question, then convolved with its neighbours; its score is trained towards
its IoU with the gold moment, scaled between 0.5 and 1. What differs from the paper: steps are not
features of a pre-trained network but agreements of a question with what a recogniser trained from
scratch sees (baselines/localisation/grounding.py), the convolutions are smaller, and a cell also
has the mean over its steps. Reads: frames (8 a second), the utterance alone, in the video that is
given, else in the latest that the history names; without one it abstains, as it does in video
turns. Ignores: earlier utterances, answers, the videos' text, sound, candidates. Needs
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
from baselines.localisation.step_features import STEPS

ABOUT = About(
    needs=("frames", "checkpoint"),
    trains=True,
    train_needs=("frames", "annotated_events", "train_labels"),
    languages=("en", "zh"),
    paper="https://arxiv.org/abs/1912.03590",
)
PLAN = Plan(rate=2e-3, steps={"small": 200, "full": 700})
CHANNELS = 24
LOWEST, HIGHEST = 0.5, 1.0  # IoU that counts as 0 and as 1


class TAN2DSettings(GroundingSettings, frozen=True):
    """As GroundingSettings."""


class TAN2D(Baseline):
    """Up to ten moments of one video, best first."""

    settings_type = TAN2DSettings
    _settings: TAN2DSettings

    def train(self, view: View, config: TrainerConfig) -> None:
        """Train recogniser and map, and write the checkpoint folder."""
        learnt("tan2d", self._settings, Map, view, config, PLAN)

    def prepare(self, view: View) -> None:
        """Load the trained folder and watch the corpus' videos; raises as `open_trained` does."""
        self._opened = open_trained("tan2d", self._settings, Map, view)

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """Moments for each moment turn whose video is known and can be read."""
        return [answer(query, self._opened) for query in queries]

    def provenance(self) -> Provenance:
        """The trained folder by its hash, how it was trained, the frames by their hashes."""
        return self._opened.provenance


class Map(nn.Module):
    """Scores of all spans of steps."""

    start: Tensor
    end: Tensor
    real: Tensor

    def __init__(self) -> None:
        """Draw the weights."""
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

    def forward(self, state: Tensor, gist: Tensor) -> Tensor:
        """Logits of the cells: (n, STEPS, STEPS); those below the diagonal mean nothing."""
        cells = torch.cat([most(state), mean(state)], dim=3)
        both = self.video(cells) * self.question(gist)[:, None, None]
        found = self.norm(both).permute(0, 3, 1, 2) * self.real
        for layer in self.layers:
            found = found + nn.functional.relu(layer(found)) * self.real
        return self.score(found)[:, 0]  # type: ignore[no-any-return]

    def loss(self, state: Tensor, gist: Tensor, gold: Tensor) -> Tensor:
        """Binary cross entropy of the cells with their scaled IoU."""
        start, end = gold[:, :1], gold[:, 1:]
        cells, scores = self.spans(state, gist)
        meet = torch.minimum(cells[..., 1], end) - torch.maximum(cells[..., 0], start)
        meet = meet.clamp(min=0)
        union = (cells[..., 1] - cells[..., 0]) + (end - start) - meet
        wanted = ((meet / union - LOWEST) / (HIGHEST - LOWEST)).clamp(0, 1)
        return STEPS / 2 * nn.functional.binary_cross_entropy_with_logits(scores, wanted)

    def spans(self, state: Tensor, gist: Tensor) -> tuple[Tensor, Tensor]:
        """All cells as fractions of the video (n, k, 2), and their scores (n, k)."""
        scores = self(state, gist)[:, self.real]
        every = torch.stack([self.start[self.real], self.end[self.real]], dim=1)
        return every.expand(len(scores), -1, -1), scores


def most(state: Tensor) -> Tensor:
    """Greatest of the steps i to j: (n, steps, d) to (n, i, j, d); below the diagonal no matter."""
    rows, row = [state], state
    for _ in range(state.shape[1] - 1):
        row = torch.maximum(row[:, :-1], state[:, len(rows) :])
        rows.append(nn.functional.pad(row, (0, 0, len(rows), 0)))
    return _by_start(rows)


def _by_start(rows: list[Tensor]) -> Tensor:
    """Rows by length, each by its end, to cells by start and end."""
    by_length = torch.stack(rows, dim=1)  # (n, length - 1, end, d)
    size = by_length.shape[1]
    place = torch.arange(size, device=by_length.device)
    length = (place[None] - place[:, None]).clamp(min=0)  # (start, end)
    return by_length[:, length, place[None].expand(size, size)]


def mean(state: Tensor) -> Tensor:
    """Mean of the steps i to j: (n, steps, d) to (n, i, j, d); below the diagonal no matter."""
    sums = nn.functional.pad(state.cumsum(dim=1), (0, 0, 1, 0))
    place = torch.arange(state.shape[1], device=state.device)
    length = (place[None] - place[:, None] + 1).clamp(min=1)
    return (sums[:, None, 1:] - sums[:, :-1, None]) / length[None, :, :, None]
