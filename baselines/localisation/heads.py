"""What a localiser's head reads and gives; its spans as whole milliseconds of a video."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from harness.temporal import Spans

STEPS = 48  # of equal length, which a video is cut into
WIDTH = 64  # of a step's state, and of a pooled query


class LocaliserHead(Protocol):
    """The part of a localiser that reads states, (n, STEPS, WIDTH), and pooled queries.

    trained_on: so many questions of a batch at most; None: all.
    """

    trained_on: int | None

    def loss(self, state: Tensor, pooled: Tensor, gold: Tensor) -> Tensor:
        """The loss, a scalar; pooled: (n, WIDTH); gold: (n, 2) fractions of the video."""

    def spans(self, state: Tensor, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Spans as fractions (n, k, 2), and their scores (n, k), in any order."""


def to_spans(fractions: NDArray[np.floating[Any]], end: int) -> Spans:
    """Fractions of a video that ends at `end` ms, (n, 2), as spans of at least 1 ms: (n, 2)."""
    edges = np.rint(np.clip(fractions, 0, 1).astype(np.float64) * end).astype(np.int64)
    start = np.minimum(edges.min(axis=1), end - 1)
    return np.stack([start, np.maximum(edges.max(axis=1), start + 1)], axis=1)
