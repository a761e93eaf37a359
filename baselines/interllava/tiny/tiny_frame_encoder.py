"""Tiny InterLLaVA's frozen frame encoder (trainable on IVCR-Mini only: needs annotated events).

A recogniser (baselines/event_models/recogniser.py) gives what each frame shows. A few hundred
videos do not teach a language model to look for what a question describes. So each frame also has
its agreement with the question: by the dual encoder's matcher (baselines/event_models/matching.py)
where candidates are compared, by a grounder
(baselines/localisation/events/cross_modal_encoder.py) where a moment is searched. The facts of a
candidate compare its matcher scores with the other candidates'.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from baselines.event_models.event_annotations import Attribute
from baselines.event_models.event_segments import apply_actionness, log_probs, mean_pool
from baselines.event_models.matching import Matcher, SegmentFeatures, collate_videos
from baselines.event_models.query_encoder import WIDTH, TokenizedText, collate_texts
from baselines.interllava.prompts import FRAME_TIME
from baselines.interllava.tiny.tiny_model import FRAMES, TOKEN_CONFIG, VisualInputs
from baselines.interllava.tokenizer import Tokenizer, time_word
from baselines.localisation.events.cross_modal_encoder import Grounder
from baselines.localisation.events.step_features import StepFeatures, VideoFeatures, collate_steps
from baselines.localisation.heads import STEPS

Values = NDArray[np.float32]


class CandidateFeatures(NamedTuple):
    """A video as a candidate.

    contents: (FRAMES, values) probabilities. segments: for the matcher. length: in ms.
    """

    contents: Values
    segments: SegmentFeatures
    length: int


def candidate_features(
    videos: dict[str, VideoFeatures],
    segments: dict[str, SegmentFeatures],
    attributes: tuple[Attribute, ...],
) -> dict[str, CandidateFeatures]:
    """All videos as candidates, by video id."""
    return {
        name: CandidateFeatures(_contents(video.rows, attributes), segments[name], video.length)
        for name, video in videos.items()
    }


def _contents(rows: Values, attributes: tuple[Attribute, ...]) -> Values:
    """A recogniser's rows (n, values + 1) averaged over FRAMES parts: (FRAMES, values)."""
    edges = np.arange(FRAMES + 1) * len(rows) // FRAMES
    first, after = edges[:-1], np.maximum(edges[1:], edges[:-1] + 1)
    first = np.minimum(first, len(rows) - 1)
    return mean_pool(apply_actionness(rows, attributes), first, np.minimum(after, len(rows)))


class StepRelevanceHead(nn.Module):
    """A grounder's head that classifies each step as inside the moment or not."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(WIDTH, 1)

    def forward(self, state: Tensor) -> Tensor:
        """Logits (n, STEPS) of states (n, STEPS, WIDTH)."""
        inside: Tensor = self.layer(state)[..., 0]
        return inside

    def loss(self, state: Tensor, pooled: Tensor, gold: Tensor) -> Tensor:
        """Binary cross entropy (scalar) of states (n, STEPS, WIDTH).

        pooled: (n, WIDTH), not used. gold: (n, 2) fractions of the video.
        """
        centres = (torch.arange(STEPS, device=gold.device) + 0.5) / STEPS
        inside = (centres >= gold[:, :1]) & (centres < gold[:, 1:])
        return nn.functional.binary_cross_entropy_with_logits(self(state), inside.float())

    def spans(self, state: Tensor, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """The run of steps with the largest sum of logits: (n, 1, 2), and that sum, (n, 1)."""
        sums = nn.functional.pad(self(state).cumsum(1), (1, 0))
        runs = (sums[:, None, :] - sums[:, :, None]).masked_fill(
            torch.ones(STEPS + 1, STEPS + 1, device=state.device).tril().bool(), -torch.inf
        )
        best, place = runs.flatten(1).max(1)
        found = torch.stack([place // (STEPS + 1), place % (STEPS + 1)], dim=1) / STEPS
        return found[:, None], best[:, None]


class TinyFrameEncoder(nn.Module):
    """Encodes videos for a question; frozen, its parts are trained before."""

    def __init__(self, tokenizer: Tokenizer, matcher: Matcher, grounder: Grounder) -> None:
        super().__init__()
        self.matcher, self.grounder = matcher, grounder
        self._tokenizer = tokenizer
        self.requires_grad_(False)
        self.eval()

    @torch.no_grad()
    def encode_candidates(
        self, questions: Sequence[TokenizedText], candidates: Sequence[Sequence[CandidateFeatures]]
    ) -> VisualInputs:
        """The candidates of several questions, one question after the other.

        Facts of a candidate: its matcher score minus the best candidate's; its softmax probability
        among the candidates; each of the score's three parts minus their mean over candidates.
        """
        flat = [candidate for each in candidates for candidate in each]
        weights = self.matcher.query_weights(collate_texts(questions))
        parts = torch.stack(
            self.matcher.score_parts(weights, collate_videos([each.segments for each in flat]))
        )
        owner = torch.tensor([at for at, each in enumerate(candidates) for _ in each])
        own = parts[:, owner, torch.arange(len(flat))] * (self.matcher.scale.exp() / 4)
        facts = [_facts(part) for part in torch.split(own, [len(each) for each in candidates], 1)]
        contents = torch.from_numpy(log_probs(np.stack([each.contents for each in flat])))
        agreement = torch.einsum("nrv,nfv->nfr", weights.roles[owner], contents)
        text_ids, text_mask = self._frame_texts([_times(each.length, FRAMES) for each in flat])
        return VisualInputs(
            contents,
            agreement,
            torch.cat(facts)[:, None].expand(-1, FRAMES, -1),
            text_ids,
            text_mask,
            [len(each) for each in candidates],
        )

    @torch.no_grad()
    def encode_steps(
        self,
        questions: Sequence[TokenizedText],
        videos: Sequence[StepFeatures],
        lengths: Sequence[int],
    ) -> VisualInputs:
        """The videos in which moments are searched; facts: those of steps, the grounder's logit."""
        steps = collate_steps(videos)
        state, _ = self.grounder.encoder(collate_texts(questions), steps)
        inside = self.grounder.head(state)
        text_ids, text_mask = self._frame_texts([_times(length, STEPS) for length in lengths])
        facts = torch.cat([steps.known, inside[..., None]], dim=2)
        return VisualInputs(steps.shows, state, facts, text_ids, text_mask, [1] * len(questions))

    def number_words(self, numbers: Sequence[int]) -> list[list[int]]:
        """For each candidate the id of its number's word, once for each of its video tokens."""
        tokens = TOKEN_CONFIG.token_count(FRAMES)
        return [[self._tokenizer.token_id(str(number))] * tokens for number in numbers]

    def time_words(self, length: int) -> list[int]:
        """The ids of the times of a moment turn's frames, for a video of `length` ms."""
        return [self._tokenizer.token_id(word) for word in _times(length, STEPS)]

    def _frame_texts(self, times: Sequence[Sequence[str]]) -> tuple[Tensor, Tensor]:
        """The Q-Former's text of each frame; all are of one length, since a time is one token."""
        ids = torch.tensor([
            [self._tokenizer.encode(FRAME_TIME.format(time=at)).ids for at in each]
            for each in times
        ])  # fmt: skip
        return ids, torch.ones_like(ids)


def _facts(parts: Tensor) -> Tensor:
    """The facts of one question's candidates, (n, FACTS), from their scores' parts, (3, n)."""
    total = parts.sum(0)
    centred = parts - parts.mean(1, keepdim=True)
    return torch.stack([(total - total.max()) / 10, total.softmax(0), *(centred / 10)], dim=1)


def _times(length: int, frames: int) -> list[str]:
    """The middle of each frame's part of the video, in seconds."""
    return [time_word((2 * at + 1) * length // (2 * frames)) for at in range(frames)]
