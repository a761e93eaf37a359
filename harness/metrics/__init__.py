"""The METRICS table: every metric of protocol ivcr, in the order in which it is shown."""

from __future__ import annotations

from functools import partial
from typing import Any

from harness.metrics import moments, retrieval
from harness.metrics.metric import Column, Metric

TREC = "TREC; Voorhees & Harman 2005 (one gold video a turn: Success@k)"
TALL = "Gao et al., TALL, ICCV 2017"
VIDEO_TURNS = "video turns"


def _video(name: str, column: Any, formula: str, source: str, **changes: Any) -> Metric:
    row = Metric(
        name, column, "video", "mean", formula, "share", 0, 1, "higher", 0, VIDEO_TURNS, source
    )
    return row._replace(**changes)


def _moment(name: str, column: Any, formula: str) -> Metric:
    return Metric(
        name, column, "moment", "mean", formula, "share", 0, 1, "higher", 0, "moment turns", TALL
    )


_ROWS = (
    *(
        _video(f"R@{k}", partial(retrieval.recall, k=k), f"1 if rank <= {k}, else 0", TREC)
        for k in (1, 5, 10, 100)
    ),
    _video(
        "MRR",
        retrieval.reciprocal_rank,
        "1 / rank, 0 past 100",
        "Voorhees, TREC-8 question answering track, 1999",
    ),
    _video(
        "nDCG@10",
        partial(retrieval.ndcg, k=10),
        "1 / log2(1 + rank) if rank <= 10, else 0",
        "Järvelin & Kekäläinen, TOIS 20(4), 2002",
    ),
    _video(
        "MedR",
        retrieval.rank,
        "median rank; null if absent in half the turns or more",
        "usual in text-to-video retrieval, e.g. Miech et al., HowTo100M, ICCV 2019",
        average="median",
        unit="rank",
        low=1,
        high=100,
        better="lower",
        abstention=101,
    ),
    _video(
        "C-R@1",
        retrieval.choice,
        "1 if the first of choice (else of videos among the candidates) is gold",
        "IVCR-200K: choice among the ten first-stage candidates",
        over="video turns with candidates",
    ),
    _video(
        "C-R@1|in",
        retrieval.choice_within,
        "as C-R@1",
        "IVCR-200K: choice among the ten first-stage candidates",
        over="video turns whose candidates hold the gold",
    ),
    _video(
        "ahead_of_foil",
        retrieval.ahead_of_foil,
        "1 if gold ahead of its foil, 1/2 if neither is ranked, else 0",
        "pair accuracy, as in two-alternative forced choice",
        over="video turns with a foil",
        abstention=0.5,
    ),
    *(
        _moment(
            f"R@{first},IoU>=0.{tenths}",
            partial(moments.recall, first=first, tenths=tenths),
            f"1 if IoU >= 0.{tenths} for {'the first' if first == 1 else 'one of the first five'}",
        )
        for first in (1, 5)
        for tenths in (3, 5, 7)
    ),
    _moment("mIoU", moments.mean_iou, "IoU of the first moment"),
)
METRICS: dict[str, Metric] = {row.name: row for row in _ROWS}

__all__ = ["METRICS", "Column", "Metric"]
