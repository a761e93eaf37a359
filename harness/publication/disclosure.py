"""What hidden labels forbid: small cells, cells known from those that are shown, and many digits.

A cell is one metric on one slice. It tells the sum of the metric over the turns (or dialogues) that
the slice counts. Sums and differences of cells tell sums over other sets: none of these may be of
few turns. Digits tell too: those of a mean of reciprocal ranks tell the rank of each single gold
video, so published figures are rounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import ArrayLike, NDArray

SMALLEST_CELL = 30  # turns, or dialogues for metrics of dialogues and segments
TOO_SMALL = (
    f"labels are hidden, and fewer than {SMALLEST_CELL} turns would show, here or as a difference"
    " of two figures"
)
WHOLE = "all"
OVERLAPPING = ("tag",)  # kinds whose slices may share turns
DECIMALS = 2  # of a per cent, a point, a turn
FOR_ORGANIZERS = (
    "labels are hidden: this is for the organizers alone, as its digits, intervals and counts tell"
    " the labels of single turns; publish what `ivcr leaderboard build` writes"
)
COHORT = "cohort4:"  # begins a slice that lies in the slice of the same name without it

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def withheld(
    names: Sequence[str],
    inside: ArrayLike,
    *,
    weights: ArrayLike = 1.0,
    sizes: ArrayLike = np.inf,
) -> frozenset[str]:
    """The slices in which one metric must not be shown where labels are hidden.

    `names`: (slices,), the first is the whole. `inside`: (slices, items), 1 where the slice counts
    the item. `weights`: (items,) or scalar, how many turns (or dialogues) an item stands for.
    `sizes`: (slices,) or scalar, a smaller number that the figure rests on, where there is one.

    Withheld are: slices of fewer than SMALLEST_CELL turns; the smallest slices of a kind, such as
    `type=`, until those that are not shown make up SMALLEST_CELL turns or none; the smaller of two
    slices that differ in fewer turns, or of which one is the rest of the other but for fewer.
    Slices of equal size are withheld together, so that no order of names decides.
    """
    table = np.asarray(inside, dtype=float)
    weight = np.broadcast_to(np.asarray(weights, dtype=float), table.shape[1:])
    shared = (table * weight) @ table.T  # (slices, slices)
    own = np.diag(shared)
    differing = own[:, None] + own - 2 * shared
    part_of = (shared == own[:, None]) & _few(differing)
    close = (own[:, None] <= own) & (_few(differing) | _few(own[0] - differing))
    shown = np.minimum(own, sizes) >= SMALLEST_CELL
    before = np.zeros(len(own), dtype=bool)
    while (before != shown).any():
        before = shown.copy()
        shown &= ~(part_of & shown).any(axis=1)
        for members in _kinds(names):
            _close_kind(shown, members, own, table, weight)
        shown &= ~(close & shown).any(axis=1)
    return frozenset(name for name, open_ in zip(names, shown, strict=True) if not open_)


def withheld_by_size(sizes: Mapping[str, int]) -> frozenset[str]:
    """The same for a document that holds only the number of turns of each slice, by name.

    It is taken that the slices of a kind share no turn and lie in the whole, that each slice of an
    overlapping kind lies in the whole, and each slice of the cohort in the slice of all dialogues.
    """
    small = {name for name, size in sizes.items() if size < SMALLEST_CELL}
    return frozenset(small).union(
        *(_withheld_parts(sizes, whole, parts) for whole, parts in _partitions(sizes))
    )


def published(value: float, unit: str) -> float:
    """A figure in its unit as hidden labels allow it: a share to two decimals of a per cent.

    Figures of other units, such as points and turns, keep two decimals.
    """
    return round(value, _decimals(unit)) + 0.0  # -0.0 becomes 0.0


def rounding_error(unit: str) -> float:
    """The most by which `published` moves a figure of a unit."""
    return float(10.0 ** -_decimals(unit) / 2)


def _decimals(unit: str) -> int:
    return DECIMALS + 2 if unit == "share" else DECIMALS


def _few(number: Floats) -> Bools:
    return np.logical_and(number > 0, number < SMALLEST_CELL)


def _kind(name: str) -> str:
    return name.partition("=")[0]


def _kinds(names: Sequence[str]) -> list[NDArray[np.int64]]:
    """The places of the slices of each kind."""
    kinds = np.array([_kind(name) for name in names])
    return [np.flatnonzero(kinds == kind) for kind in np.unique(kinds[kinds != _kind(names[0])])]


def _close_kind(
    shown: Bools, members: NDArray[np.int64], own: Floats, table: Floats, weight: Floats
) -> None:
    """Close the smallest slices of a kind until what is not shown of it tells of no few turns."""
    while (open_ := members[shown[members]]).size:
        unseen = table[0] * (1 - table[open_].max(axis=0)) @ weight
        if not _few(unseen):
            return
        shown[open_[own[open_] == own[open_].min()]] = False


def _partitions(sizes: Mapping[str, int]) -> Iterator[tuple[str, list[str]]]:
    """Each whole with slices that lie in it and share no turn."""
    parts = sorted(name for name in sizes if name != WHOLE)
    for kind, group in groupby(parts, key=_kind):
        names = list(group)
        for disjoint in [[name] for name in names] if kind in OVERLAPPING else [names]:
            if sum(sizes[name] for name in disjoint) <= sizes.get(WHOLE, 0):
                yield WHOLE, disjoint
    for name in parts:
        whole = name.removeprefix(COHORT)
        if whole != name and sizes[name] <= sizes.get(whole, 0):
            yield whole, [name]


def _withheld_parts(sizes: Mapping[str, int], whole: str, parts: Sequence[str]) -> frozenset[str]:
    """Each part is one item with the weight of its turns; the rest of the whole is another."""
    weights = np.array([sizes[part] for part in parts] + [0])
    weights[-1] = sizes[whole] - weights.sum()
    inside = np.vstack([np.ones(len(weights)), np.eye(len(weights))[:-1]])
    return withheld([whole, *parts], inside, weights=weights)
