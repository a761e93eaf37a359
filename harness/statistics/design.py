"""The design of a split: its clusters, and the figures and intervals over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from harness.records import ABSENT_RANK
from harness.statistics.intervals import Interval, Spread, limits, two_way
from harness.statistics.units import connected_groups, sharing_units

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
# From sums over turns, (k, ...), to figures, (...); a common factor of the sums changes nothing.
Figure = Callable[[Floats], Any]

LARGEST_GROUP = 0.05  # of the retrieval turns; a larger group joins too much to be one cluster
DRAWS = 10_000
SEED = 20251201
LEVEL = 0.95
STEP = 1e-3  # of a sum: the derivative is exact to about 1e-11, its rounding is near 1e-13
AT_ONCE = 2**21  # entries of a table that is computed at once: it should fit a cache


class Ratios(NamedTuple):
    """Figures and the bounds of their intervals, each (m,); NaN where undefined."""

    values: Floats
    lows: Floats
    highs: Floats


@dataclass(frozen=True, eq=False)
class Design:
    """What the turns of a split share, built once: all its intervals and tests come from here.

    unit, video, cluster: (turns,), numbered from 0; a turn without a gold video has one of its own.
    Intervals and tests are two-way cluster-robust, over units and over gold videos. The clusters
    describe the split: they are groups of units connected by shared gold videos (`kind` "groups")
    if the largest group holds at most 5 % of the retrieval turns, else units ("units"). `count` and
    `largest` (a share of the retrieval turns) are those of the clusters with retrieval turns.
    """

    unit: Ints
    video: Ints
    cluster: Ints
    kind: str
    count: int
    largest: float
    draws: int
    seed: int
    level: float

    @classmethod
    def of(
        cls,
        unit: ArrayLike,
        video: ArrayLike,
        retrieval: ArrayLike,
        *,
        draws: int = DRAWS,
        seed: int = SEED,
        level: float = LEVEL,
    ) -> Design:
        """The design of a split. `unit`, `video` (negative: none), `retrieval`: (turns,)."""
        units = np.unique(np.asarray(unit), return_inverse=True)[1]
        videos, is_retrieval = np.asarray(video), np.asarray(retrieval, dtype=bool)
        cluster, kind = connected_groups(units, np.where(is_retrieval, videos, -1)), "groups"
        if _largest(cluster[is_retrieval]) > LARGEST_GROUP:
            cluster, kind = units, "units"
        own = videos.max(initial=-1) + 1 + np.arange(len(videos))
        return cls(
            unit=units,
            video=np.unique(np.where(videos >= 0, videos, own), return_inverse=True)[1],
            cluster=cluster,
            kind=kind,
            count=len(np.unique(cluster[is_retrieval])),
            largest=_largest(cluster[is_retrieval]),
            draws=draws,
            seed=seed,
            level=level,
        )

    def line(self) -> str:
        """The settings of intervals and tests, for the signature."""
        return (
            f"unit:dialogue|interval:two-way-wilson@{self.level:g}"
            f"|clusters:{self.kind},{self.count},{self.largest:.4f}"
            f"|draws:{self.draws}|seed:{self.seed}"
        )

    def generator(self) -> np.random.Generator:
        """A new random generator with the design's seed."""
        return np.random.Generator(np.random.PCG64(self.seed))

    def ratios(
        self,
        numerators: ArrayLike,
        denominators: ArrayLike,
        bounds: tuple[float, float] = (0.0, 1.0),
        *,
        whole_units: bool = False,
    ) -> Ratios:
        """Each row's sum(numerators) / sum(denominators), with its interval.

        `numerators`, `denominators`: (m, turns). `bounds`: the range of every figure.
        `whole_units`: what a turn adds depends on its whole unit (see `two_way`). NaN for a figure
        whose denominators sum to 0 and for the interval of one over one unit or video.
        """
        above, below = (np.atleast_2d(np.asarray(x, float)) for x in (numerators, denominators))
        turns = np.flatnonzero(((above != 0) | (below != 0)).any(axis=0))
        parts = [
            self._ratios(
                above[rows][:, turns].T, below[rows][:, turns].T, turns, bounds, whole_units
            )
            for rows in _chunks(len(above), len(turns))
        ]
        return Ratios(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _ratios(
        self,
        above: Floats,
        below: Floats,
        turns: Ints,
        bounds: tuple[float, float],
        whole_units: bool,
    ) -> Ratios:
        totals = below.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.where(totals != 0, above.sum(axis=0) / totals, np.nan)
            influence = (above - values * below) / totals
        support = (above != 0) | (below != 0)
        spread = self.spread(influence, support, turns, whole_units=whole_units)
        return Ratios(values, *limits(values, spread, self.level, bounds))

    def smooth(
        self,
        figure: Figure,
        columns: ArrayLike,
        bounds: tuple[float, float] = (0.0, 1.0),
        *,
        whole_units: bool = False,
    ) -> Interval:
        """A figure that is a smooth function of sums over turns, with its interval.

        `columns`: (k, turns); `figure` maps their sums, (k,) or (k, n), to one figure or (n,).
        Multiplying all sums by one number must not change it (so it is with shares, their
        differences and products, BLEU, chrF). The variance is that of its linear approximation.
        """
        table = np.asarray(columns, dtype=float)
        value, influence, turns = linearise(figure, table)
        if np.isnan(value):
            return Interval(None, None, None)
        support = np.ones(influence.shape, dtype=bool)
        spread = self.spread(influence, support, turns, whole_units=whole_units)
        low, high = limits(np.array([value]), spread, self.level, bounds)
        return Interval.of(value, low[0], high[0])

    def median(self, values: ArrayLike, mask: ArrayLike) -> Interval:
        """The median of integer ranks 1 to 101 over the turns in `mask`, with its interval.

        `values`, `mask`: (turns,). 101 stands for a rank past 100: where it takes half the turns or
        more the median is past 100 and all three are None; a bound of 101 is one past 100. The
        interval holds each rank x for which "half of the ranks are at most x" is not refuted
        (Woodruff, JASA 47, 1952).
        """
        chosen = np.asarray(mask, dtype=bool)
        ranks = np.where(chosen, np.asarray(values), ABSENT_RANK)
        absent = np.count_nonzero(ranks[chosen] >= ABSENT_RANK)
        if 2 * absent >= np.count_nonzero(chosen):
            return Interval(None, None, None)
        within = ranks <= np.arange(1, ABSENT_RANK)[:, None]  # (ranks, turns)
        shares = self.ratios(within, np.broadcast_to(chosen, within.shape))
        low, high = (_first_half(bound) for bound in (shares.highs, shares.lows))
        return Interval.of(float(np.median(ranks[chosen])), low, high)

    def spread(
        self,
        influence: Floats,
        support: Bools,
        turns: Ints | slice = slice(None),
        *,
        whole_units: bool = False,
    ) -> Spread:
        """The spread of m figures from their `influence` and `support`, (some turns, m)."""
        unit, sharing = self.unit[turns], None
        if whole_units:
            here = np.searchsorted(self._units, np.unique(unit))
            sharing = self.sharing[here][:, here]
        return two_way(influence, support, unit, self.video[turns], sharing)

    @cached_property
    def sharing(self) -> csr_array:
        """Which units share a video: 0 or 1, (units, units), by the units that occur, in order."""
        return sharing_units(self.unit, self.video)

    @cached_property
    def _units(self) -> Ints:
        return np.unique(self.unit)


def linearise(figure: Figure, table: Floats) -> tuple[float, Floats, Ints]:
    """A figure of the sums of `table` (k, turns), its influence by turn, and these turns.

    The influence is (turns with a value, 1). The derivatives are central differences of fourth
    order: ten digits of a bound are right.
    """
    turns = np.flatnonzero((table != 0).any(axis=0))
    sums = table.sum(axis=1)
    steps = np.diag(STEP * np.maximum(np.abs(sums), 1.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        value = float(figure(sums))
        near, far = (
            np.asarray(figure(sums[:, None] + step) - figure(sums[:, None] - step))
            for step in (steps, 2 * steps)
        )
        influence = (8 * near - far) / (12 * np.diag(steps)) @ table[:, turns]
    return value, influence[:, None], turns


def _chunks(rows: int, width: int) -> Iterator[slice]:
    size = max(1, AT_ONCE // max(width, 1))
    return (slice(start, start + size) for start in range(0, max(rows, 1), size))


def _largest(cluster: Ints) -> float:
    return float(np.bincount(cluster).max() / len(cluster)) if len(cluster) else 0.0


def _first_half(shares: Floats) -> float:
    """The first rank with a share of at least a half; ABSENT_RANK if none has; NaN if undefined."""
    reached = np.flatnonzero(shares >= 0.5)
    if np.isnan(shares).any():
        return float("nan")
    return float(reached[0] + 1) if len(reached) else float(ABSENT_RANK)
