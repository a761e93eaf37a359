"""A difference of two boards for a terminal. Foreign names are quoted, escaped and cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from harness.files import shown
from leaderboard.board.formatting import label, short, unit
from leaderboard.changes.board_diff import (
    BoardDiff,
    FigureChange,
    RowChange,
    ShownRow,
    Span,
    TableDiff,
)
from leaderboard.changes.exported import ExportedFigure
from leaderboard.results.description import describe_metrics


def diff_lines(diff: BoardDiff) -> Iterator[str]:
    """The tables that differ, then how many do not."""
    if diff.matched == "names":
        yield (
            "note: an export holds no folders, so rows are matched by the names of team and system"
        )
    for table in diff.tables:
        if table.differs:
            yield from _table(table)
    same = sum(not table.differs for table in diff.tables)
    yield f"{len(diff.tables) - same:,} tables differ, {same:,} do not"


def _table(table: TableDiff) -> Iterator[str]:
    yield f"{shown(table.table)[1:-1]}: {table.same:,} rows as they were"
    yield from _rows("new", table.new)
    yield from _rows("gone", table.gone)
    yield from _rows("withdrawn", table.withdrawn)
    for change in table.changed:
        yield from _change(change)


def _rows(what: str, rows: Sequence[ShownRow]) -> Iterator[str]:
    for row in rows:
        rank = "" if row.rank is None else f", rank {row.rank}"
        why = f": {shown(row.why)}" if row.why else ""
        yield f"  {what}: {_name(row)}{rank}{why}"


def _change(change: RowChange) -> Iterator[str]:
    yield f"  changed: {_name(change)}"
    if change.moved:
        (old, new), (before, after) = change.rank, change.span
        yield f"     rank {_rank(old, before)} -> {_rank(new, after)}"
    yield from map(_figure, change.figures)


def _name(row: ShownRow | RowChange) -> str:
    return f"{shown(row.system)} by {shown(row.team)} ({shown(row.key, 200)})"


def _rank(rank: int | None, span: Span | None) -> str:
    text = "none" if rank is None else str(rank)
    return text if span is None else f"{text} ({span[0]}-{span[1]})"


def _figure(change: FigureChange) -> str:
    """As the pages write it; two figures that differ further behind the point in full."""
    metric = describe_metrics().get(change.metric)
    both = change.old, change.new
    if metric is None:
        old, new = (_bounded(each, "{:.6g}".format) for each in both)
        return f"     {shown(change.metric)[1:-1]}: {old} -> {new}"
    old, new = (_bounded(each, partial(short, metric=metric)) for each in both)
    if old == new:
        scale = 100 if metric.unit == "share" else 1
        old, new = (_bounded(each, lambda value: f"{scale * value:.8g}") for each in both)
    return f"     {label(metric.name)} ({unit(metric)}): {old} -> {new}"


def _bounded(figure: ExportedFigure | None, write: Callable[[float], str]) -> str:
    if figure is None or figure.value is None:
        return "none" if figure is None else "undefined"
    if figure.low is None or figure.high is None:
        return write(figure.value)
    return f"{write(figure.value)} [{write(figure.low)}, {write(figure.high)}]"
