"""False positives and power of tests and boards, on the graphs of real text and of IVCR-Mini.

    python -m tests.bench.boards ../shared/data BENCHMARK

BENCHMARK: IVCR-Mini, as `ivcr data mini` makes it. Systems find different dialogues and different
videos hard: each has effects of its own, skewed, on the logit. Prints the tables of tests in
docs/statistics.md (about an hour; with a third argument, so many boards a cell).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit

from harness.benchmark import Benchmark
from harness.records import CONCATENATION
from harness.statistics import (
    Design,
    all_pairs,
    max_t,
    minimum_detectable,
    paired_smooth,
    resampling_units,
)
from tests.bench.coverage_figures import survival_table, survives
from tests.bench.simulation import SEED, Count, Floats, Ints, Rng, Slice, head, row, slices
from tests.bench.swapping import swapped_ps
from tests.statistics.graphs import Graph, real

BOARDS = (
    600  # a cell on IVCR-Mini; half as many on real text, whose boards take eight times as long
)
DRAWS = 999
SYSTEMS = 20
SIZES = (0.0, 0.35, 0.7)  # standard deviations on the logit
CELLS = tuple(product(SIZES, SIZES, (0.1, 0.5, 0.9)))  # of dialogues, of videos, share right
LEVEL = 0.05
SMALL = ("IVCR-Mini", "60 dialogues", "type 3, moments", "turn 8", "30 turns", "8 videos")


class Tests(NamedTuple):
    """What a method finds on boards of equal systems, pooled and in its extreme cells."""

    single: Count
    least: Count
    most: Count
    boards: Count
    worst: Count


def mini(folder: Path, *, linked: bool = False) -> Graph:
    """The graph of IVCR-Mini's retrieval turns in test; `linked`: without dialogues of type 7."""
    benchmark = Benchmark(folder)
    gold = [each.video_id for each in benchmark.gold("test")]
    asked = [
        (turn.dialogue_id, name, turn.type)
        for turn, name in zip(benchmark.split("test").turns, gold, strict=True)
        if name and not (linked and turn.type == CONCATENATION)
    ]
    names, videos, types = zip(*asked, strict=True)
    dialogue, video = (np.unique(each, return_inverse=True)[1] for each in (names, videos))
    return Graph(resampling_units(dialogue, types), video)


def whole_dialogues(graph: Graph) -> Slice:
    """The turns of a graph whose units are whole dialogues."""
    unit, video = (np.unique(each, return_inverse=True)[1] for each in graph)
    first = np.flatnonzero(np.r_[True, np.diff(unit) != 0])
    return Slice(unit, video, unit, np.arange(len(unit)) - first[unit] + 1)


def outcomes(rng: Rng, graph: Graph, sizes: tuple[float, float], rates: Floats) -> Floats:
    """Right or wrong, 1 or 0, (systems, turns): systems of one rate are alike in distribution."""
    values = np.repeat(logit(rates)[:, None], len(graph.unit), axis=1)
    for size, group in zip(sizes, graph, strict=True):
        if size:
            effects = rng.exponential(size=(len(rates), group.max() + 1)) - 1
            values += size * effects[:, group]
    return (rng.random(values.shape) < expit(values)).astype(float)


def two_way_ps(design: Design, right: Floats) -> tuple[Floats, Floats]:
    """Single p and p by max-T of all pairs, (pairs,) each, as the harness gives them."""
    every = np.ones(right.shape[1])
    pairs = np.triu_indices(len(right), k=1)
    return all_pairs(design, right, every).ps, max_t(design, right, every)[pairs]


METHODS = {"swaps of clusters": swapped_ps, "**two-way (default)**": two_way_ps}


def equal_systems(graph: Graph, number: int, count: int) -> dict[str, Tests]:
    """What each method finds on `count` boards of equal systems a cell."""
    design = graph.design(draws=DRAWS)
    found: dict[str, list[tuple[Count, Count]]] = {method: [] for method in METHODS}
    for place, (dialogues, videos, rate) in enumerate(CELLS):
        rng = np.random.default_rng([SEED, number, place])
        shown = {method: np.zeros(2, dtype=int) for method in METHODS}
        for _ in range(count):
            right = outcomes(rng, graph, (dialogues, videos), np.full(SYSTEMS, rate))
            for method, ps_of in METHODS.items():
                single, adjusted = ps_of(design, right)
                shown[method] += (single <= LEVEL).sum(), (adjusted <= LEVEL).any()
        pairs = SYSTEMS * (SYSTEMS - 1) // 2
        for method, (single, boards) in shown.items():
            found[method].append((Count(int(single), count * pairs), Count(int(boards), count)))
    return {method: _tests(cells) for method, cells in found.items()}


def power(graph: Graph, number: int, sizes: tuple[float, float]) -> dict[str, Count]:
    """How often a board of equal systems but one shows what is twice its stated minimum."""
    rng, design = np.random.default_rng([SEED, 10 + number]), graph.design(draws=DRAWS)
    shown, count = dict.fromkeys(METHODS, 0), BOARDS // 2
    for _ in range(count):
        rates = np.full(SYSTEMS, 0.5)
        every = np.ones(len(graph.unit))
        stated = minimum_detectable(design, outcomes(rng, graph, sizes, rates), every) or 0.0
        rates[0] += 2 * stated
        right = outcomes(rng, graph, sizes, rates)
        for method, ps_of in METHODS.items():
            shown[method] += int((ps_of(design, right)[1][: SYSTEMS - 1] <= LEVEL).sum())
    return {method: Count(held, count * (SYSTEMS - 1)) for method, held in shown.items()}


def single_tests(turns: Slice, number: int, *, whole: bool) -> tuple[Count, Count | str]:
    """Single tests of two equal systems: of the share right; of S@3, where dialogues are whole."""
    rng, design = np.random.default_rng([SEED, 20 + number]), turns.design()
    graph, every = Graph(turns.unit, turns.video), np.ones(len(turns.unit))
    found = np.zeros(4, dtype=int)
    for dialogues, videos, rate in CELLS:
        for _ in range(BOARDS // 2):
            right = outcomes(rng, graph, (dialogues, videos), np.full(2, rate))
            share = all_pairs(design, right, every).ps[0]
            found[:2] += share <= LEVEL, not np.isnan(share)
            if not whole:
                continue
            tables = [survival_table(each, turns) for each in right.astype(bool)]
            smooth = paired_smooth(design, survives, *tables, whole_units=True).ps[0]
            found[2:] += smooth <= LEVEL, not np.isnan(smooth)
    return Count(*found[:2].tolist()), Count(*found[2:].tolist()) if whole else "-"


def _tests(cells: Iterable[tuple[Count, Count]]) -> Tests:
    single, boards = zip(*cells, strict=True)
    shares = sorted(single, key=lambda count: count.held / count.trials)
    worst = max(boards, key=lambda count: count.held / count.trials)
    return Tests(_pooled(single), shares[0], shares[-1], _pooled(boards), worst)


def _pooled(counts: Iterable[Count]) -> Count:
    return Count(*map(sum, zip(*counts, strict=True)))


def _bare(count: Count) -> str:
    return f"{100 * count.held / count.trials:.1f}"


def main(data: Path, benchmark: Path) -> None:
    """Print the tables."""
    graphs = {"IVCR-Mini": mini(benchmark), "real text": real(data)}
    head("graph", "clusters", "turns", "units", "videos")
    for name, graph in graphs.items():
        sizes: Iterable[Ints] = (graph.unit, graph.video)
        row(name, graph.design().kind, len(graph.unit), *(len(np.unique(each)) for each in sizes))
    head("20 equal systems", "test", "single tests (least to most)", "boards", "worst cell")
    for number, (name, graph) in enumerate(graphs.items()):
        count = BOARDS // (number + 1)
        for method, found in equal_systems(graph, number, count).items():
            spread = f"{_bare(found.single)} ({_bare(found.least)} to {_bare(found.most)})"
            row(name, method, spread, found.boards, found.worst)
    head("twice the stated minimum", "effects", *METHODS)
    for number, (name, graph) in enumerate(graphs.items()):
        for sizes_ in ((0.0, 0.0), (0.7, 0.7)):
            row(name, f"{sizes_[0]}, {sizes_[1]}", *power(graph, number, sizes_).values())
    head("two equal systems", "turns", "units", "videos", "share right", "S@3")
    parts = {"IVCR-Mini": whole_dialogues(mini(benchmark, linked=True)), **slices(data)}
    for number, name in enumerate(SMALL):
        turns = parts[name]
        counts = (len(np.unique(each)) for each in (turns.unit, turns.video))
        row(name, len(turns.unit), *counts, *single_tests(turns, number, whole=name in SMALL[:2]))


if __name__ == "__main__":
    if len(sys.argv) > 3:
        BOARDS = int(sys.argv[3])
    main(Path(sys.argv[1]), Path(sys.argv[2]))
