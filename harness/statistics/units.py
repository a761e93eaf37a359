"""Units of resampling, and the groups of units that share videos."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from harness.records import CONCATENATION

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def resampling_units(dialogue: ArrayLike, types: ArrayLike) -> Ints:
    """The unit of each turn, (turns,), numbered from 0: its dialogue; itself where the type is 7.

    `dialogue` and `types` are (turns,) integers. The turns of a type-7 dialogue are independent:
    the data file only concatenates them.
    """
    codes = np.asarray(types)
    alone = np.where(codes == CONCATENATION, np.arange(len(codes)), -1)
    return cross_labels(np.asarray(dialogue), alone)


def cross_labels(one: Ints, other: Ints) -> Ints:
    """A number from 0 for each combination of two labels, both (turns,), that occurs: (turns,)."""
    return np.unique(np.stack([one, other]), axis=1, return_inverse=True)[1].ravel()


def sharing_units(unit: Ints, video: Ints) -> csr_array:
    """Which units share a video: 0 or 1, (units, units), 1 on the diagonal.

    `unit`, `video`: (turns,), from 0. The rows are the units that occur, in their order.
    """
    rows, columns = (np.unique(label, return_inverse=True)[1] for label in (unit, video))
    occurs = csr_array((np.ones(len(rows)), (rows, columns)))
    occurs.data[:] = 1.0
    shared = csr_array(occurs @ occurs.T)
    shared.data[:] = 1.0
    return shared


def connected_groups(unit: ArrayLike, video: ArrayLike) -> Ints:
    """The connected component of each turn, (turns,): units that share a video, directly or not.

    `unit` and `video` are (turns,) integers, `unit` from 0; a turn with a negative `video` has none
    and joins nothing.
    """
    units, videos = np.asarray(unit), np.asarray(video)
    parent = list(range(int(units.max(initial=-1)) + 1))
    first: dict[int, int] = {}
    for mine, name in np.unique(np.stack([units, videos])[:, videos >= 0], axis=1).T.tolist():
        parent[_root(parent, mine)] = _root(parent, first.setdefault(name, mine))
    roots = np.array([_root(parent, each) for each in range(len(parent))], dtype=np.int64)
    return np.unique(roots[units], return_inverse=True)[1]


def _root(parent: list[int], node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node
