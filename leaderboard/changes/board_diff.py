"""Two built sites: rows that are new, gone or withdrawn, figures and ranks that moved."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from harness.errors import WrongUsageError
from leaderboard.changes.exported import ExportedFigure, ExportedRow, ExportedSite, read_site

Span = tuple[int, int]


class ShownRow(Struct, frozen=True):
    """A row that stands in one of the two tables alone, with its rank there.

    `why`: when and why it was withdrawn.
    """

    key: str
    team: str
    system: str
    rank: int | None
    why: str = ""


class FigureChange(Struct, frozen=True):
    """A figure with its bounds (value, low, high), before and after; None: there was none."""

    metric: str
    old: ExportedFigure | None
    new: ExportedFigure | None


class RowChange(Struct, frozen=True):
    """A row whose figures, rank or rank range moved; the ranks and ranges are (old, new)."""

    key: str
    team: str
    system: str
    figures: tuple[FigureChange, ...]
    rank: tuple[int | None, int | None]
    span: tuple[Span | None, Span | None]

    @property
    def moved(self) -> bool:
        """Whether its rank or its rank range did."""
        return self.rank[0] != self.rank[1] or self.span[0] != self.span[1]


class TableDiff(Struct, frozen=True):
    """What changed in one table. `same`: how many rows did not."""

    table: str
    new: tuple[ShownRow, ...]
    gone: tuple[ShownRow, ...]
    withdrawn: tuple[ShownRow, ...]
    changed: tuple[RowChange, ...]
    same: int

    @property
    def differs(self) -> bool:
        """Whether anything changed."""
        return bool(self.new or self.gone or self.withdrawn or self.changed)


class BoardDiff(Struct, frozen=True):
    """What `ivcr leaderboard diff` prints, by table. `matched`: rows are paired by folder, or by
    the names of team and system where an export does not hold folders."""

    schema: int
    matched: str
    tables: tuple[TableDiff, ...]


def compare_sites(old: Path, new: Path) -> BoardDiff:
    """The changes from one built site (or its export) to another.

    Raises EnvironmentFailure if one is absent, SubmissionError if one is no export,
    WrongUsageError if one is a CSV export and the other JSON.
    """
    alone = any(place.suffix == ".json" and not place.is_dir() for place in (old, new))
    if alone and any(place.suffix == ".csv" and not place.is_dir() for place in (old, new)):
        raise WrongUsageError(f"{old}, {new}: expected two sites, two CSV or two JSON exports")
    before, after = (read_site(place, figures_alone=alone) for place in (old, new))
    keyed = before.keyed and after.keyed
    if not keyed:
        before, after = (
            read_site(place, figures_alone=alone, by_names=True) for place in (old, new)
        )
    names = sorted({*before.tables, *after.tables})
    return BoardDiff(
        schema=1,
        matched="folder" if keyed else "names",
        tables=tuple(_table(name, before, after) for name in names),
    )


def _table(name: str, before: ExportedSite, after: ExportedSite) -> TableDiff:
    old, new = before.tables.get(name, {}), after.tables.get(name, {})
    changes = [_change(old[key], row) for key, row in new.items() if key in old]
    changed = tuple(each for each in changes if each.figures or each.moved)
    left = [row for key, row in old.items() if key not in new]
    return TableDiff(
        table=name,
        new=tuple(_shown(row) for key, row in new.items() if key not in old),
        gone=tuple(_shown(row) for row in left if row.key not in after.withdrawn),
        withdrawn=tuple(
            _shown(row, after.withdrawn[row.key]) for row in left if row.key in after.withdrawn
        ),
        changed=changed,
        same=len(changes) - len(changed),
    )


def _shown(row: ExportedRow, why: str = "") -> ShownRow:
    return ShownRow(row.key, row.team, row.system, row.rank, why)


def _change(old: ExportedRow, new: ExportedRow) -> RowChange:
    return RowChange(
        new.key,
        new.team,
        new.system,
        tuple(_figures(old, new)),
        (old.rank, new.rank),
        (old.span, new.span),
    )


def _figures(old: ExportedRow, new: ExportedRow) -> Iterator[FigureChange]:
    for metric in {**old.figures, **new.figures}:
        before, after = old.figures.get(metric), new.figures.get(metric)
        if before != after:
            yield FigureChange(metric, before, after)
