"""A difference of two boards for a terminal. Foreign names are quoted, escaped and cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.files import shown
from leaderboard.changes.board_diff import (
    BoardDiff,
    FigureChange,
    RowChange,
    ShownRow,
    Span,
    TableDiff,
)
from leaderboard.changes.exported import ExportedFigure


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
    old, new = map(_bounded, (change.old, change.new))
    return f"     {shown(change.metric)[1:-1]}: {old} -> {new}"


def _bounded(figure: ExportedFigure | None) -> str:
    if figure is None or figure.value is None:
        return "none" if figure is None else "undefined"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.6g}"
    return f"{figure.value:.6g} [{figure.low:.6g}, {figure.high:.6g}]"
