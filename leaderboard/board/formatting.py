"""How a figure is written: shares in per cent, undefined as a dash, full precision for machines."""

from __future__ import annotations

from leaderboard.board.records import Cell
from leaderboard.results.description import MetricInfo

UNDEFINED = "–"


def short(value: float | None, metric: MetricInfo) -> str:
    """A figure for people: shares in per cent with one decimal, ranks and turns as they are."""
    if value is None:
        return UNDEFINED
    if metric.unit == "share":
        return f"{100 * value:.1f}"
    return f"{value:.1f}".removesuffix(".0") if metric.unit == "rank" else f"{value:.2f}"


def interval(cell: Cell, metric: MetricInfo) -> str:
    """The 95 % interval as `27.1–28.9`, empty where there is none."""
    if cell.low is None or cell.high is None:
        return ""
    return f"{short(cell.low, metric)}–{short(cell.high, metric)}"


def exact(value: float | None) -> str:
    """All ten significant digits of scores.json, empty where undefined."""
    return "" if value is None else f"{value:.10g}"


def label(name: str) -> str:
    """A metric's name as it is printed: `R@1,IoU>=0.5` is `R@1, IoU ≥ 0.5`."""
    return name.replace(",IoU>=", ", IoU ≥ ").replace("_", " ")


def unit(metric: MetricInfo) -> str:
    """The unit in which `short` writes, as a suffix of a heading."""
    return "%" if metric.unit == "share" else metric.unit


def signed(value: float, metric: MetricInfo) -> str:
    """A difference with its sign: `+2.3` points of a share in per cent, `−` for minus."""
    size = short(abs(value), metric)
    sign = "" if not size.strip("0.") else "+" if value > 0 else "−"
    return sign + size


def deviation(value: float, metric: MetricInfo) -> str:
    """A standard deviation in the unit of `short`, with two digits behind the point."""
    return f"{100 * value:.2f}" if metric.unit == "share" else f"{value:.2f}"
