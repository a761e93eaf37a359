"""Small graphs of units and videos for the tests of this folder."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.statistics import Design, resampling_units

Ints = NDArray[np.int64]


class Graph(NamedTuple):
    """The unit and the gold video of each turn."""

    unit: Ints
    video: Ints

    def design(self, **settings: float) -> Design:
        """Its design, all turns being retrieval turns."""
        return Design.of(self.unit, self.video, np.ones(len(self.unit)), **settings)


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


def official(path: Path) -> tuple[Ints, Ints, Ints]:
    """Dialogue, type and gold video of the retrieval turns of a file in the official format."""
    with gzip.open(path) as stream:
        samples = json.load(stream)
    rows = [
        (number, sample["type"][0], answer["video_id"])
        for number, sample in enumerate(samples)
        for answer in sample["conversations"][1::2]
        if sample["type"][0] != 0 and "gt_se" in answer
    ]
    dialogue, types = (np.array([row[i] for row in rows]) for i in (0, 1))
    return dialogue, types, np.unique([row[2] for row in rows], return_inverse=True)[1]


def real(shared: Path) -> Graph:
    """The graph of the real test dialogues."""
    dialogue, types, video = official(shared / "data" / "charades-ivcr.test.json.gz")
    return Graph(resampling_units(dialogue, types), video)
