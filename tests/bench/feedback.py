"""What each kind of feedback gives away of hidden labels, and what it costs honest teams.

    python -m tests.bench.feedback BENCHMARK [TURNS...]

BENCHMARK: IVCR-Mini, as `ivcr data mini` makes it. TURNS: sizes of splits, by default all three.
Prints the tables of docs/organizing.md (about twenty minutes, most of them for 15,000 turns).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from harness.challenge.feedback import LadderFeedback
from harness.metrics import Column
from tests.bench.label_attacks import (
    GAMES,
    Known,
    read_counts,
    read_digits,
    read_ladder,
)
from tests.bench.label_fits import Finals, climb_ladder, fit_ladder, fit_shares, likeliest
from tests.bench.label_worlds import UNKNOWN, LadderBoard, World, mini_world
from tests.bench.simulation import SEED, Rng, head, row

SUBMISSIONS = (1, 10, 100, 1000)
SIZES = {60: 20, 635: 10, 15_000: 3}  # turns of a split, and how often it is attacked
STEPS = (1.0, 2.0)
ATTACKS = ("reading", "votes", "climbing")
Reading = Callable[[World, Rng], Known]
Fitting = Callable[[World, Rng], Finals]


def whole(world: World) -> np.ndarray:
    """All turns in one slice, (turns,)."""
    return np.zeros(len(world.gold), dtype=np.int64)


def ladder(steps: float, *, rounded: bool) -> tuple[Reading, list[Fitting]]:
    """The attacks on a Ladder."""

    def board(world: World) -> LadderBoard:
        return LadderBoard(world, steps, rounded=rounded)

    def reading(world: World, rng: Rng) -> Known:
        return read_ladder(world, board(world), SUBMISSIONS, rng)

    return reading, [
        lambda world, rng: fit_ladder(world, board(world), SUBMISSIONS, rng),
        lambda world, rng: climb_ladder(world, board(world), SUBMISSIONS, rng),
    ]


CHANNELS: Mapping[str, tuple[Reading, list[Fitting]]] = {
    "every metric, ten digits, slices": (lambda world, rng: read_digits(world, SUBMISSIONS), []),
    "every metric, two decimals, slices": (
        lambda world, rng: read_counts(world, world.part, SUBMISSIONS, rng, GAMES),
        [lambda world, rng: fit_shares(world, world.part, SUBMISSIONS, rng)],
    ),
    "R@1, two decimals, slices": (
        lambda world, rng: read_counts(world, world.part, SUBMISSIONS, rng),
        [lambda world, rng: fit_shares(world, world.part, SUBMISSIONS, rng)],
    ),
    "R@1, two decimals (`exact`)": (
        lambda world, rng: read_counts(world, whole(world), SUBMISSIONS, rng),
        [lambda world, rng: fit_shares(world, whole(world), SUBMISSIONS, rng)],
    ),
    **{
        f"Ladder, {steps:g} errors, {digits}": ladder(steps, rounded=digits == "two decimals")
        for steps in STEPS
        for digits in ("ten digits", "two decimals")
    },
}


def labels(world: World, reading: Reading, rng: Rng) -> list[float]:
    """How many labels are known for certain after each number of submissions."""
    found = reading(world, rng)
    for known in found.values():
        assert ((known == UNKNOWN) | (known == world.gold)).all()
    return [float(np.count_nonzero(found[k] != UNKNOWN)) for k in SUBMISSIONS]


def gains(world: World, reading: Reading, fits: list[Fitting], rng: Rng) -> np.ndarray:
    """Points of R@1 that attacks gain on the half that the board scores, and not on the other.

    (attacks, numbers of submissions); the first attack is reading. What is learned of the board's
    turns says nothing of others, so on the other half the last run answers what is likeliest, like
    a run without attack, and gains nothing: all of the gain is overfitting.
    """
    board, _ = world.halves(rng)
    guess = likeliest(board)
    known = reading(board, rng)
    finals = [{k: np.where(known[k] == UNKNOWN, guess, known[k]) for k in SUBMISSIONS}]
    finals += [fitting(board, rng) for fitting in fits]
    before = np.mean(guess == board.gold)
    return np.array(
        [[100 * (np.mean(f[k] == board.gold) - before) for k in SUBMISSIONS] for f in finals]
    )


def estimate(values: np.ndarray, decimals: int = 1) -> str:
    """A mean with its 95 % interval over repetitions, (repetitions,)."""
    reach = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():.{decimals}f} ± {reach:.{decimals}f}"


def attacked(mini: World, turns: int, repetitions: int) -> None:
    """Print the two tables of a split of so many turns."""
    worlds = [mini.sample(np.random.default_rng([SEED, r]), turns) for r in range(repetitions)]
    parts = np.mean([world.part.max() + 1 for world in worlds])
    inside = np.mean([np.count_nonzero(world.gold < 10) for world in worlds])
    columns = [f"k = {k:,}" for k in SUBMISSIONS]
    kept: dict[str, np.ndarray] = {}
    head(f"{turns:,} turns, {parts:.1f} slices, {inside:.0f} labels in lists: known", *columns)
    for name, (reading, fits) in CHANNELS.items():
        rng = np.random.default_rng([SEED, turns])
        found = np.array([labels(world, reading, rng) for world in worlds])
        row(name, *map(estimate, found.T))
        kept[name] = np.array([gains(world, reading, fits, rng) for world in worlds])
    head(f"{turns:,} turns, half of them on the board: points gained, by attack", *columns)
    for name, found in kept.items():
        for attack, values in zip(ATTACKS, found.swapaxes(0, 1), strict=False):
            row(f"{name}: {attack}", *map(estimate, values.T))


def honest(mini: World) -> None:
    """Print how often a run that is better is told so: a fifth of its turns come out otherwise."""
    better = (0, 1, 2, 3, 5, 10)
    head("told of a new best", *(f"{points} points better" for points in better))
    for turns in SIZES:
        rng = np.random.default_rng([SEED, turns])
        world = mini.sample(rng, turns)
        every = np.ones(turns, dtype=bool)
        for steps in STEPS:
            ladder = LadderFeedback("R@1", world.design(), steps)
            shares = []
            for points in better:
                told = 0
                for _ in range(trials := 200):
                    old = rng.random(turns) < 0.4
                    lost, won = (0.1 - points / 200) / 0.4, (0.1 + points / 200) / 0.6
                    new = np.where(old, rng.random(turns) >= lost, rng.random(turns) < won)
                    one, other = (Column.of(values, every) for values in (old, new))
                    told += ladder.release(one, other) is not None
                shares.append(f"{100 * told / trials:.0f} %")
            row(f"{turns:,} turns, {steps:g} errors", *shares)


def main(folder: Path, sizes: list[int]) -> None:
    """Print all tables."""
    mini = mini_world(folder)
    honest(mini)
    for turns in sizes:
        attacked(mini, turns, SIZES[turns])


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(text) for text in sys.argv[2:]] or list(SIZES))
