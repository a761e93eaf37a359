"""Attacks on hidden labels: reading them turn by turn, and fitting a board without knowing them.

A reader changes few turns and is told figures; what it marks as known it knows for certain. To read
counts of right answers is Mastermind with black pegs alone (Chvátal, Combinatorica 3, 1983). A
fitter submits guesses, and answers by the vote of those that came out well ("boosting" in Blum &
Hardt, ICML 2015).
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterable
from functools import cache
from typing import NamedTuple

import numpy as np

from tests.bench.label_worlds import DIGITS, ELSEWHERE, SLOTS, UNKNOWN, LadderBoard, World
from tests.bench.simulation import Floats, Ints, Rng

CODED = 5  # turns of which MRR and nDCG@10 tell all places
NEAR = 4e-9  # ten digits of a mean move a sum of at most CODED less
GAMES = 4  # counts that R@1, R@5, R@10 and R@100 tell of one submission, over different turns
# Asks with guesses for some turns, (n,), (n,), and is told a share of the slice.
Reader = Generator[tuple[Ints, Ints], float, None]
Known = dict[int, Ints]  # by number of submissions, (turns,) places or UNKNOWN


class Code(NamedTuple):
    """A ranking's (CODED, SLOTS) ranks for the candidates of CODED turns, and what would be told.

    reciprocal, gain: (outcomes,) sums behind MRR and nDCG@10, in the order of the first; places:
    (outcomes, CODED).
    """

    ranks: Ints
    reciprocal: Floats
    gain: Floats
    places: Ints


@cache
def code() -> Code:
    """Ranks of which no two turns share one; most outcomes differ in MRR or nDCG@10 then."""
    ranks = np.random.default_rng(1).permutation(100)[: CODED * SLOTS].reshape(CODED, SLOTS) + 1
    places = np.array(list(itertools.product(range(SLOTS + 1), repeat=CODED)))
    reciprocal, gain = (
        sum(np.append(values, 0.0)[places[:, turn]] for turn, values in enumerate(table))
        for table in (_reciprocal(ranks), _gain(ranks))
    )
    order = np.argsort(reciprocal, kind="stable")
    return Code(ranks, reciprocal[order], gain[order], places[order])


def _reciprocal(ranks: Ints) -> Floats:
    return np.where(ranks <= 100, 1 / ranks, 0.0)


def _gain(ranks: Ints) -> Floats:
    return np.where(ranks <= 10, 1 / np.log2(1.0 + ranks), 0.0)


def read_digits(world: World, ks: Iterable[int]) -> Known:
    """MRR and nDCG@10 in ten digits on every slice: CODED turns of each slice a submission."""
    known, found = np.full(len(world.gold), UNKNOWN), {}
    left = [np.flatnonzero(world.part == part) for part in range(world.part.max() + 1)]
    sizes = [len(turns) for turns in left]
    for k in range(1, max(ks) + 1):
        for number, turns in enumerate(left):
            block = turns[:CODED]
            if len(block):
                known[block] = _decoded(world.gold[block], sizes[number])
                # What is not certain yet comes again beside other turns.
                again = block[known[block] == UNKNOWN]
                left[number] = np.r_[turns[CODED:], again]
        if k in ks:
            found[k] = np.where(known == ELSEWHERE, UNKNOWN, known)
    return found


def _decoded(gold: Ints, size: int) -> Ints:
    """The places of some turns' gold as two means over a slice of `size` turns tell them.

    ELSEWHERE where it is certain that the gold is no candidate; UNKNOWN where outcomes that fit
    disagree.
    """
    table = code()
    ranks = np.array([[*row, 101][place] for row, place in zip(table.ranks, gold, strict=False)])
    told, gain = (
        float(f"{means.sum() / size:.10g}") * size for means in (_reciprocal(ranks), _gain(ranks))
    )
    low, high = np.searchsorted(table.reciprocal, [told - NEAR, told + NEAR])
    fits = table.places[low:high][np.abs(table.gain[low:high] - gain) < NEAR]
    # The code's turns past the block are not in the ranking.
    fits = fits[(fits[:, len(gold) :] == ELSEWHERE).all(axis=1), : len(gold)]
    return np.where((fits == fits[0]).all(axis=0), fits[0], UNKNOWN)


def read_counts(world: World, part: Ints, ks: Iterable[int], rng: Rng, games: int = 1) -> Known:
    """R@1 in two decimals of a per cent on each slice of `part`, (turns,).

    One submission serves all slices, and `games` different sets of turns in each: the gold of a set
    whose guesses stand at rank 2 counts in R@5 and not in R@1, and so on.
    """
    known, found = np.full(len(world.gold), UNKNOWN), {}
    players = []
    for number in range(part.max() + 1):
        members = rng.permutation(np.flatnonzero(part == number))
        for game in range(games):
            player = _read(members[game::games], len(members), world.prior, known)
            players.append((player, next(player), len(members)))
    for k in range(1, max(ks) + 1):
        going = []
        for player, (turns, guesses), size in players:
            share = round(float(np.count_nonzero(world.gold[turns] == guesses)) / size, DIGITS)
            try:
                going.append((player, player.send(share), size))
            except StopIteration:
                continue
        players = going
        if k in ks:
            found[k] = known.copy()
    return found


def _read(turns: Ints, size: int, prior: Floats, known: Ints) -> Reader:
    """Read the places of `turns`, the likeliest first, in blocks that hold about one gold."""
    for slot in np.argsort(-prior[:SLOTS], kind="stable"):
        left = prior[slot] / prior[np.r_[prior[:SLOTS] <= prior[slot], True]].sum()
        rest = turns[known[turns] == UNKNOWN]
        while len(rest):
            # Where rounding hides single turns, one that is known is needed first.
            ready = size <= 10**DIGITS or (known[turns] != UNKNOWN).any()
            block = rest[: max(1, round(1 / left)) if ready else 1]
            rest = rest[len(block) :]
            count = yield from _count(block, slot, size, turns, known)
            yield from _bisect(block, slot, count, size, turns, known)


def _bisect(
    block: Ints, slot: int, count: int, size: int, turns: Ints, known: Ints
) -> Generator[tuple[Ints, Ints], float, None]:
    if count == len(block):
        known[block] = slot
    elif count:
        first, second = block[: len(block) // 2], block[len(block) // 2 :]
        found = yield from _count(first, slot, size, turns, known)
        yield from _bisect(first, slot, found, size, turns, known)
        yield from _bisect(second, slot, count - found, size, turns, known)


def _count(
    block: Ints, slot: int, size: int, turns: Ints, known: Ints
) -> Generator[tuple[Ints, Ints], float, int]:
    """How many turns of a block have their gold at `slot`; two submissions if rounding hides it."""
    guesses = np.full(len(block), slot)
    share = yield block, guesses
    fits = {n for n in range(len(block) + 1) if round(n / size, DIGITS) == share}
    if len(fits) > 1:
        sure = turns[known[turns] != UNKNOWN][:1]
        share = yield np.r_[block, sure], np.r_[guesses, known[sure]]
        fits &= {n for n in range(len(block) + 1) if round((n + 1) / size, DIGITS) == share}
    (count,) = fits
    return count


def read_ladder(world: World, board: LadderBoard, ks: Iterable[int], rng: Rng) -> Known:
    """Add guesses for the fewest turns whose release is possible; the figure says if all are right.

    The turns are those with the likeliest guess left; refusals make a guess less likely. Where some
    of a block are right they stay in the best run, and nothing more is learned of them.
    """
    belief = np.tile(world.prior[:SLOTS], (len(world.gold), 1))
    known, found = np.full(len(world.gold), UNKNOWN), {}
    best, right, order = known.copy(), 0, rng.permutation(len(world.gold))
    for k in range(1, max(ks) + 1):
        chance = np.where(best == UNKNOWN, belief.max(axis=1), 0.0)
        ranked = order[np.argsort(-chance[order], kind="stable")]
        turns = board.least_block(ranked[chance[ranked] > 0])
        slots = belief[turns].argmax(axis=1)
        guesses = best.copy()
        guesses[turns] = slots
        told = board.ask(guesses)
        if told is None:
            odds = chance[turns]
            belief[turns, slots] = (odds - odds.prod()) / (1 - odds.prod())
        else:
            count = round(told * len(best)) - right
            best, right = guesses, right + count
            if count == len(turns):
                known[turns] = slots
        if k in ks:
            found[k] = known.copy()
    return found
