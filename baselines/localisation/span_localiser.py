"""A localiser trained on gold spans alone: frames or features, a question, a head, and the losses.

Few spans are annotated, so three further losses come from the same labels: whether a step is in the
span; in a video the span's steps against all others; in a batch each span against the other
questions. They train the frame network and the words; a head's loss alone hardly reaches them.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from baselines.localisation.heads import STEPS
from baselines.localisation.question_reader import QuestionReader
from baselines.networks.frame_network import FrameNetwork
from baselines.networks.text_network import PaddedTokens, TextNetwork

INSIDE, SPANS = 2.0, 1.0  # weights of the losses beside the head's
ASKED = 0  # the role of the moment that is asked for


class LocaliserInputs(NamedTuple):
    """What a localiser reads.

    features: the width of rows of features (0: frames, by its own network). pieces: the size of its
    own vocabulary; or tokens: the width of another text encoder's tokens.
    """

    features: int
    pieces: int
    tokens: int


class MomentBatch(NamedTuple):
    """Videos and the questions about them.

    shown: frames (videos, steps, 2, side, side, 3) or rows (videos, STEPS, width). tokens, mask: of
    the questions, as in PaddedTokens. owner: the video of each question, (questions,). gold:
    fractions of the video, (questions, 2).
    """

    shown: Tensor
    tokens: Tensor
    mask: Tensor
    owner: Tensor
    gold: Tensor


class SpanLocaliser(nn.Module):
    """The networks of a localiser."""

    def __init__(self, inputs: LocaliserInputs, head: nn.Module) -> None:
        """Initialise the weights at random; head: a LocaliserHead."""
        super().__init__()
        self.frames = None if inputs.features else FrameNetwork()
        self.text = TextNetwork(pieces=inputs.pieces, width=inputs.tokens)
        self.reader = QuestionReader(inputs.features)
        self.head = head

    def loss(self, batch: MomentBatch) -> Tensor:
        """The sum of the losses: a scalar."""
        steps = self.reader.steps(self._rows(batch.shown))
        texts = self.text(PaddedTokens(batch.tokens, batch.mask))
        roles = self.reader.roles(texts)
        read = self.reader(steps[batch.owner], texts, roles)
        inside = inside_steps(batch.gold)
        few = slice(self.head.trained_on)
        total: Tensor = self.head.loss(read.state[few], read.question[few], batch.gold[few])  # type: ignore[operator]
        total = total + INSIDE * nn.functional.binary_cross_entropy_with_logits(read.inside, inside)
        compared = self.reader.compared(steps)[batch.owner]
        within = step_loss(compared, roles[:, ASKED], inside)
        between = span_loss(compared, roles[:, ASKED], inside, batch.owner)
        return total + SPANS * (within + between)

    def spans(self, steps: Tensor, texts: PaddedTokens) -> tuple[Tensor, Tensor]:
        """The head's spans as fractions (n, k, 2), and their scores (n, k).

        steps: rows (n, STEPS, width), which the frame network has made if there is one.
        """
        encoded = self.text(texts)
        read = self.reader(self.reader.steps(steps), encoded, self.reader.roles(encoded))
        return self.head.spans(read.state, read.question)  # type: ignore[operator,no-any-return]

    def _rows(self, shown: Tensor) -> Tensor:
        """Rows of the steps, (videos, STEPS, width): of shown frames, or as they are."""
        if self.frames is None:
            return shown
        rows: Tensor = self.frames(shown.flatten(0, 1)).unflatten(0, shown.shape[:2])
        return rows.repeat_interleave(STEPS // shown.shape[1], dim=1)


def inside_steps(gold: Tensor) -> Tensor:
    """The share of each step that lies in the span: (n, STEPS) of fractions (n, 2)."""
    edges = torch.arange(STEPS + 1, device=gold.device) / STEPS
    shared = torch.minimum(edges[1:], gold[:, 1:]) - torch.maximum(edges[:-1], gold[:, :1])
    return (shared * STEPS).clamp(0, 1)


def step_loss(steps: Tensor, roles: Tensor, inside: Tensor) -> Tensor:
    """Cross entropy of the span's steps against all of the video: a scalar.

    steps: (n, STEPS, d); roles: (n, d); inside: (n, STEPS).
    """
    similarity = torch.einsum("ntd,nd->nt", steps, roles)
    weights = inside / inside.sum(1, keepdim=True).clamp(min=1e-6)
    return -(weights * similarity.log_softmax(1)).sum(1).mean()


def span_loss(steps: Tensor, roles: Tensor, inside: Tensor, owner: Tensor) -> Tensor:
    """Contrast of each span with the other questions' ones, both ways: a scalar.

    Shapes as in step_loss; owner: (n,) numbers of videos. Spans of one video that share more than
    half of the shorter one are no negatives of each other: both questions mean one event.
    """
    weights = inside / inside.sum(1, keepdim=True).clamp(min=1e-6)
    spans = torch.einsum("nt,ntd->nd", weights, steps)
    size = inside.sum(1)
    shorter = torch.minimum(size[:, None], size[None]).clamp(min=1e-6)
    same = (owner[:, None] == owner[None]) & (inside @ inside.T > shorter / 2)
    other = same & ~torch.eye(len(owner), dtype=torch.bool, device=owner.device)
    return _both_ways((roles @ spans.T).masked_fill(other, -1e4))


def _both_ways(similarity: Tensor) -> Tensor:
    """The mean cross entropy of rows and columns, whose gold is the diagonal: a scalar."""
    gold = torch.arange(len(similarity), device=similarity.device)
    rows = nn.functional.cross_entropy(similarity, gold)
    return (rows + nn.functional.cross_entropy(similarity.T, gold)) / 2
