"""Plots as SVG: every figure with its interval; the numbers stand as text beside each plot.

Colours come from the style sheet by class; marks differ in shape as well as in colour.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from leaderboard.board.records import Cell, Described, Pair
from leaderboard.tables.formatting import short

BAR = (128, 14)
LINE = (240, 14)
PLOT = (620, 250)
STEPS = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)
NEGLIGIBLE = 1e-9
LEFT, RIGHT, TOP, BOTTOM = 48, 14, 14, 40


class Series(NamedTuple):
    """Points of one line: (x, cell); a cell without a value leaves a gap. `mark`: dot or square."""

    name: str
    mark: str
    points: tuple[tuple[int, Cell], ...]


def ceiling(values: Sequence[float | None]) -> float:
    """The smallest of STEPS, times a power of ten, that holds all values; 1 if all are 0."""
    highest = max((value for value in values if value is not None), default=0.0)
    if highest < NEGLIGIBLE:
        return 1.0
    power = 10.0 ** math.floor(math.log10(highest))
    steps = (step * power for step in STEPS)
    return next(step for step in steps if highest <= step * (1 + 1e-9))


def bar(cell: Cell, high: float, floor: float | None = None) -> Markup:
    """A dot with its interval on a scale from 0 to `high`; `floor` as a dashed line.

    Hidden from screen readers: the same figures stand as text in the row.
    """
    width, height = BAR
    if cell.value is None:
        return Markup("")
    middle = height / 2

    def x(value: float) -> str:
        return _number(2 + (width - 4) * min(max(value / high, 0.0), 1.0))

    parts = []
    if floor is not None:
        parts.append(f'<path class="floor" d="M{x(floor)} 0V{height}"/>')
    if cell.low is not None and cell.high is not None:
        parts.append(f'<path class="span" d="M{x(cell.low)} {middle:g}H{x(cell.high)}"/>')
    parts.append(f'<circle class="dot" cx="{x(cell.value)}" cy="{middle:g}" r="3.2"/>')
    svg = f'<svg class="bar" viewBox="0 0 {width} {height}" aria-hidden="true">'
    return Markup(svg + "".join(parts) + "</svg>")  # noqa: S704 - numbers and fixed words alone


def gap(pair: Pair | None, reach: float) -> Markup:
    """A difference with its interval on a scale from -reach to `reach`; 0 as a dashed line.

    `pair` None draws a difference of 0, for a script to move. Hidden from screen readers: the same
    figures stand as text in the row.
    """
    width, height = BAR

    def x(value: float) -> str:
        return _number(width / 2 + (width / 2 - 2) * min(max(value / reach, -1.0), 1.0))

    low, high = (None, None) if pair is None else (pair.low, pair.high)
    span = "" if low is None or high is None else f"M{x(low)} {height / 2:g}H{x(high)}"
    parts = [
        f'<path class="floor" d="M{x(0)} 0V{height}"/><path class="span" d="{span}"/>'
        f'<circle class="dot" cx="{x(pair.value if pair else 0)}" cy="{height / 2:g}" r="3.2"/>'
    ]
    svg = f'<svg class="bar" viewBox="0 0 {width} {height}" aria-hidden="true">'
    return Markup(svg + "".join(parts) + "</svg>")  # noqa: S704 - numbers and fixed words alone


def timeline(
    gold: tuple[float, float], said: tuple[float, float] | None, duration: float | None
) -> Markup:
    """The gold span above, the answered one below, from 0 to the video's end; all in seconds.

    Hidden from screen readers: the same times stand as text beside it.
    """
    width, height = LINE
    end = max(duration or 0.0, gold[1], said[1] if said else 0.0)
    drawn = [("gold", 1, gold)] + ([("said", height / 2 + 1, said)] if said else [])
    parts = [
        f'<rect class="{name}" x="{_number(width * span[0] / end)}" y="{y:g}"'
        f' width="{_number(max(width * (span[1] - span[0]) / end, 1.0))}" height="5"/>'
        for name, y, span in drawn
    ]
    svg = f'<svg class="timeline" viewBox="0 0 {width} {height}" aria-hidden="true">'
    return Markup(svg + "".join(parts) + "</svg>")  # noqa: S704 - numbers and fixed words alone


def curve(series: Sequence[Series], metric: Described, x_label: str, title: str) -> Markup:
    """Lines over whole numbers (turns), with intervals, axes and labels.

    Names and labels come from the interface, never from strangers; they are escaped all the same.
    """
    cells = [cell for line in series for _, cell in line.points]
    high = ceiling([bound for cell in cells for bound in (cell.value, cell.high)])
    last = max((x for line in series for x, _ in line.points), default=1)
    width, height = PLOT
    svg = Markup('<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
        width, height, title
    )
    for offset, line in zip(_offsets(len(series)), series, strict=True):
        svg += _line(line, last, high, offset)
    return svg + _axes(last, high, metric, x_label) + Markup("</svg>")


def histogram(counts: Sequence[int], title: str, x_label: str) -> Markup:
    """Bars of eleven counts: exactly 0, then the tenths from 0 to 1.

    The words come from the interface; they are escaped all the same.
    """
    width, height = PLOT
    high = ceiling([*map(float, counts)])
    step = (width - LEFT - RIGHT) / len(counts)
    svg = Markup('<svg class="plot" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
        width, height, title
    )
    bars = "".join(
        f'<rect class="said" x="{_number(LEFT + n * step + 3)}" y="{_number(_y(count, high))}"'
        f' width="{_number(step - 6)}" height="{_number(_y(0, high) - _y(count, high))}"/>'
        for n, count in enumerate(counts)
    )
    svg += Markup(bars)  # noqa: S704 - numbers alone
    svg += Markup('<path class="axis" d="M{} {}V{}H{}"/>').format(
        LEFT, TOP, height - BOTTOM, width - RIGHT
    )
    for part in (0, 0.5, 1):
        svg += Markup('<text x="{}" y="{}" text-anchor="end">{:g}</text>').format(
            LEFT - 8, _number(_y(part * high, high) + 4), part * high
        )
    for n in range(len(counts)):
        svg += Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(
            _number(LEFT + (n + 0.5) * step), height - BOTTOM + 18, tenth(n)
        )
    return svg + Markup(
        '<text class="title" x="{}" y="{}" text-anchor="end">{}</text></svg>'
    ).format(width - RIGHT, height - 4, x_label)


def tenth(place: int) -> str:
    """The name of a bar: `0`, `≤0.1`, ..., `≤1`."""
    return "0" if place == 0 else f"≤{place / 10:g}"


def _offsets(lines: int) -> list[float]:
    """Lines side by side, so that intervals of one turn do not cover each other."""
    return [7 * (n - (lines - 1) / 2) for n in range(lines)]


def _x(place: int, last: int) -> float:
    return LEFT + (PLOT[0] - LEFT - RIGHT) * (place - 0.5) / last


def _y(value: float, high: float) -> float:
    return TOP + (PLOT[1] - TOP - BOTTOM) * (1 - value / high)


def _line(line: Series, last: int, high: float, offset: float) -> Markup:
    drawn = [(place, cell) for place, cell in line.points if cell.value is not None]
    spots = [(_x(place, last) + offset, _y(cell.value or 0.0, high), cell) for place, cell in drawn]
    parts = [
        f'<path class="whisker" d="M{_number(x)} {_number(_y(cell.low, high))}'
        f'V{_number(_y(cell.high, high))}"/>'
        for x, _, cell in spots
        if cell.low is not None and cell.high is not None
    ]
    path = "L".join(f"{_number(x)} {_number(y)}" for x, y, _ in spots)
    parts.append(f'<path class="line" d="M{path}"/>' if spots else "")
    parts += [_mark(line.mark, x, y) for x, y, _ in spots]
    return Markup(f'<g class="{line.mark}">{"".join(parts)}</g>')  # noqa: S704 - numbers alone


def _mark(kind: str, x: float, y: float) -> str:
    if kind == "square":
        return f'<rect x="{_number(x - 3.5)}" y="{_number(y - 3.5)}" width="7" height="7"/>'
    return f'<circle cx="{_number(x)}" cy="{_number(y)}" r="4"/>'


def _axes(last: int, high: float, metric: Described, x_label: str) -> Markup:
    width, height = PLOT
    floor = height - BOTTOM
    svg = Markup('<path class="axis" d="M{} {}V{}H{}"/>').format(LEFT, TOP, floor, width - RIGHT)
    for part in range(5):
        value = high * part / 4
        y = _number(_y(value, high) + 4)
        svg += Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(
            LEFT - 8, y, short(value, metric).removesuffix(".0")
        )
    for place in range(1, last + 1):
        svg += Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(
            _number(_x(place, last)), floor + 18, place
        )
    return svg + Markup('<text class="title" x="{}" y="{}" text-anchor="end">{}</text>').format(
        width - RIGHT, height - 4, x_label
    )


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
