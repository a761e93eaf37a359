"""False positives and power of a whole board, on the graph of real dialogues and videos.

    python -m tests.bench.boards ../shared/data

Systems have effects of dialogues and videos in common and of their own. Prints the board tables of
docs/statistics.md (about five minutes).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from harness.statistics import Design, board, holm, max_t, sign_flip_tests
from tests.bench.simulation import SEED, Count, head, row
from tests.statistics.graphs import Graph, real, simulated

BOARDS = 500
DRAWS = 999


def false_positives(graph: Graph, design: Design, systems: int, rate: float) -> tuple[Count, Count]:
    """Boards of equal systems on which any pair differs: by max-T, and by Holm over all pairs."""
    rng = np.random.default_rng([SEED, systems, int(100 * rate)])
    one, other = np.triu_indices(systems, k=1)
    shown = np.zeros(2, dtype=int)
    for _ in range(BOARDS):
        right = simulated(rng, graph, np.full(systems, rate))
        corrected = holm(sign_flip_tests(design, right[one] * 1.0 - right[other]))
        shown += (max_t(design, right) <= 0.05).any(), (corrected <= 0.05).any()
    by_max_t, by_holm = (Count(int(number), BOARDS) for number in shown)
    return by_max_t, by_holm


def power(graph: Graph, design: Design, systems: int, times: float) -> tuple[float, Count]:
    """The stated minimum, and how often a difference of so many times it is shown."""
    rng = np.random.default_rng([SEED, systems, int(times)])
    every, rates = np.ones(len(graph.unit)), np.full(systems, 0.3)
    stated = board(design, simulated(rng, graph, rates), every).detectable or 0.0
    rates[0] += times * stated
    boards = (max_t(design, simulated(rng, graph, rates)) for _ in range(BOARDS // 2))
    return stated, Count(sum(bool(ps[0, 1] <= 0.05) for ps in boards), BOARDS // 2)


def main(data: Path) -> None:
    """Print the tables."""
    graph = real(data)
    design = graph.design(draws=DRAWS)
    head("equal systems", "share right", "boards with a difference, max-T", "the same, Holm")
    for systems, rate in ((20, 0.1), (20, 0.3), (20, 0.6), (5, 0.3)):
        row(systems, rate, *false_positives(graph, design, systems, rate))
    head("systems", "true difference / stated minimum", "stated minimum, points", "shown")
    for systems in (2, 20, 50):
        for times in (1, 2):
            stated, shown = power(graph, design, systems, times)
            row(systems, times, f"{100 * stated:.2f}", shown)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
