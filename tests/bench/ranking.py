"""R@1/5/10, MRR and nDCG@10 beside pytrec_eval, from decoded predictions, in one run.

    python tests/bench/ranking.py [TURNS]

200,000 turns of 100 videos by default. Ours is timed from records to a value a turn and a sum a
metric; the frame, which is the benchmark's and the same for every submission, is there before, as
are pytrec_eval's relevance dictionaries. pytrec_eval is timed twice: on dictionaries that are ready
(it takes nothing else), and with the making of them. The gold is another string than the one in the
ranking, as it is after decoding. Portions take turns, so that both see the same machine.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytrec_eval

from harness.benchmark import Split
from harness.metrics import METRICS
from harness.outcomes import Outcomes, outcomes
from harness.outcomes.columns import ranks
from harness.records import Gold, Prediction, Turn

TURNS, PORTION, DEPTH, CORPUS = 200_000, 10_000, 100, 5_000
MEASURES = {
    "R@1": "success_1",
    "R@5": "success_5",
    "R@10": "success_10",
    "MRR": "recip_rank",
    "nDCG@10": "ndcg_cut_10",
}
WANTED = {"success.1,5,10", "recip_rank", "ndcg_cut.10"}
VIDEOS = [f"collection/{number:06d}.mp4" for number in range(CORPUS)]
SOURCES = dict.fromkeys(VIDEOS, "collection")


def portion(draw: random.Random, first: int) -> tuple[Split, list[Gold], list[Prediction]]:
    """PORTION video turns in dialogues of five; the gold is ranked in about two turns of three."""
    turns, gold, given = [], [], []
    for number in range(first, first + PORTION):
        key = (f"d{number // 5:06d}", number % 5 + 1)
        videos = draw.sample(VIDEOS, DEPTH)
        right = draw.choice(videos) if draw.random() < 2 / 3 else draw.choice(VIDEOS)
        turns.append(Turn(*key, 1, "en", "video", ""))
        gold.append(Gold(*key, right.encode().decode()))
        given.append(Prediction(*key, tuple(videos)))
    return Split("test", tuple(turns), {}, tuple(VIDEOS)), gold, given


def ours(
    frame: Outcomes, turns: tuple[Turn, ...], gold: list[Gold], given: list[Prediction]
) -> np.ndarray:
    """(metrics, turns)."""
    found = frame._replace(rank=ranks(turns, gold, given))
    tables = [METRICS[name].column(found).table for name in MEASURES]
    assert all(table.sum(axis=1)[1] == len(turns) for table in tables)
    return np.array([table[0] for table in tables])


def dictionaries(given: list[Prediction]) -> dict:
    """A run as pytrec_eval takes it: scores by query and document."""
    scores = [float(-place) for place in range(DEPTH)]
    return {
        f"{row}": dict(zip(prediction.videos or (), scores, strict=True))
        for row, prediction in enumerate(given)
    }


def timed(function: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    start = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - start


def main() -> None:
    """Print times, ratios and the greatest difference."""
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else TURNS
    draw, seconds, apart = random.Random(1), np.zeros(3), 0.0
    for first in range(0, turns, PORTION):
        split, gold, given = portion(draw, first)
        frame = outcomes(split, gold, [None] * len(gold), SOURCES)
        qrel = {f"{row}": {answer.video_id: 1} for row, answer in enumerate(gold)}
        evaluator = pytrec_eval.RelevanceEvaluator(qrel, WANTED)
        mine, took = timed(ours, frame, split.turns, gold, given)
        run, making = timed(dictionaries, given)
        found, evaluating = timed(evaluator.evaluate, run)
        seconds += took, evaluating, making + evaluating
        rows = [found[key] for key in qrel]
        foreign = np.array([[row[name] for row in rows] for name in MEASURES.values()])
        apart = max(apart, float(np.abs(mine - foreign).max()))
    print(f"{turns:,} turns of {DEPTH} videos; greatest difference in any turn: {apart:.1e}")
    for name, took in zip(("ours", "pytrec_eval", "with its input"), seconds, strict=True):
        print(f"{name:<15} {took:7.2f} s   ratio {took / seconds[0]:5.1f}")
    assert apart < 5e-6


if __name__ == "__main__":
    main()
