"""Draws of a board's tests: all pairs in every draw, beside those alone that may raise a maximum.

    python -m tests.bench.rank_draws [SYSTEMS ...]

Simulated answers of so many systems (1,000) to 635 turns in 299 dialogues about 120 videos: all
with the same rate, and with rates from 5 to 60 %. Prints processor seconds of both ways and their
ratio, and whether the counts are the same.
"""

import sys
import time

import numpy as np

from harness.statistics import draw_counts

TURNS, DIALOGUES, VIDEOS, DRAWS = 635, 299, 120, 2_000
BOARDS = {"all equal": (0.01, 0.01), "5 to 60 %": (0.05, 0.6)}


def board(systems, low, high):
    """What `count_reached` takes: sums, pairs in order, scales, observed statistics."""
    rng = np.random.default_rng(0)
    right = (rng.random((systems, TURNS)) < np.linspace(low, high, systems)[:, None]).astype(float)
    influence = (right - right.mean(axis=1, keepdims=True)) / TURNS
    sums = []
    for groups in (DIALOGUES, VIDEOS):
        of = np.zeros((groups, systems))
        np.add.at(of, rng.integers(0, groups, TURNS), influence.T)
        sums.append(of)
    both = np.concatenate(sums)
    one, other = np.triu_indices(systems, k=1)
    products = both.T @ both
    own = np.diag(products)
    squares = np.maximum(own[one] + own[other] - 2 * products[one, other], 0)
    some = squares > 1e-15
    scale = np.where(some, 1 / np.sqrt(np.where(some, squares, 1)), 0)
    observed = np.abs(right.mean(axis=1)[one] - right.mean(axis=1)[other]) * scale
    order = np.argsort(observed, kind="stable")
    drawn = both.T @ rng.standard_normal((len(both), DRAWS))
    return drawn, one[order], other[order], scale[order], observed[order]


def timed(many, given):
    """Seconds and counts where pairs are left out from so many on."""
    draw_counts.MANY = many
    begin = time.process_time()
    counts = draw_counts.count_reached(*given)
    return time.process_time() - begin, counts


def main(sizes):
    usual = draw_counts.MANY
    for systems in sizes:
        for name, rates in BOARDS.items():
            given = board(systems, *rates)
            every, expected = timed(10**12, given)
            some, counts = timed(usual, given)
            same = (counts == expected).all()
            print(f"{systems:6,} systems, {name:10}  all {every:6.2f} s, some {some:6.2f} s: "
                  f"{every / some:5.1f} times as fast, same counts: {same}")  # fmt: skip


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or [1_000])
