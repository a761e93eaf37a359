"""For each pair of systems, the draws whose greatest statistic up to that pair reaches its own.

Pairs are in the order of their observed statistics, least first. Few pairs raise the greatest
statistic of a draw. So of many pairs the first are computed one by one; after them only pairs are
whose systems' sums lie far apart in the draw. The counts are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

DRAWS_AT_ONCE = 2_048
AT_ONCE = 2**17  # statistics that are computed at once: they should fit a cache
COARSE = 1e-5  # rounding of single precision: p errs upwards
MANY = 200_000  # pairs from which on most are left out
FIRST = 8_192  # of them, pairs that are computed one by one
NEAR = 0.99  # quantile of a system's scales above which a pair is computed in every draw
TRIED = 8  # draws in which candidates are counted beforehand
DEARER = 20  # how many times as dear a candidate is as a pair that is computed one by one


class OrderedPairs(NamedTuple):
    """Pairs of systems, least observed statistic first, each array (pairs,).

    one, other: places of the systems. scale: what their difference is multiplied by. needed: the
    statistic that a draw has to reach.
    """

    one: Ints
    other: Ints
    scale: Singles
    needed: Singles

    def part(self, pairs: slice | Ints) -> OrderedPairs:
        """Some of the pairs."""
        return OrderedPairs(
            self.one[pairs], self.other[pairs], self.scale[pairs], self.needed[pairs]
        )

    def statistics(self, block: Singles) -> Singles:
        """Of sums (systems, draws): (pairs, draws)."""
        found: Singles = block[self.one]
        found -= block[self.other]
        np.abs(found, out=found)
        found *= self.scale[:, None]
        return found


class _Raised(NamedTuple):
    """Statistics above the greatest one before them, each array (n,): draw, place of the pair."""

    draw: Ints
    place: Ints
    value: Singles


def count_reached(sums: Floats, one: Ints, other: Ints, scale: Floats, observed: Floats) -> Ints:
    """For each pair, draws in which it or one before it reaches its observed statistic: (pairs,).

    sums: of the systems, (systems, draws); one, other, scale, observed: (pairs,), in ascending
    order of observed. Single precision is enough: COARSE covers its rounding.
    """
    needed = (observed * (1 - COARSE) - COARSE).astype(np.float32)
    pairs = OrderedPairs(one, other, scale.astype(np.float32), needed)
    counts = np.zeros(len(one), dtype=np.int64)
    first = FIRST if len(one) >= MANY else len(one)
    rest = _RestOfPairs(pairs, first, len(sums)) if first < len(one) else None
    for draws in _chunks(sums.shape[1], DRAWS_AT_ONCE):
        block = sums[:, draws].astype(np.float32)
        greatest = np.zeros(block.shape[1], dtype=np.float32)
        found, greatest = _one_by_one(block, pairs.part(slice(first)), greatest)
        counts[:first] += found
        if rest is not None:
            counts[first:] += rest.count(block, greatest)
    return counts


def _one_by_one(block: Singles, pairs: OrderedPairs, greatest: Singles) -> tuple[Ints, Singles]:
    """Counts of `pairs` in a block of draws, (pairs,), and the greatest statistics, (draws,).

    greatest: before the first of the pairs.
    """
    counts = np.zeros(len(pairs.one), dtype=np.int64)
    for part in _chunks(len(counts), max(1, AT_ONCE // DRAWS_AT_ONCE)):
        here = pairs.part(part)
        found = here.statistics(block)
        reached = np.maximum(found.max(axis=0), greatest)
        if greatest.min() >= here.needed[-1]:  # as it is, every draw reaches all of these pairs
            counts[part] = block.shape[1]
        elif reached.max() >= here.needed[0]:
            counts[part] = _reached(found, greatest, here.needed)
        greatest = reached
    return counts, greatest


def _reached(statistics: Singles, greatest: Singles, needed: Singles) -> Ints:
    """Draws in which the running maximum of `statistics`, (pairs, draws), is `needed`: (pairs,)."""
    np.maximum(statistics[0], greatest, out=statistics[0])
    for above, below in pairwise(
        statistics
    ):  # a pass of its own is six times as fast as accumulate
        np.maximum(above, below, out=below)
    bits = np.packbits(statistics >= needed[:, None], axis=1)
    counts: Ints = np.bitwise_count(bits).sum(axis=1, dtype=np.int64)
    return counts


class _RestOfPairs:
    """All pairs but the first ones, of which only those are computed that may raise a maximum."""

    def __init__(self, pairs: OrderedPairs, first: int, systems: int) -> None:
        self._pairs = pairs.part(slice(first, None))
        one, other, scale, _ = self._pairs
        self._scales = np.zeros((systems, systems), dtype=np.float32)
        self._places = np.zeros((systems, systems), dtype=np.int32)
        for rows, columns in ((one, other), (other, one)):
            self._scales[rows, columns] = scale
            self._places[rows, columns] = np.arange(len(one), dtype=np.int32)
        # A pair of nearly equal systems has a great scale, which would make all of their pairs
        # candidates: so such pairs are computed in every draw.
        largest = np.quantile(self._scales, NEAR, axis=1).astype(np.float32)
        self._near = np.flatnonzero(scale > np.minimum(largest[one], largest[other]))
        near = self._pairs.part(self._near)
        self._scales[near.one, near.other] = self._scales[near.other, near.one] = 0
        with np.errstate(divide="ignore"):
            self._distance = (1 - COARSE) / largest.astype(np.float64)  # of sums, for a statistic 1

    def count(self, block: Singles, greatest: Singles) -> Ints:
        """Draws that reach each pair: (pairs,); greatest: (draws,), before the first of them."""
        undecided = np.flatnonzero(greatest < self._pairs.needed[-1])
        decided = len(greatest) - len(undecided)
        if not len(undecided):
            return np.full(len(self._pairs.one), decided)
        return decided + self._count(block[:, undecided], greatest[undecided])

    def _count(self, block: Singles, greatest: Singles) -> Ints:
        pairs, order = self._pairs, np.argsort(block, axis=0)
        tried = range(0, len(greatest), max(1, len(greatest) // TRIED))
        candidates = np.mean(
            [self._far_above(block, order, draw, greatest[draw])[1].sum() for draw in tried]
        )
        if candidates * DEARER > len(pairs.one):
            return _one_by_one(block, pairs, greatest)[0]
        raised = [*self._near_pairs(block, greatest)]
        raised += [
            self._far_pairs(block, order, draw, greatest[draw]) for draw in range(len(greatest))
        ]
        every = _Raised(
            np.concatenate([each.draw for each in raised]),
            np.concatenate([each.place for each in raised]),
            np.concatenate([each.value for each in raised]),
        )
        return _from_intervals(_records(every), greatest, pairs.needed)

    def _far_above(
        self, block: Singles, order: Ints, draw: int, least: np.float32
    ) -> tuple[Ints, Ints]:
        """In the order of their sums, for each system the first one far above it, and how many."""
        sums = block[order[:, draw], draw].astype(np.float64)
        with np.errstate(invalid="ignore"):
            start = np.searchsorted(sums, sums + least * self._distance[order[:, draw]], "right")
        return start, len(sums) - start

    def _far_pairs(self, block: Singles, order: Ints, draw: int, least: np.float32) -> _Raised:
        """Pairs above `least` in a draw, but for near ones."""
        start, number = self._far_above(block, order, draw, least)
        lower = np.repeat(np.arange(len(number)), number)
        higher = np.arange(len(lower)) - np.repeat(np.cumsum(number) - number - start, number)
        one, other = order[lower, draw], order[higher, draw]
        values = np.abs(block[one, draw] - block[other, draw]) * self._scales[one, other]
        above = values > least
        places = self._places[one[above], other[above]].astype(np.int64)
        return _Raised(np.full(len(places), draw), places, values[above])

    def _near_pairs(self, block: Singles, greatest: Singles) -> Iterator[_Raised]:
        """Pairs of nearly equal systems that are above `greatest`."""
        for part in _chunks(len(self._near), max(1, AT_ONCE // DRAWS_AT_ONCE)):
            places = self._near[part]
            found = self._pairs.part(places).statistics(block)
            at, draw = np.nonzero(found > greatest)
            yield _Raised(draw, places[at], found[at, draw])


def _records(raised: _Raised) -> _Raised:
    """Those that are above all before them in their draw, by draw, then by place."""
    order = np.lexsort((raised.place, raised.draw))
    draw, place, value = raised.draw[order], raised.place[order], raised.value[order]
    # Running maxima of ranks, which are whole numbers: those of a later draw are above all before.
    levels, rank = np.unique(value, return_inverse=True)
    running = np.maximum.accumulate(draw * (len(levels) + 1) + rank + 1)
    record = np.diff(running, prepend=-1) > 0
    return _Raised(draw[record], place[record], value[record])


def _from_intervals(records: _Raised, greatest: Singles, needed: Singles) -> Ints:
    """Draws that reach each pair, (pairs,): each maximum holds for the pairs up to the next one."""
    size = len(needed)
    before = np.searchsorted(needed, greatest, "right")  # (draws,)
    last = np.append(np.diff(records.draw) > 0, True)[: len(records.draw)]
    until = np.where(last, size, np.append(records.place[1:], size)[: len(records.draw)])
    start = np.maximum(records.place, before[records.draw])
    end = np.minimum(np.searchsorted(needed, records.value, "right"), until)
    some = end > start
    changes = np.zeros(size + 1, dtype=np.int64)
    changes[0] = len(greatest)
    for places, sign in ((before, -1), (start[some], 1), (end[some], -1)):
        changes += sign * np.bincount(places, minlength=size + 1)
    counts: Ints = np.cumsum(changes[:-1])
    return counts


def _chunks(size: int, at_once: int) -> Iterator[slice]:
    return (slice(start, start + at_once) for start in range(0, size, at_once))
