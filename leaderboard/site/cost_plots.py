"""A table's headline against one of its costs: a dot and an interval for each row.

The same numbers stand as text in the row of each dot; the number beside a dot is the row's rank.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from markupsafe import Markup

from harness.publication.escaping import visible
from leaderboard.board.records import Cell
from leaderboard.site.plots import ceiling
from leaderboard.site.wording import Words
from leaderboard.tables.costs import Kind, compact, drawable
from leaderboard.tables.formatting import label, short, unit
from leaderboard.tables.table import Row, Table

SIZE = (620, 280)
LEFT, RIGHT, TOP, BOTTOM = 48, 30, 30, 44
NUMBERED = 24  # dots that bear their rank; of more, the best
SPREAD_OUT = 20.0  # greatest over least cost from which on the axis is logarithmic
UNIT = 40  # characters of a stranger's unit on an axis


class Axis(NamedTuple):
    """Where a cost stands on the page, and which costs are named below."""

    place: Callable[[float], float]
    ticks: tuple[float, ...]
    logarithmic: bool


class Point(NamedTuple):
    """One row: what it costs, its headline, its rank."""

    cost: float
    cell: Cell
    rank: int | None


class Plot(NamedTuple):
    """A cost by name and unit, and the drawing."""

    name: str
    unit: str
    svg: Markup
    logarithmic: bool


def plots(table: Table, words: Words) -> list[Plot]:
    """A plot for each cost that has a unit and a number in two rows at least."""
    made = []
    for place, kind in enumerate(table.costs):
        points = _points(table.rows, place)
        if drawable(kind) and len({point.cost for point in points}) > 1:
            axis = _axis([point.cost for point in points])
            name, measure = named(kind, words)
            svg = _draw(points, axis, table, words, (name, measure))
            made.append(Plot(name, measure, svg, axis.logarithmic))
    return made


def named(kind: Kind, words: Words) -> tuple[str, str]:
    """A cost's name and its unit, "" where that is not stated or the name itself."""
    name = words.cost(kind.name)
    same = kind.unit is None or kind.unit == kind.name
    return visible(name, UNIT), "" if same else visible(kind.unit or "", UNIT)


def _points(rows: tuple[Row, ...], place: int) -> list[Point]:
    found = []
    for row in rows:
        amount = row.amounts[place]
        if row.cells[0].value is not None and amount is not None and amount.value is not None:
            found.append(Point(amount.value, row.cells[0], row.rank))
    return found


def _axis(costs: list[float]) -> Axis:
    least, most = min(costs), max(costs)
    width = SIZE[0] - LEFT - RIGHT
    if least > 0 and most / least >= SPREAD_OUT:
        low, high = math.floor(math.log10(least)), math.ceil(math.log10(most))
        step = max(1, math.ceil((high - low) / 6))
        return Axis(
            lambda cost: LEFT + width * (math.log10(cost) - low) / (high - low),
            tuple(10.0**power for power in range(low, high + 1, step)),
            True,
        )
    end = ceiling(list(costs))
    ticks = tuple(end * part / 4 for part in range(5))
    return Axis(lambda cost: LEFT + width * cost / end, ticks, False)


def _draw(
    points: list[Point], axis: Axis, table: Table, words: Words, name: tuple[str, str]
) -> Markup:
    width, height = SIZE
    metric = table.columns[0]
    high = ceiling([bound for p in points for bound in (p.cell.value, p.cell.high)])

    def y(value: float | None) -> float:
        return TOP + (height - TOP - BOTTOM) * (1 - (value or 0.0) / high)

    value = f"{label(metric.name)}, {words.unit(unit(metric))}"
    cost = ", ".join(filter(None, name))
    svg = Markup('<svg class="plot scatter" viewBox="0 0 {} {}" role="img" aria-label="{}">')
    svg = svg.format(width, height, words("cost.plot", value=value, cost=cost))
    svg += Markup("").join(_frame(axis, high, table, y))
    svg += _marks(points, axis, y)
    texts = (("start", 4, 14, value), ("end", width - 4, height - 4, cost))
    for anchor, x, down, text in texts:
        svg += Markup('<text class="title" x="{}" y="{}" text-anchor="{}">{}</text>').format(
            x, down, anchor, text
        )
    return svg + Markup("</svg>")


def _frame(
    axis: Axis, high: float, table: Table, y: Callable[[float | None], float]
) -> Iterator[Markup]:
    width, height = SIZE
    base = height - BOTTOM
    yield Markup('<path class="axis" d="M{} {}V{}H{}"/>').format(LEFT, TOP, base, width - RIGHT)
    for part in range(5):
        mark = short(high * part / 4, table.columns[0]).removesuffix(".0")
        yield Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(
            LEFT - 8, _number(y(high * part / 4) + 4), mark
        )
    for cost in axis.ticks:
        x = _number(axis.place(cost))
        yield Markup('<path class="axis" d="M{0} {1}v4"/>').format(x, base)
        yield Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(
            x, base + 18, compact(cost)
        )
    floor = table.floor
    if floor is not None and (floor.cells[0].value or 0.0) <= high:
        yield Markup('<path class="floor" d="M{} {}H{}"/>').format(
            LEFT, _number(y(floor.cells[0].value)), width - RIGHT
        )


def _marks(points: list[Point], axis: Axis, y: Callable[[float | None], float]) -> Markup:
    """All intervals as one path, all dots as another: the page stays small with many rows."""
    at = [(_number(axis.place(point.cost)), point) for point in points]
    spans = "".join(
        f"M{x} {_number(y(p.cell.low))}V{_number(y(p.cell.high))}"
        for x, p in at
        if p.cell.low is not None and p.cell.high is not None
    )
    dots = "".join(f"M{x} {_number(y(p.cell.value))}h0" for x, p in at)
    ranked = [(x, point) for x, point in at if point.rank is not None][:NUMBERED]
    texts = "".join(
        f'<text class="nth" x="{float(x) + 7:g}" y="{_number(y(p.cell.value) - 5)}">{p.rank}</text>'
        for x, p in ranked
    )
    drawn = f'<path class="whisker" d="{spans}"/><path class="dots" d="{dots}"/>{texts}'
    return Markup(f'<g class="dot">{drawn}</g>')  # noqa: S704 - numbers alone


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
