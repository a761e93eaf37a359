"""The rows of ranked tables as HTML: a board has thousands, and macros take four times as long.

A template escapes what it shows; here `_text` does, and all foreign text goes through it.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from harness.publication.escaping import NAME, visible
from harness.records import Card
from leaderboard.board.formatting import deviation, exact, interval, short
from leaderboard.board.records import Entry
from leaderboard.site.marks import bar, figure, size
from leaderboard.site.plots import ceiling
from leaderboard.site.site_paths import slug
from leaderboard.site.views.declared import row_attributes
from leaderboard.site.wording import Words
from leaderboard.tables.costs import CostAmount
from leaderboard.tables.ranked_table import Table, TableRow

TAGGED = ("gold videos", "gold spans", "annotated events")  # annotations that a row names
FLOOR = ' class="floor"'
COST = 40  # characters of a cost that is no number


def scale(table: Table) -> float:
    """The right end of the bars of a table."""
    first = [row.cells[0] for row in table.rows]
    return ceiling([bound for cell in first for bound in (cell.value, cell.high)])


def has_intervals(table: Table) -> bool:
    """Whether any headline of a table has an interval."""
    return any(row.cells[0].low is not None for row in table.rows)


def table_rows(
    table: Table, rows: Sequence[TableRow], words: Words, root: str, ending: str
) -> Markup:
    """Those `rows` of a table, a <tr> each.

    `root`, `ending`: as in Pages.render, for links to the pages of systems.
    """
    html = TableHtml(table, words, root, ending)
    return Markup("".join(map(html.row, rows)))  # noqa: S704 - foreign text is escaped in _text


def system_name(card: Card) -> Markup:
    """A system's name, and its variant; they may break after an underscore, not within a word."""
    name = f"<bdi>{_breakable(card.system)}</bdi>"
    if card.variant:
        name += f' <span class="variant"><bdi>{_breakable(card.variant)}</bdi></span>'
    return Markup(name)  # noqa: S704 - foreign text is escaped in _text


def leader(table: Table) -> Markup:
    """The first ranked system of a table and its headline, for a list of tables."""
    row = next((row for row in table.rows if row.rank == 1), None)
    if row is None:
        return Markup("")
    value = figure(row.cells[0], table.columns[0])
    return Markup("{} {}").format(system_name(row.entry.card), value)


def tags(entry: Entry, words: Words) -> Markup:
    """What kind of row an entry is: a floor, the organizers', of what annotations, a control."""
    found = []
    if entry.floor:
        found.append(f' <span class="tag is-floor">{escape(words("table.floor"))}</span>')
    elif entry.own:
        found.append(f' <span class="tag">{escape(words("table.organizers"))}</span>')
    if entry.card.annotations in TAGGED:
        label = words(f"annotations.{entry.card.annotations.replace(' ', '_')}")
        found.append(f' <span class="tag">{escape(label)}</span>')
    if entry.card.control:
        label = words("table.control", what=visible(entry.card.control))
        found.append(f' <span class="tag">{escape(label)}</span>')
    return Markup("".join(found))  # noqa: S704 - foreign text is escaped in _text


def _breakable(text: str) -> str:
    return str(_text(text)).replace("_", "_<wbr>")


def _text(text: str, cut: int = NAME) -> Markup:
    return escape(visible(text, cut))


class TableHtml:
    """What the rows of one table have in common; `root`, `ending`: as in table_rows."""

    def __init__(self, table: Table, words: Words, root: str, ending: str) -> None:
        """Look up what all rows need."""
        self._table, self._words = table, words
        self._root, self._ending = root, ending
        self._headline, *self._others = table.columns
        self._high = scale(table)
        self._floor = None if table.floor is None else table.floor.cells[0].value
        self._alike = frozenset(table.standing.alike)
        self._from_to = escape(words("standing.from_to"))

    def row(self, row: TableRow) -> str:
        """One row, from <tr> to </tr>."""
        first, *rest = row.cells
        figures = "".join(
            f"<td>{figure(cell, metric)}</td>"
            for cell, metric in zip(rest, self._others, strict=True)
        )
        costs = "".join(map(_cost, row.amounts))
        return (
            f"<tr{FLOOR if row.entry.floor else row_attributes(row)}>\n"
            f'<td class="rank">{self.rank(row)}</td>\n'
            f'<th scope="row" class="name">{self.name(row)}</th>\n'
            f'{self.headline(row)}{figures}<td class="size">{size(first.turns)}</td>'
            f'<td class="size">{size(first.dialogues)}</td>{costs}\n</tr>\n'
        )

    def headline(self, row: TableRow) -> str:
        """The cells of a row's headline: the figure, and a bar with its interval."""
        cell = row.cells[0]
        return (
            f'<td class="first">{figure(cell, self._headline)}{self.dagger(row)}</td>\n'
            f'<td class="drawn">{bar(cell, self._high, self._floor)}'
            f"<small>{interval(cell, self._headline)}</small></td>\n"
        )

    def dagger(self, row: TableRow) -> str:
        """The mark of a row that cannot be told apart from the first."""
        return "<sup>†</sup>" if row.entry.key in self._alike else ""

    def rank(self, row: TableRow) -> str:
        """A row's rank, and the ranks that it may have."""
        if row.rank is None:
            return "–"
        return f'<data value="{row.rank}">{row.rank}</data>{self.rank_range(row)}'

    def rank_range(self, row: TableRow) -> str:
        """The ranks that a row may have, nothing where they are not known."""
        span = self._table.range_of(row)
        if span is None:
            return ""
        return f'<small><span class="aside">{self._from_to} </span>{span[0]}–{span[1]}</small>'

    def name(self, row: TableRow) -> str:
        """A row's system and team, its tags, and its seeds."""
        card = row.entry.card
        return (
            f"{self.link(row.entry, system_name(card))}"
            f"<small><bdi>{_text(card.team)}</bdi>{tags(row.entry, self._words)}</small>"
            f"{self._seeds(row)}"
        )

    def link(self, entry: Entry, html: str) -> str:
        """A link to an entry's page; `html`: what stands in it, escaped."""
        return f'<a href="{self._root}systems/{slug(entry)}{self._ending}">{html}</a>'

    def _seeds(self, row: TableRow) -> str:
        """The runs of a system that differ in their seed, and how their headlines spread."""
        if len(row.runs) < 2:
            return ""
        words, metric, spread = self._words, self._headline, row.spread
        aside = f'<span class="aside">{escape(words("seeds.seed"))} </span>'
        links = "".join(f" {self.link(run, f'{aside}{run.card.seed}')}" for run in row.runs)
        spans = ""
        if spread is not None:
            low, high = short(spread.low, metric), short(spread.high, metric)
            wide = deviation(spread.deviation, metric)
            spans = f"<br>{escape(words('seeds.spread', low=low, high=high, deviation=wide))}"
        number = escape(words("seeds.runs", n=len(row.runs)))
        return f'<small class="seeds">{number}{links}{spans}</small>'


def _cost(amount: CostAmount | None) -> str:
    if amount is None:
        return '<td class="cost"><span class="undefined">–</span></td>'
    text = _text(amount.text, COST)
    if amount.value is None:
        return f'<td class="cost"><span class="undefined" dir="auto">{text}</span></td>'
    return f'<td class="cost"><data value="{exact(amount.value)}">{text}</data></td>'
