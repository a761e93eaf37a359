"""What a metric is: columns in, a figure of their sums out, and what a reader must know of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from harness.outcomes import Bools, Floats, Outcomes
from harness.slices import Scope

Average = Literal["mean", "median", "smooth"]


class Column(NamedTuple):
    """What a metric takes of each turn, and the turns that count.

    table: (k, turns), 0 where a turn does not count; the figure on a slice is one of the sums of
    the slice's turns. For means k is 2, values and weights; for medians 1, ranks. counted: (turns,)
    what `turns` and `dialogues` in scores.json count. `why` says why the whole column is undefined,
    where it is.
    """

    table: Floats
    counted: Bools
    why: str | None = None

    @classmethod
    def of(
        cls,
        values: ArrayLike,
        counted: Bools,
        why: str | None = None,
        *,
        weights: ArrayLike = 1.0,
    ) -> Column:
        """The column of a mean of `values`, (turns,), weighted by `weights`, (turns,) or one."""
        weight = np.where(counted, weights, 0.0)
        return cls(np.stack([np.where(counted, values, 0.0) * weight, weight]), counted, why)

    @property
    def values(self) -> Floats:
        """(turns,) the first row: values times weights, or ranks."""
        return np.asarray(self.table[0])

    @property
    def weights(self) -> Floats:
        """(turns,) the second row of a mean."""
        return np.asarray(self.table[1])


def share(sums: Floats) -> Any:
    """First sum over second, (2, ...) to (...): the figure of a mean."""
    return sums[0] / sums[1]


class Metric(NamedTuple):
    """One row of the METRICS table: a function of the outcomes, and what must be known of it.

    `figure` makes the figure of the sums of the column's table, (k, ...) to (...); for `average`
    "mean" it is `share`, for "median" it is not used. `abstention`: what an empty answer scores.
    `over`: what the figure is over; it is undefined where there is none. For figures that rest on
    numbers that depend on the answers, `size` takes the sums to the smallest of them: at 0 the
    figure is undefined, for the reason `undefined`. `answers_count`: whether the number of turns or
    dialogues that a figure rests on depends on the answers, and so tells which are right.
    `depends`: on what else the figure depends, for the signature.
    """

    name: str
    column: Callable[[Outcomes], Column]
    scope: Scope
    formula: str
    over: str
    source: str
    average: Average = "mean"
    figure: Callable[[Floats], Any] = share
    unit: str = "share"
    low: float = 0.0
    high: float = 1.0
    better: Literal["higher", "lower"] = "higher"
    abstention: float = 0.0
    size: Callable[[Floats], float] | None = None
    undefined: str = ""
    answers_count: bool = False
    depends: Callable[[Outcomes], tuple[str, ...]] | None = None

    @property
    def whole_units(self) -> bool:
        """Whether what a turn adds depends on the other turns of its dialogue."""
        return self.scope == "dialogue"
