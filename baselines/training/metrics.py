"""Validation figures while training, by torchmetrics: equal to the harness's on the same answers.

Every process validates the whole split, so nothing is added up between processes.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torchmetrics import Metric, MetricCollection
from torchmetrics.retrieval import RetrievalHitRate, RetrievalMRR

ALONE = {"sync_on_compute": False}
RECALLS = (1, 5, 10)
RANKED = 100  # a rank past this counts as absent
TENTHS = (3, 5, 7)
FIRST = (1, 5)


class Retrieval(nn.Module):
    """R@1, R@5, R@10 and MRR over video turns, by name in [0, 1]."""

    def __init__(self) -> None:
        """Nothing is counted yet."""
        super().__init__()
        self._figures = MetricCollection(
            {
                **{f"R@{k}": RetrievalHitRate(top_k=k, **ALONE) for k in RECALLS},  # type: ignore[arg-type]
                "MRR": RetrievalMRR(top_k=RANKED, **ALONE),  # type: ignore[arg-type]
            }
        )
        self._turns = 0

    def update(self, scores: Tensor, gold: Tensor) -> None:
        """Count turns: scores (turns, corpus), and the gold videos' positions (turns,), -1: none.

        Ties go to the earlier position, as in `search.best`; a gold score of NaN counts as absent.
        """
        ranks = gold_ranks(scores, gold)
        places = torch.arange(1, RANKED + 1, device=ranks.device).expand(len(ranks), -1)
        numbers = torch.arange(self._turns, self._turns + len(ranks), device=ranks.device)
        # Handed places from 100 down to 1 instead of scores: torchmetrics sorts without a rule for
        # ties, and its MRR drops whatever scores 0 or less.
        self._figures.update(
            (RANKED + 1 - places).float(),
            places == ranks[:, None],
            indexes=numbers[:, None].expand_as(places),
        )
        self._turns += len(ranks)

    def compute(self) -> dict[str, Tensor]:
        """The figures by the harness's names."""
        return dict(self._figures.compute())

    def reset(self) -> None:
        """Count anew."""
        self._figures.reset()
        self._turns = 0


def gold_ranks(scores: Tensor, gold: Tensor) -> Tensor:
    """Rank of each turn's gold video, from 1: (turns,); one more than the corpus where absent."""
    here = gold.clamp(min=0)[:, None]
    own = scores.gather(1, here)
    earlier = torch.arange(scores.shape[1], device=scores.device) < here
    ahead = (scores > own) | ((scores == own) & earlier)
    absent = (gold < 0) | own[:, 0].isnan()
    past = max(scores.shape[1], RANKED) + 1
    return torch.where(absent, past, 1 + ahead.sum(1))


class Moments(Metric):
    """R@1 and R@5 at IoU >= 0.3, 0.5, 0.7, and mIoU of the first, over moment turns, in [0, 1].

    Thresholds compare integers, so that no pair of spans fails a threshold which it meets exactly.
    """

    full_state_update = False
    hits: Tensor  # (FIRST, TENTHS)
    overlap: Tensor
    turns: Tensor

    def __init__(self) -> None:
        """Nothing is counted yet."""
        super().__init__(**ALONE)
        shape = (len(FIRST), len(TENTHS))
        self.add_state("hits", torch.zeros(shape, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("overlap", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("turns", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, moments: Tensor, gold: Tensor) -> None:
        """Count turns: spans (turns, k, 2), best first, and gold spans (turns, 2); integer ms.

        Spans are start and end in the gold video; (0, 0) fills up where there are fewer than k.
        """
        meet, union = overlaps(moments, gold)
        self.overlap += (meet[:, 0].double() / union[:, 0].double()).sum()
        for row, first in enumerate(FIRST):
            for column, tenths in enumerate(TENTHS):
                hit = (10 * meet >= tenths * union)[:, :first]
                self.hits[row, column] += hit.any(1).sum()
        self.turns += len(gold)

    def compute(self) -> dict[str, Tensor]:
        """The figures by the harness's names; NaN of no turn."""
        share = self.hits.double() / self.turns
        figures: dict[str, Any] = {
            f"R@{first},IoU>=0.{tenths}": share[row, column].float()
            for row, first in enumerate(FIRST)
            for column, tenths in enumerate(TENTHS)
        }
        return {**figures, "mIoU": (self.overlap / self.turns).float()}


def overlaps(moments: Tensor, gold: Tensor) -> tuple[Tensor, Tensor]:
    """Length of what each span shares with the gold, and of both together: (turns, k), ms."""
    start, end = moments.long().unbind(-1)
    from_, to = (part[:, None] for part in gold.long().unbind(-1))
    meet = (torch.minimum(end, to) - torch.maximum(start, from_)).clamp(min=0)
    return meet, (end - start) + (to - from_) - meet
