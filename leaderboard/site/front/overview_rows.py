"""The overview as HTML: rows of systems, and the best floors as a line among them."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from leaderboard.site.marks import figure
from leaderboard.site.table_rows import TableHtml, system_name
from leaderboard.site.views.declared import DeclaredFilters, declared_filters, row_attributes
from leaderboard.site.wording import Words
from leaderboard.tables.overview import Overview, OverviewRow
from leaderboard.tables.ranked_table import TableRow

ABSENT = '<td class="absent"></td>'


def overview_rows(
    found: Overview, most: int | None, words: Words, root: str, ending: str
) -> Markup:
    """The rows of an overview, a <tr> each, at most so many; the floors stand among them.

    `root`, `ending`: as in Pages.render.
    """
    html = _OverviewHtml(found, words, root, ending)
    rows = [html.row(row) for row in found.rows[:most]]
    if any(found.floors):
        rows.insert(min(found.floor_place, len(rows)), html.floors(found.floors))
    return Markup("".join(rows))  # noqa: S704 - foreign text is escaped in TableHtml


def control_rows(found: Overview, words: Words, root: str, ending: str) -> Markup:
    """The rows of the runs that were broken on purpose."""
    html = _OverviewHtml(found, words, root, ending)
    return Markup("".join(map(html.row, found.controls)))  # noqa: S704 - as above


def overview_filters(found: Overview, most: int | None) -> DeclaredFilters:
    """The filters of a page with these rows, and with the controls.

    A row declares what the run does that its name leads to.
    """
    shown = (*found.rows[:most], *found.controls)
    return declared_filters(_own(row)[1] for row in shown)


def _own(row: OverviewRow) -> tuple[int, TableRow]:
    """The first column in which a system stands, and its row there."""
    return next((n, each) for n, each in enumerate(row.rows) if each is not None)


class _OverviewHtml:
    """What the rows of an overview have in common: a table for each column."""

    def __init__(self, found: Overview, words: Words, root: str, ending: str) -> None:
        self._words, self._tables = words, found.tables
        self._columns = [TableHtml(table, words, root, ending) for table in found.tables]

    def row(self, row: OverviewRow) -> str:
        """One system, from <tr> to </tr>."""
        first, *rest = row.rows
        place, own = _own(row)
        headline = self._columns[0].headline(first) if first else 2 * ABSENT
        figures = "".join(
            self._figure(column, each, own) for column, each in enumerate(rest, start=1)
        )
        rank = self._columns[0].rank(first) if first else "–"
        return (
            f'<tr{row_attributes(own)}>\n<td class="rank">{rank}</td>\n'
            f'<th scope="row" class="name">{self._columns[place].name(own)}</th>\n'
            f"{headline}{figures}\n</tr>\n"
        )

    def floors(self, floors: Sequence[TableRow | None]) -> str:
        """The best floor of each column; each may be another one, and leads to its page."""
        cells = []
        for column, floor in enumerate(floors):
            if floor is None:
                cells.append(ABSENT if column else 2 * ABSENT)
            elif column == 0:
                cells.append(self._columns[0].headline(floor))
            else:
                cells.append(f"<td>{self._linked(column, floor)}</td>")
        first = next(floor for floor in floors if floor is not None)
        name = self._columns[0].link(first.entry, system_name(first.entry.card))
        label = escape(self._words("overview.floor"))
        return (
            f'<tr class="floor">\n<td class="rank">–</td>\n<th scope="row" class="name">{label}'
            f"<small>{name}</small></th>\n{''.join(cells)}\n</tr>\n"
        )

    def _figure(self, column: int, row: TableRow | None, own: TableRow) -> str:
        if row is None:
            return ABSENT
        html, metric = self._columns[column], self._tables[column].columns[0]
        same = row.entry.key == own.entry.key
        shown = figure(row.cells[0], metric) if same else self._linked(column, row)
        return f"<td>{shown}{html.dagger(row)}{html.rank_range(row)}</td>"

    def _linked(self, column: int, row: TableRow) -> str:
        metric = self._tables[column].columns[0]
        return self._columns[column].link(row.entry, figure(row.cells[0], metric))
