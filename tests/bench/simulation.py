"""Simulated outcomes on real graphs of dialogues and videos, and how shares are printed.

A turn's latent value is standard normal; its unit, its video and the pair of both contribute given
shares of the variance. So the truth is known, whatever the shares are.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.statistics import Design, resampling_units
from tests.statistics.graphs import official

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Rng = np.random.Generator
Shares = tuple[float, float, float]

SEED = 20251201
EFFECTS: dict[str, Shares] = {  # of the latent variance: dialogue, video, pair of both
    "none": (0.0, 0.0, 0.0),
    "dialogue 20 %": (0.2, 0.0, 0.0),
    "video 20 %": (0.0, 0.2, 0.0),
    "20 % each": (0.2, 0.2, 0.0),
    "40 %, 20 %, pair 10 %": (0.4, 0.2, 0.1),
    "20 %, video 50 %": (0.2, 0.5, 0.0),
}


class Slice(NamedTuple):
    """The turns that a figure is over: what each belongs to, (turns,) each.

    `cluster` is that of the whole split; `place` counts a unit's turns from 1.
    """

    unit: Ints
    video: Ints
    cluster: Ints
    place: Ints

    def design(self) -> Design:
        """The design of these turns alone."""
        return Design.of(self.unit, self.video, np.ones(len(self.unit)), draws=99)

    def only(self, turns: NDArray[np.generic]) -> Slice:
        """Some of the turns, by number or mask."""
        return Slice(*(part[turns] for part in self))


def slices(data: Path) -> dict[str, Slice]:
    """The slices that are simulated, by name; `data` holds the files in the official format."""
    test = official(data / "charades-ivcr.test.json.gz")
    small = official(data / "charades-ivcr.small60.json.gz")
    whole, count = _slice(test.dialogue, test.type, test.video), len(test.type)
    rng = np.random.default_rng(SEED)
    videos = rng.choice(np.unique(test.video), 8, replace=False)
    return {
        "all": whole,
        "video turns": whole.only(test.is_video),
        "type 3, moments": whole.only((test.type == 3) & ~test.is_video),
        "turn 8": whole.only(test.turn == 8),
        "30 turns": whole.only(np.sort(rng.choice(count, 30, replace=False))),
        "8 videos": whole.only(np.isin(test.video, videos)),
        "60 dialogues": _slice(small.dialogue, small.type, small.video),
    }


def _slice(dialogue: Ints, types: Ints, video: Ints) -> Slice:
    unit = resampling_units(dialogue, types)
    cluster = Design.of(unit, video, np.ones(len(unit))).cluster
    first = np.r_[0, np.flatnonzero(np.diff(unit)) + 1]
    starts = np.repeat(first, np.diff(np.r_[first, len(unit)]))
    return Slice(unit, video, cluster, np.arange(len(unit)) - starts + 1)


def latent(rng: Rng, turns: Slice, shares: Shares, trials: int) -> Floats:
    """Standard normals, (turns, trials), with the given shares of variance."""
    pair = np.unique(np.stack([turns.unit, turns.video]), axis=1, return_inverse=True)[1].ravel()
    noise = rng.standard_normal((len(pair), trials), dtype=np.float32)
    values = np.sqrt(1 - sum(shares)) * noise
    for share, group in zip(shares, (turns.unit, turns.video, pair), strict=True):
        if share:
            effects = rng.standard_normal((group.max() + 1, trials), dtype=np.float32)
            values += np.sqrt(share) * effects[group]
    return np.asarray(values, dtype=float)


class Count(NamedTuple):
    """How often something held, of how many times."""

    held: int
    trials: int

    def __str__(self) -> str:
        """The share in percent, with Wilson's 95 % interval."""
        p, n, z = self.held / self.trials, self.trials, 1.96
        middle, reach = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + (z / (2 * n)) ** 2)
        low, high = (100 * (middle + side * reach) / (1 + z * z / n) for side in (-1, 1))
        return f"{100 * p:.1f} ({low:.1f}-{high:.1f})"


def row(*cells: object) -> None:
    """Print one row of a table."""
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def head(*cells: str) -> None:
    """Print the head of a table."""
    print()
    row(*cells)
    print("|---" * len(cells) + "|")
