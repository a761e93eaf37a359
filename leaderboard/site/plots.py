"""Plots of figures: where their marks stand; templates/plots.html draws them as SVG.

Every figure has its interval; the numbers stand as text beside each plot. Colours come from the
style sheet by class; marks differ in shape as well as in colour.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from leaderboard.board.formatting import short
from leaderboard.board.records import Cell
from leaderboard.results.description import MetricInfo

STEPS = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
NEGLIGIBLE = 1e-9


class Series(NamedTuple):
    """Points of one line: (x, cell); a cell without a value leaves a gap. `mark`: dot or square."""

    name: str
    mark: str
    points: tuple[tuple[int, Cell], ...]


class Area(NamedTuple):
    """The drawing's size, and its margins around the axes; pixels."""

    width: int
    height: int
    left: int = 48
    right: int = 14
    top: int = 14
    bottom: int = 40

    @property
    def base(self) -> int:
        """The height of the horizontal axis."""
        return self.height - self.bottom

    def x(self, share: float) -> float:
        """The place of a share of the horizontal axis."""
        return self.left + (self.width - self.left - self.right) * share

    def y(self, share: float) -> float:
        """The place of a share of the vertical axis."""
        return self.top + (self.base - self.top) * (1 - share)


class Tick(NamedTuple):
    """A text at a place of an axis."""

    at: str
    text: str


class Whisker(NamedTuple):
    """An interval as a vertical line."""

    x: str
    low: str
    high: str


class Line(NamedTuple):
    """A series: its intervals, and the places of its figures in order."""

    mark: str
    whiskers: tuple[Whisker, ...]
    spots: tuple[tuple[float, float], ...]


class Curve(NamedTuple):
    """A metric over whole numbers (turns): lines, ticks of both axes."""

    area: Area
    title: str
    x_label: str
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    lines: tuple[Line, ...]


class HistogramBar(NamedTuple):
    """A bar of a histogram."""

    x: str
    y: str
    width: str
    height: str


class Histogram(NamedTuple):
    """Counts as bars, ticks of both axes."""

    area: Area
    title: str
    x_label: str
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    bars: tuple[HistogramBar, ...]


AREA = Area(620, 250)


def ceiling(values: Sequence[float | None]) -> float:
    """The smallest of STEPS, times a power of ten, that holds all values; 1 if all are 0."""
    highest = max((value for value in values if value is not None), default=0.0)
    if highest < NEGLIGIBLE:
        return 1.0
    power = 10.0 ** math.floor(math.log10(highest))
    steps = (step * power for step in STEPS)
    return next(step for step in steps if highest <= step * (1 + 1e-9))


def curve(series: Sequence[Series], metric: MetricInfo, x_label: str, title: str) -> Curve:
    """Lines over whole numbers, with intervals."""
    cells = [cell for line in series for _, cell in line.points]
    high = ceiling([bound for cell in cells for bound in (cell.value, cell.high)])
    last = max((x for line in series for x, _ in line.points), default=1)
    return Curve(
        AREA,
        title,
        x_label,
        value_ticks(AREA, high, metric),
        tuple(Tick(number(AREA.x((n - 0.5) / last)), str(n)) for n in range(1, last + 1)),
        tuple(
            _line(line, last, high, offset)
            for offset, line in zip(_offsets(len(series)), series, strict=True)
        ),
    )


def value_ticks(area: Area, high: float, metric: MetricInfo) -> tuple[Tick, ...]:
    """Five values of a metric from 0 to `high`, beside the vertical axis."""
    return tuple(
        Tick(number(area.y(part / 4) + 4), short(high * part / 4, metric).removesuffix(".0"))
        for part in range(5)
    )


def histogram(counts: Sequence[int], title: str, x_label: str) -> Histogram:
    """Bars of eleven counts: exactly 0, then the tenths from 0 to 1."""
    high = ceiling([*map(float, counts)])
    step = (AREA.width - AREA.left - AREA.right) / len(counts)
    return Histogram(
        AREA,
        title,
        x_label,
        tuple(Tick(number(AREA.y(part) + 4), f"{part * high:g}") for part in (0, 0.5, 1)),
        tuple(Tick(number(AREA.left + (n + 0.5) * step), tenth(n)) for n in range(len(counts))),
        tuple(
            HistogramBar(
                number(AREA.left + n * step + 3),
                number(AREA.y(count / high)),
                number(step - 6),
                number(AREA.y(0) - AREA.y(count / high)),
            )
            for n, count in enumerate(counts)
        ),
    )


def tenth(place: int) -> str:
    """The name of a bar: `0`, `≤0.1`, ..., `≤1`."""
    return "0" if place == 0 else f"≤{place / 10:g}"


def number(value: float) -> str:
    """A coordinate with one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def _offsets(lines: int) -> list[float]:
    """Lines side by side, so that intervals of one turn do not cover each other."""
    return [7 * (n - (lines - 1) / 2) for n in range(lines)]


def _line(series: Series, last: int, high: float, offset: float) -> Line:
    spots = [
        (AREA.x((place - 0.5) / last) + offset, cell)
        for place, cell in series.points
        if cell.value is not None
    ]
    return Line(
        series.mark,
        tuple(
            Whisker(number(x), number(AREA.y(cell.low / high)), number(AREA.y(cell.high / high)))
            for x, cell in spots
            if cell.low is not None and cell.high is not None
        ),
        tuple((x, AREA.y((cell.value or 0.0) / high)) for x, cell in spots),
    )
