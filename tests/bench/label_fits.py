"""Fitting a board without reading it: what a last run gains from many scores of guesses."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tests.bench.label_worlds import DIGITS, SLOTS, LadderBoard, World
from tests.bench.simulation import Floats, Ints, Rng

Finals = dict[int, Ints]  # by number of submissions, the (turns,) places that the last run answers


def likeliest(world: World) -> Ints:
    """What is answered without any score: the likeliest place, (turns,)."""
    return np.full(len(world.gold), world.prior[:SLOTS].argmax())


def fit_shares(world: World, part: Ints, ks: Iterable[int], rng: Rng) -> Finals:
    """The vote of guesses by what R@1, rounded, told of each slice of `part`, (turns,)."""
    votes, found = _votes(world), {}
    sizes = np.bincount(part)
    usual = np.zeros(len(sizes))
    for k in range(1, max(ks) + 1):
        guesses = _drawn(world, rng)
        shares = np.bincount(part, weights=guesses == world.gold) / sizes
        surplus = _surplus(world, guesses, part, np.round(shares, DIGITS))
        # Slices are easier or harder than the prior says, for all guesses alike.
        usual += (surplus - usual) / k
        _vote(votes, guesses, part, surplus - usual)
        if k in ks:
            found[k] = votes.argmax(axis=1)
    return found


def fit_ladder(world: World, board: LadderBoard, ks: Iterable[int], rng: Rng) -> Finals:
    """The vote of those guesses whose figure was released."""
    votes, found = _votes(world), {}
    whole = np.zeros(len(world.gold), dtype=np.int64)
    for k in range(1, max(ks) + 1):
        guesses = _drawn(world, rng)
        told = board.ask(guesses)
        if told is not None:
            _vote(votes, guesses, whole, _surplus(world, guesses, whole, np.array([told])))
        if k in ks:
            found[k] = votes.argmax(axis=1)
    return found


def climb_ladder(world: World, board: LadderBoard, ks: Iterable[int], rng: Rng) -> Finals:
    """The best run with a few answers guessed anew, kept where its figure is released."""
    best, found = likeliest(world), {}
    board.ask(best)
    sizes = [size for size in (2, 4, 8, 16, 64, 256, 1024) if 2 * size <= len(best)]
    for k in range(1, max(ks) + 1):
        if k > 1:
            changed = rng.choice(len(best), rng.choice(sizes), replace=False)
            guesses = best.copy()
            guesses[changed] = _drawn(world, rng)[changed]
            best = best if board.ask(guesses) is None else guesses
        if k in ks:
            found[k] = best
    return found


def _votes(world: World) -> Floats:
    return np.tile(np.log(world.prior[:SLOTS]), (len(world.gold), 1))


def _drawn(world: World, rng: Rng) -> Ints:
    chances = np.cumsum(world.prior[:SLOTS]) / world.prior[:SLOTS].sum()
    return np.searchsorted(chances, rng.random(len(world.gold)), side="right")


def _surplus(world: World, guesses: Ints, part: Ints, shares: Floats) -> Floats:
    """Of each slice, the log odds that its share adds to each of its guesses, (slices,).

    A guess that is right moves its slice's sum by 1; the others make it normal, with the variance
    sum p (1 - p).
    """
    chance = world.prior[guesses]
    variance = np.bincount(part, weights=chance * (1 - chance))
    expected = np.bincount(part, weights=chance)
    return np.asarray((shares * np.bincount(part) - expected) / variance)


def _vote(votes: Floats, guesses: Ints, part: Ints, surplus: Floats) -> None:
    votes[np.arange(len(guesses)), guesses] += surplus[part]
