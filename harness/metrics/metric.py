"""What a metric is: columns in, one value a turn out, and what a reader must know of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from harness.outcomes import Bools, Floats, Outcomes


class Column(NamedTuple):
    """A metric's value for each turn, (turns,), and the turns that count, (turns,).

    `why` says why the whole column is undefined, where it is.
    """

    values: Floats
    counted: Bools
    why: str | None = None


class Metric(NamedTuple):
    """One row of the METRICS table.

    `average` says how a figure comes of the column: the mean, or the median of ranks, over the
    turns that count. `abstention` is what an empty answer scores.
    """

    name: str
    column: Callable[[Outcomes], Column]
    task: Literal["video", "moment"]
    average: Literal["mean", "median"]
    formula: str
    unit: str
    low: float
    high: float
    better: Literal["higher", "lower"]
    abstention: float
    over: str
    source: str
