"""Graphs of units and videos, made and real, and outcomes simulated on them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from harness.statistics import Design, resampling_units
from harness.statistics.design import DRAWS, LEVEL, SEED

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Graph(NamedTuple):
    """The unit and the gold video of each turn."""

    unit: Ints
    video: Ints

    def design(self, draws: int = DRAWS, seed: int = SEED, level: float = LEVEL) -> Design:
        """Its design, all turns being retrieval turns."""
        every = np.ones(len(self.unit))
        return Design.of(self.unit, self.video, every, draws=draws, seed=seed, level=level)


def apart(units: int, turns: int = 1) -> Graph:
    """Units of so many turns, each turn with a video of its own: nothing is shared."""
    return Graph(np.repeat(np.arange(units), turns), np.arange(units * turns))


def clubs(count: int, seed: int = 0) -> Graph:
    """Groups of one to four units of one to four turns that share two videos."""
    rng = np.random.default_rng(seed)
    rows: list[tuple[int, int]] = []
    unit = 0
    for club in range(count):
        for _ in range(rng.integers(1, 5)):
            rows += [(unit, 2 * club + int(v)) for v in rng.integers(0, 2, rng.integers(1, 5))]
            unit += 1
    return Graph(*np.array(rows).T)


class Official(NamedTuple):
    """The retrieval turns of a file in the official format, (turns,) each."""

    dialogue: Ints
    type: Ints
    video: Ints
    turn: Ints
    is_video: NDArray[np.bool_]


def official(path: Path) -> Official:
    """Read such a file."""
    with gzip.open(path) as stream:
        samples = json.load(stream)
    rows = [
        (dialogue, sample["type"][0], turn, answer["gt_se"] == [-1, -1], answer["video_id"])
        for dialogue, sample in enumerate(samples)
        for turn, answer in enumerate(sample["conversations"][1::2], start=1)
        if sample["type"][0] != 0 and "gt_se" in answer
    ]
    dialogue, types, turn, is_video = (np.array([row[i] for row in rows]) for i in range(4))
    video = np.unique([row[4] for row in rows], return_inverse=True)[1]
    return Official(dialogue, types, video, turn, is_video)


def real(data: Path) -> Graph:
    """The graph of the real test dialogues."""
    turns = official(data / "charades-ivcr.test.json.gz")
    return Graph(resampling_units(turns.dialogue, turns.type), turns.video)


def simulated(rng: np.random.Generator, graph: Graph, rates: NDArray[np.float64]) -> Bools:
    """Right or wrong, (systems, turns), at given rates, with effects of units and videos.

    Half of the effects is common to all systems. Systems of one rate are alike in distribution.
    """

    def effects(rows: int) -> NDArray[np.float64]:
        units = rng.normal(size=(rows, graph.unit.max() + 1))[:, graph.unit]
        videos = rng.normal(size=(rows, graph.video.max() + 1))[:, graph.video]
        return 0.5 * (units + videos)

    noise = rng.normal(size=(len(rates), len(graph.unit)))
    latent = (effects(1) + effects(len(rates)) + np.sqrt(0.5) * noise) / np.sqrt(1.5)
    return np.asarray(latent < ndtri(rates)[:, None])
