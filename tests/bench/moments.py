"""Moment metrics beside a plain per-query evaluator, conversion included, in one run.

    python tests/bench/moments.py [TURNS]

By default 15,000 turns with ten moments each. Both evaluators start from the same records and give
recall at 1 and 5 for three thresholds, and the mean IoU. The plain evaluator works query by query,
as the scripts of moment retrieval data sets do: one array of spans per query, IoUs by numpy, then
one comparison per threshold and depth.
"""

from __future__ import annotations

import random
import sys
import time

import numpy as np

from harness.records import Gold, Moment, Prediction, Span
from harness.temporal import DEPTH, IOU_TENTHS, moment_overlaps

TURNS, MOMENTS, RUNS = 15_000, 10, 5


def records(turns: int) -> tuple[list[Gold], list[Prediction]]:
    """Gold spans, and ten moments each, most of them in the gold video."""
    draw = random.Random(1)
    gold, predictions = [], []
    for number in range(turns):
        key, video = (f"d{number // 5:06d}", number % 5 + 1), f"collection/{number % 1900:06d}.mp4"
        start = draw.randrange(60_000)
        gold.append(Gold(*key, video, Span(start, start + draw.randrange(1_000, 20_000))))
        spans = [sorted(draw.sample(range(90_000), 2)) for _ in range(MOMENTS)]
        videos = [video if draw.random() < 0.8 else "collection/another.mp4" for _ in spans]
        pairs = zip(videos, spans, strict=True)
        predictions.append(
            Prediction(*key, None, tuple(Moment(name, *span) for name, span in pairs))
        )
    return gold, predictions


def ours(gold: list[Gold], predictions: list[Prediction]) -> np.ndarray:
    """Recalls and mean IoU, (7,), by the harness's own arrays."""
    overlap = moment_overlaps(gold, predictions)
    right = np.array([overlap.reaches(tenths) for tenths in IOU_TENTHS])
    recalls = np.stack([right[:, 0], right.any(axis=1)]).mean(axis=2)  # (depths, thresholds)
    return np.append(recalls.ravel(), overlap.iou()[0].mean())


def plain(gold: list[Gold], predictions: list[Prediction]) -> np.ndarray:
    """The same, (7,), query by query."""
    counts, total = np.zeros((2, len(IOU_TENTHS))), 0.0
    for answer, prediction in zip(gold, predictions, strict=True):
        assert answer.moment is not None
        spans = np.array([[m.start, m.end] for m in prediction.moments or ()], dtype=float) / 1000
        same = np.array([m.video_id == answer.video_id for m in prediction.moments or ()])
        start, end = answer.moment.start / 1000, answer.moment.end / 1000
        shared = np.maximum(np.minimum(spans[:, 1], end) - np.maximum(spans[:, 0], start), 0)
        covered = np.maximum(spans[:, 1], end) - np.minimum(spans[:, 0], start)
        iou = np.where(same, shared / covered, 0.0)
        total += iou[0]
        for row, depth in enumerate((1, DEPTH)):
            for column, tenths in enumerate(IOU_TENTHS):
                counts[row, column] += (iou[:depth] >= tenths / 10).any()
    return np.append(counts.ravel() / len(gold), total / len(gold))


def main() -> None:
    """Print medians over alternating runs, their ratio and the greatest difference of figures."""
    gold, predictions = records(int(sys.argv[1]) if len(sys.argv) > 1 else TURNS)
    seconds: list[list[float]] = []
    for _ in range(RUNS):
        marks = [time.perf_counter()]
        mine = ours(gold, predictions)
        marks.append(time.perf_counter())
        foreign = plain(gold, predictions)
        marks.append(time.perf_counter())
        seconds.append(np.diff(marks).tolist())
    fast, slow = np.median(seconds, axis=0)
    ratios = sorted(one / other for other, one in seconds)
    difference = np.abs(mine - foreign).max()
    print(f"{len(gold):,} turns of {MOMENTS} moments; greatest difference {difference:.1e}")
    print(f"ours {1000 * fast:.1f} ms, plain {1000 * slow:.1f} ms")
    print(f"ratio: median {np.median(ratios):.0f}, {ratios[0]:.0f} to {ratios[-1]:.0f}")


if __name__ == "__main__":
    main()
