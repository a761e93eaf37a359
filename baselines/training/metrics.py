"""Validation metrics during training, by torchmetrics: equal to the harness's on equal answers.

Every process validates the whole split, so nothing is summed over processes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torchmetrics import Metric, MetricCollection
from torchmetrics.retrieval import RetrievalHitRate, RetrievalMRR

from harness.records import RANK_LIMIT
from harness.temporal import IOU_TENTHS
from harness.temporal import overlaps as array_overlaps

NO_SYNC = {"sync_on_compute": False}
RECALLS = (1, 5, 10)
DEPTHS = (1, 5)


class RetrievalMetrics(nn.Module):
    """R@1, R@5, R@10 and MRR over video turns, by name in [0, 1]."""

    def __init__(self) -> None:
        """Start without turns."""
        super().__init__()
        self._figures = MetricCollection(
            {
                **{f"R@{k}": RetrievalHitRate(top_k=k, **NO_SYNC) for k in RECALLS},  # type: ignore[arg-type]
                "MRR": RetrievalMRR(top_k=RANK_LIMIT, **NO_SYNC),  # type: ignore[arg-type]
            }
        )
        self._turns = 0

    def update(self, scores: Tensor, gold: Tensor) -> None:
        """Add turns: scores, (turns, corpus), and positions of the gold videos, (turns,), -1: none.

        Ties go to the earlier position, as in `ranking.top_positions`; a gold score of NaN counts
        as absent.
        """
        ranks = gold_ranks(scores, gold)
        places = torch.arange(1, RANK_LIMIT + 1, device=ranks.device).expand(len(ranks), -1)
        numbers = torch.arange(self._turns, self._turns + len(ranks), device=ranks.device)
        # Places from 100 down to 1 stand in for scores: torchmetrics sorts without a rule for ties,
        # and its MRR drops every score of 0 or less.
        self._figures.update(
            (RANK_LIMIT + 1 - places).float(),
            places == ranks[:, None],
            indexes=numbers[:, None].expand_as(places),
        )
        self._turns += len(ranks)

    def compute(self) -> dict[str, Tensor]:
        """The metrics by the harness's names, each a scalar."""
        return dict(self._figures.compute())

    def reset(self) -> None:
        """Remove all turns."""
        self._figures.reset()
        self._turns = 0


def gold_ranks(scores: Tensor, gold: Tensor) -> Tensor:
    """Rank of each turn's gold video, from 1: (turns,); past the corpus and RANK_LIMIT if absent.

    scores: (turns, corpus); gold: its position in the corpus, (turns,), -1: absent.
    """
    here = gold.clamp(min=0)[:, None]
    own = scores.gather(1, here)
    earlier = torch.arange(scores.shape[1], device=scores.device) < here
    ahead = (scores > own) | ((scores == own) & earlier)
    absent = (gold < 0) | own[:, 0].isnan()
    past = max(scores.shape[1], RANK_LIMIT) + 1
    return torch.where(absent, past, 1 + ahead.sum(1))


class MomentMetrics(Metric):
    """R@1 and R@5 at IoU >= 0.3, 0.5, 0.7, and mIoU of the first, over moment turns, in [0, 1].

    Thresholds compare integers, so that a pair of spans that meets a threshold exactly passes it.
    """

    full_state_update = False
    hits: Tensor  # (depths, thresholds)
    overlap: Tensor
    turns: Tensor

    def __init__(self) -> None:
        """Start without turns."""
        super().__init__(**NO_SYNC)
        shape = (len(DEPTHS), len(IOU_TENTHS))
        self.add_state("hits", torch.zeros(shape, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("overlap", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("turns", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, moments: Tensor, gold: Tensor) -> None:
        """Add turns: spans, (turns, k, 2), best first, and gold spans, (turns, 2); integer ms.

        A span is its start and end in the gold video; (0, 0) pads a turn with fewer than k.
        """
        shared, union = overlaps(moments, gold)
        self.overlap += (shared[:, 0].double() / union[:, 0].double()).sum()
        for row, depth in enumerate(DEPTHS):
            for column, tenths in enumerate(IOU_TENTHS):
                hit = (10 * shared >= tenths * union)[:, :depth]
                self.hits[row, column] += hit.any(1).sum()
        self.turns += len(gold)

    def compute(self) -> dict[str, Tensor]:
        """The metrics by the harness's names, each a scalar; NaN without turns."""
        share = self.hits.double() / self.turns
        figures: dict[str, Any] = {
            f"R@{depth},IoU>=0.{tenths}": share[row, column].float()
            for row, depth in enumerate(DEPTHS)
            for column, tenths in enumerate(IOU_TENTHS)
        }
        return {**figures, "mIoU": (self.overlap / self.turns).float()}


def overlaps(moments: Tensor, gold: Tensor) -> tuple[Tensor, Tensor]:
    """Lengths of intersection and union of each span and the gold one: two of (turns, k), in ms.

    moments: (turns, k, 2); gold: (turns, 2).
    """
    found = array_overlaps(moments.long().cpu().numpy(), gold.long().cpu().numpy()[:, None])
    shared, union = (torch.from_numpy(part).to(moments.device) for part in found)
    return shared, union
