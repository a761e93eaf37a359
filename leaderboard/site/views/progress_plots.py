"""The best headline of a table so far, over the times at which its rows were accepted.

A step line, a dot for each row, and below the line a band as wide as the table's minimum detectable
difference. The same numbers stand in a list under the drawing.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from leaderboard.board.formatting import label, unit
from leaderboard.results.description import MetricInfo
from leaderboard.site.plots import Area, Tick, ceiling, number, value_ticks
from leaderboard.site.wording import Words
from leaderboard.tables.ranked_table import Table, TableRow
from leaderboard.tables.remarks import difference

AREA = Area(620, 280, left=56, right=56, top=30, bottom=44)
TICKS = 4
LISTED = 100  # rows up to which all are listed; of more, those that raised the best figure


class ProgressStep(NamedTuple):
    """A row in the order of time, and the best row then; `raised`: it is the best itself."""

    at: str
    row: TableRow
    best: TableRow
    raised: bool


class ProgressPlot(NamedTuple):
    """The drawing: ticks of both axes, the step line, the band, dots; and what is listed.

    `band` is None where no difference is known, `detectable` then too; `dated`: how many rows have
    a time, `undated`: how many ranked ones have none.
    """

    area: Area
    title: str
    x_label: str
    y_label: str
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    line: str
    band: str | None
    dots: tuple[tuple[str, str], ...]
    detectable: str | None
    listed: tuple[ProgressStep, ...]
    dated: int
    undated: int


def progress_plot(table: Table, words: Words) -> ProgressPlot | None:
    """The best figure over time; None unless two ranked rows were accepted at different times."""
    steps = _steps(table)
    times = [moment(step.at) for step in steps]
    if len(set(times)) < 2:
        return None
    metric, first, last = table.columns[0], times[0], times[-1]
    xs = [AREA.x((at - first) / (last - first)) for at in times]
    best = [(x, _value(step.row)) for x, step in zip(xs, steps, strict=True) if step.raised]
    size = _shown_difference(table)
    # Where lower is better, the band stands above the line.
    tops = [value + (size or 0.0) for _, value in best] if metric.better == "lower" else []
    high = ceiling([*(step.row.cells[0].value for step in steps), *tops])
    value = f"{label(metric.name)}, {words.unit(unit(metric))}"
    few = steps if len(steps) <= LISTED else [step for step in steps if step.raised]
    return ProgressPlot(
        AREA,
        words("progress.plot", value=value),
        words("progress.axis"),
        value,
        value_ticks(AREA, high, metric),
        _time_ticks(first, last),
        _line(best, high),
        None if size is None else _band(best, size, metric, high),
        tuple(
            (number(x), number(AREA.y(_value(step.row) / high)))
            for x, step in zip(xs, steps, strict=True)
        ),
        None if size is None else words.remark(difference(size, metric.unit)),
        tuple(few),
        len(steps),
        table.ranked - len(steps),
    )


def moment(at: str) -> datetime:
    """A time of the ledger, in UTC."""
    return datetime.fromisoformat(at).astimezone(UTC)


def minutes(at: str) -> str:
    """A time of the ledger to the minute, as `2026-11-30 12:00`."""
    return f"{moment(at):%Y-%m-%d %H:%M}"


def _steps(table: Table) -> list[ProgressStep]:
    """Ranked rows with a time, in its order; of one time the best first."""
    dated = [row for row in table.rows if row.rank is not None and row.accepted]
    found: list[ProgressStep] = []
    for row in sorted(dated, key=lambda row: moment(row.accepted)):
        best = found[-1].best if found else None
        raised = best is None or _ahead(row, best, table.columns[0])
        found.append(
            ProgressStep(row.accepted, row, row if best is None or raised else best, raised)
        )
    return found


def _ahead(row: TableRow, best: TableRow, metric: MetricInfo) -> bool:
    over = _value(row) - _value(best)
    return over > 0 if metric.better == "higher" else over < 0


def _value(row: TableRow) -> float:
    """The headline of a ranked row, which has one."""
    return row.cells[0].value or 0.0


def _shown_difference(table: Table) -> float | None:
    """The minimum detectable difference, None where there is none or it would show as 0."""
    size = table.standing.detectable
    digits = 3 if table.columns[0].unit == "share" else 2
    return size if size is not None and round(size, digits) > 0 else None


def _line(best: list[tuple[float, float]], high: float) -> str:
    """From the first best figure across to the end, up at each better one."""
    (x, value), *rest = best
    parts = [f"M{number(x)} {number(AREA.y(value / high))}"]
    parts += [f"H{number(x)}V{number(AREA.y(value / high))}" for x, value in rest]
    return "".join([*parts, f"H{number(AREA.x(1.0))}"])


def _band(best: list[tuple[float, float]], size: float, metric: MetricInfo, high: float) -> str:
    """Between the line and the same line moved by `size` towards the worse, inside the axes."""
    worse = -size if metric.better == "higher" else size
    moved = [(x, min(max(value + worse, 0.0), high)) for x, value in best]
    ends = [*(x for x, _ in moved[1:]), AREA.x(1.0)]
    back = "".join(
        f"V{number(AREA.y(value / high))}H{number(x)}"
        for (x, value), _ in zip(reversed(moved), reversed(ends), strict=True)
    )
    return f"{_line(best, high)}{back}Z"


def _time_ticks(first: datetime, last: datetime) -> tuple[Tick, ...]:
    """Beginnings of days, a few; of a span within one day its two ends."""

    def x(at: datetime) -> str:
        return number(AREA.x((at - first) / (last - first)))

    start = datetime.combine(first.date(), time(), UTC)
    days = [start + timedelta(days=n) for n in range((last - start).days + 1)]
    inside = [day for day in days if day >= first]
    if not inside:
        return tuple(Tick(x(at), f"{at:%m-%d %H:%M}") for at in (first, last))
    step = math.ceil(len(inside) / TICKS)
    return tuple(Tick(x(day), f"{day:%Y-%m-%d}") for day in inside[::step])
