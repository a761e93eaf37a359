"""How often a nominal 95 % interval holds the truth, on the graph of real dialogues and videos.

    python -m tests.bench.coverage ../shared/data

Outcomes are simulated, dialogues and videos are real. Prints the coverage tables of
docs/statistics.md (about eight minutes).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from scipy.special import expit, logit, ndtri, stdtrit

from harness.statistics import bootstrap
from harness.statistics.intervals import two_way
from tests.bench.coverage_figures import FIGURES
from tests.bench.simulation import (
    EFFECTS,
    SEED,
    Count,
    Floats,
    Ints,
    Slice,
    head,
    latent,
    row,
    slices,
)

TRIALS = 1000  # samples of outcomes for each combination of effects and base rate
DRAWS = 1000  # of the bootstraps
RATES = (0.1, 0.3, 0.5, 0.8)
Bounds = tuple[Floats, Floats]
Method = Callable[[Slice, Floats], Bounds]


def resampled(cluster: Callable[[Slice], Ints]) -> Method:
    """The percentile bootstrap over the clusters that `cluster` gives."""

    def bounds(turns: Slice, right: Floats) -> Bounds:
        found = bootstrap(right.T, np.ones_like(right.T), cluster(turns), draws=DRAWS)
        return found.lows, found.highs

    return bounds


def pigeonhole(turns: Slice, right: Floats) -> Bounds:
    """Units and videos resampled at once; a turn weighs the product (Owen, AOAS 1(2), 2007)."""
    rng = np.random.default_rng(SEED)
    weights = np.ones((DRAWS, len(right)))
    for labels in (turns.unit, turns.video):
        group = np.unique(labels, return_inverse=True)[1]
        count = group.max() + 1
        weights *= rng.multinomial(count, np.full(count, 1 / count), size=DRAWS)[:, group]
    weights = weights[weights.sum(axis=1) > 0]
    low, high = np.percentile(weights @ right / weights.sum(axis=1)[:, None], [2.5, 97.5], axis=0)
    return low, high


def robust(ways: str, shape: str) -> Method:
    """Cluster-robust in one way or in both: normal or t quantiles, plain or on the logit."""

    def bounds(turns: Slice, right: Floats) -> Bounds:
        means, video = right.mean(axis=0), turns.video
        other = np.arange(len(right)) if ways == "units" else video
        every = np.ones(right.shape, dtype=bool)
        variance, clusters = two_way((right - means) / len(right), every, turns.unit, other)
        reach = np.sqrt(variance) * (1.96 if shape == "normal" else stdtrit(clusters - 1, 0.975))
        if shape != "logit":
            return means - reach, means + reach
        inside = np.clip(means, 1e-9, 1 - 1e-9)
        slope = inside * (1 - inside)
        low, high = (expit(logit(inside) + side * reach / slope) for side in (-1, 1))
        return np.where(means > 0, low, 0), np.where(means < 1, high, 1)

    return bounds


def default(turns: Slice, right: Floats) -> Bounds:
    """What the harness gives."""
    found = turns.design().ratios(right.T, np.ones_like(right.T))
    return found.lows, found.highs


DEFAULT = "**robust: two-way, t, Wilson (default)**"
METHODS: dict[str, Method] = {
    "bootstrap: turns": resampled(lambda turns: np.arange(len(turns.unit))),
    "bootstrap: dialogues": resampled(lambda turns: turns.unit),
    "bootstrap: joined groups": resampled(lambda turns: turns.cluster),
    "bootstrap: dialogues x videos (pigeonhole)": pigeonhole,
    "robust: dialogues, t": robust("units", "t"),
    "robust: two-way, normal": robust("both", "normal"),
    "robust: two-way, t": robust("both", "t"),
    "robust: two-way, t, logit": robust("both", "logit"),
    DEFAULT: default,
}


def shares(turns: Slice) -> dict[tuple[str, str, float], Count]:
    """Coverage of a share of right turns, by method, effects and base rate."""
    found = {}
    for number, (effects, parts) in enumerate(EFFECTS.items()):
        for rate in RATES:
            rng = np.random.default_rng([SEED, number, int(100 * rate)])
            right = (latent(rng, turns, parts, TRIALS) < ndtri(rate)).astype(float)
            for method, interval in METHODS.items():
                low, high = interval(turns, right)
                held = np.count_nonzero((low <= rate) & (rate <= high))
                found[method, effects, rate] = Count(int(held), TRIALS)
    return found


def pooled(counts: Iterable[Count]) -> Count:
    """All of them together."""
    return Count(*map(sum, zip(*counts, strict=True)))


def main(data: Path) -> None:
    """Print the tables."""
    graph = slices(data)
    found = {name: shares(turns) for name, turns in graph.items()}
    head("method, all retrieval turns", *EFFECTS)
    for method in METHODS:
        row(method, *(pooled(found["all"][method, e, p] for p in RATES) for e in EFFECTS))
    head("slice", "turns", "units", "videos")
    for name, turns in graph.items():
        row(name, len(turns.unit), *(len(np.unique(part)) for part in turns[:2]))
    head("method, all effects and base rates", *graph)
    for method in METHODS:
        keys = [(method, e, p) for e in EFFECTS for p in RATES]
        row(method, *(pooled(found[name][key] for key in keys) for name in graph))
    head("default, all effects", *(f"base rate {rate}" for rate in RATES), "least of the 24 cells")
    for name, cells in found.items():
        by_rate = (pooled(cells[DEFAULT, e, p] for e in EFFECTS) for p in RATES)
        row(name, *by_rate, min(cells[DEFAULT, e, p] for e in EFFECTS for p in RATES))
    head("default, video turns", *EFFECTS)
    for name, simulate in FIGURES.items():
        generators = (np.random.default_rng([SEED, number]) for number in range(len(EFFECTS)))
        pairs = zip(generators, EFFECTS.values(), strict=True)
        row(name, *(simulate(rng, graph["video turns"], parts) for rng, parts in pairs))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
