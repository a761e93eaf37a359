"""What a video token of a small InterLLaVA can express: marks, each in a direction of its own.

A candidate's tokens express that it is the gold one. A frame's token expresses that the frame is
inside the moment, is its first, is its last. Training gives the gold marks; a language model can be
trained on tokens that are made of them, and frames can be trained to become such tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from baselines.localisation.heads import STEPS

MARKS = 4
GOLD, INSIDE, FIRST, LAST = range(MARKS)
LOGIT_SCALE = 10.0  # from what tokens express to logits


def candidate_marks(golds: Sequence[tuple[int, int]], tokens: int) -> Tensor:
    """What candidates' video tokens should express: (video tokens, MARKS).

    golds: for each question the place of the gold candidate, from 1, and the number of candidates.
    tokens: of a candidate.
    """
    gold = [place == at for place, count in golds for at in range(1, count + 1)]
    marks = torch.zeros(len(gold), tokens, MARKS)
    marks[gold, :, GOLD] = 1
    return marks.flatten(0, 1)


def step_marks(golds: Sequence[NDArray[np.float32]]) -> Tensor:
    """What steps' video tokens should express: (video tokens, MARKS).

    golds: for each question its moment as fractions of the video, (2,).
    """
    centres = (torch.arange(STEPS) + 0.5) / STEPS
    gold = torch.from_numpy(np.stack(golds))  # (n, 2)
    marks = torch.zeros(len(gold), STEPS, MARKS)
    marks[..., INSIDE] = ((centres >= gold[:, :1]) & (centres < gold[:, 1:])).float()
    own = torch.arange(len(gold))
    marks[own, (gold[:, 0] * STEPS).long().clamp(0, STEPS - 1), FIRST] = 1
    marks[own, ((gold[:, 1] * STEPS).ceil().long() - 1).clamp(0, STEPS - 1), LAST] = 1
    return marks.flatten(0, 1)


def choice_loss(values: Tensor, marks: Tensor, counts: Sequence[int]) -> Tensor:
    """Cross entropy over each question's candidates, by the mean over a candidate's tokens.

    values: what the tokens express, marks: what they should, (video tokens, MARKS) each. counts:
    the candidates of each question. A scalar.
    """
    tokens = len(values) // sum(counts)
    scores = LOGIT_SCALE * values[:, GOLD].view(-1, tokens).mean(1)
    golds = marks[:, GOLD].view(-1, tokens)[:, 0]
    each = (torch.split(part, list(counts)) for part in (scores, golds))
    parts = zip(*each, strict=True)
    return torch.stack([nn.functional.cross_entropy(part, gold) for part, gold in parts]).mean()


def moment_loss(values: Tensor, marks: Tensor) -> Tensor:
    """The losses of the steps inside, first and last: a scalar; shapes as in choice_loss."""
    values, marks = (part.view(-1, STEPS, MARKS) for part in (values, marks))
    inside = LOGIT_SCALE * (values[..., INSIDE] - 0.5)
    loss = nn.functional.binary_cross_entropy_with_logits(inside, marks[..., INSIDE])
    for mark in (FIRST, LAST):
        logits = LOGIT_SCALE * values[..., mark]
        loss = loss + nn.functional.cross_entropy(logits, marks[..., mark])
    return loss
