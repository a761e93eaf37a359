"""A table's headline against one of its costs: a mark and an interval for each row.

The same numbers stand as text in the row of each mark; the number beside a mark is the row's rank.
A diamond is a row that no other dominates (leaderboard.tables.dominance), a dot any other row.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from markupsafe import Markup, escape

from harness.publication.escaping import visible
from leaderboard.board.formatting import label, unit
from leaderboard.board.records import Cell
from leaderboard.site.plots import Area, Tick, Whisker, ceiling, number, value_ticks
from leaderboard.site.table_rows import system_name
from leaderboard.site.wording import Words
from leaderboard.tables.costs import CostAmount, CostKind, compact, has_unit
from leaderboard.tables.dominance import Basis, Superiority, dominance, superiority
from leaderboard.tables.ranked_table import Table, TableRow

AREA = Area(620, 280, right=30, top=30, bottom=44)
NUMBERED = 24  # dots that bear their rank; of more, the best
WIDE_RANGE = 20.0  # greatest over least cost from which on the axis is logarithmic
UNIT = 40  # characters of a foreign unit on an axis
LISTED = 50  # rows of the list of who dominates whom; the cheapest
NAMED = 3  # dominating rows that it names of each


class CostAxis(NamedTuple):
    """Where a cost stands on the page, and which costs are named below."""

    place: Callable[[float], float]
    ticks: tuple[float, ...]
    logarithmic: bool


class CostPoint(NamedTuple):
    """One row: what it costs, its headline, its rank.

    `over`: by how many rows it is dominated, None where it is not tested; `dominators`: the best of
    them, at most NAMED.
    """

    cost: float
    cell: Cell
    row: TableRow
    amount: CostAmount
    over: int | None = None
    dominators: tuple[TableRow, ...] = ()

    @property
    def rank(self) -> int | None:
        """The row's rank."""
        return self.row.rank

    @property
    def front(self) -> bool:
        """Whether it was tested and no row dominates it."""
        return self.over == 0


class CostPlot(NamedTuple):
    """A cost by name and unit, and its drawing: ticks, intervals, dots, ranks beside dots.

    `front`: the places of rows that are not dominated; `basis`: what says so, None where nothing
    does, and nobody is dominated or not; `listed`: the tested rows, cheapest first, at most LISTED,
    of which there are `tested`.
    """

    name: str
    unit: str
    logarithmic: bool
    area: Area
    title: str
    x_label: str
    y_label: str
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    floor: str | None
    whiskers: tuple[Whisker, ...]
    dots: tuple[tuple[str, str], ...]
    ranks: tuple[tuple[int, str, str], ...]
    front: tuple[tuple[str, str], ...]
    basis: Basis | None
    listed: tuple[CostPoint, ...]
    tested: int


def cost_plots(table: Table, words: Words) -> list[CostPlot]:
    """A plot for each cost that has a unit and a number in two rows at least."""
    found, known = [], superiority(table)
    for place, kind in enumerate(table.costs):
        points = _points(table.rows, place, known)
        if has_unit(kind) and len({point.cost for point in points}) > 1:
            tested = sum(point.over is not None for point in points) > 1
            basis = known.basis if known and tested else None
            if basis is None:
                points = [point._replace(over=None) for point in points]
            found.append(_plot(points, table, words, name_and_unit(kind, words), basis))
    return found


def name_and_unit(kind: CostKind, words: Words) -> tuple[str, str]:
    """A cost's name and its unit, "" where that is not stated or the name itself."""
    name = words.cost(kind.name)
    same = kind.unit is None or kind.unit == kind.name
    return visible(name, UNIT), "" if same else visible(kind.unit or "", UNIT)


def _points(rows: tuple[TableRow, ...], place: int, known: Superiority | None) -> list[CostPoint]:
    tested: dict[str, tuple[int, tuple[TableRow, ...]]] = {}
    if known is not None:
        costs = [amount.value if (amount := row.amounts[place]) else None for row in known.rows]
        for row, column in zip(known.rows, dominance(known, costs).T, strict=True):
            over = np.flatnonzero(column)
            best = tuple(known.rows[each] for each in over[:NAMED].tolist())
            tested[row.entry.key] = len(over), best
    return [
        CostPoint(amount.value, row.cells[0], row, amount, *tested.get(row.entry.key, (None, ())))
        for row in rows
        if row.cells[0].value is not None
        and (amount := row.amounts[place]) is not None
        and amount.value is not None
    ]


def _axis(costs: list[float]) -> CostAxis:
    least, most = min(costs), max(costs)
    if least > 0 and most / least >= WIDE_RANGE:
        low, high = math.floor(math.log10(least)), math.ceil(math.log10(most))
        step = max(1, math.ceil((high - low) / 6))
        return CostAxis(
            lambda cost: AREA.x((math.log10(cost) - low) / (high - low)),
            tuple(10.0**power for power in range(low, high + 1, step)),
            True,
        )
    end = ceiling(list(costs))
    ticks = tuple(end * part / 4 for part in range(5))
    return CostAxis(lambda cost: AREA.x(cost / end), ticks, False)


def _plot(
    points: list[CostPoint],
    table: Table,
    words: Words,
    name: tuple[str, str],
    basis: Basis | None,
) -> CostPlot:
    """All intervals are one path and all dots another: the page stays small with many rows."""
    axis, metric = _axis([point.cost for point in points]), table.columns[0]
    high = ceiling([bound for p in points for bound in (p.cell.value, p.cell.high)])
    value = f"{label(metric.name)}, {words.unit(unit(metric))}"
    cost = ", ".join(filter(None, name))
    places = [(number(axis.place(point.cost)), point) for point in points]
    tested = sorted(
        (point for point in points if point.over is not None), key=lambda point: point.cost
    )
    return CostPlot(
        *name,
        logarithmic=axis.logarithmic,
        area=AREA,
        title=words("cost.plot", value=value, cost=cost),
        x_label=cost,
        y_label=value,
        y_ticks=value_ticks(AREA, high, metric),
        x_ticks=tuple(Tick(number(axis.place(tick)), compact(tick)) for tick in axis.ticks),
        floor=_floor(table, high),
        whiskers=tuple(
            Whisker(x, number(_y(point.cell.low, high)), number(_y(point.cell.high, high)))
            for x, point in places
            if point.cell.low is not None and point.cell.high is not None
        ),
        dots=tuple((x, number(_y(p.cell.value, high))) for x, p in places if not p.front),
        ranks=tuple(
            (point.rank, f"{float(x) + 7:g}", number(_y(point.cell.value, high) - 5))
            for x, point in places
            if point.rank is not None
        )[:NUMBERED],
        front=tuple((x, number(_y(p.cell.value, high))) for x, p in places if p.front),
        basis=basis,
        listed=tuple(tested[:LISTED]),
        tested=len(tested),
    )


def named_dominators(point: CostPoint, words: Words) -> Markup:
    """Who dominates a row, by rank and name, for the list under a plot."""
    names = [
        Markup("{}\N{NO-BREAK SPACE}{}").format(row.rank, system_name(row.entry.card))
        for row in point.dominators
    ]
    if more := (point.over or 0) - len(point.dominators):
        names.append(escape(words("pareto.more", n=f"{more:,}")))
    return escape(words("interface.comma")).join(names)


def _y(value: float | None, high: float) -> float:
    return AREA.y((value or 0.0) / high)


def _floor(table: Table, high: float) -> str | None:
    """The height of the best floor, None where there is none or it stands above the plot."""
    value = None if table.floor is None else table.floor.cells[0].value
    return None if value is None or value > high else number(_y(value, high))
