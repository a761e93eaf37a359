"""A badge for each run: in one table, which ranks it may have, and of how many systems.

A badge depends on the other rows of its table, so every build draws all of them anew. No text of a
stranger stands in one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from leaderboard.board.formatting import label
from leaderboard.board.records import Entry
from leaderboard.results.description import MetricInfo
from leaderboard.site.feeds.headline_figures import has_badge
from leaderboard.site.site_paths import badge_file
from leaderboard.site.wording import Words
from leaderboard.tables.ranked_table import Table, TableRow

HEIGHT, MARGIN = 20, 6
NO_RANK = "not ranked"
NARROW, WIDE = "fijlrt.,:- ", "mwMW@"
# Widths at 11 px in the common fonts; textLength fits the text where a font differs.
WIDTHS = {"narrow": 4.2, "wide": 10.0, "upper": 7.7, "other": 6.8}


def badges(
    entries: Sequence[Entry],
    metrics: Mapping[str, MetricInfo],
    tables: Sequence[Table],
    columns: Sequence[Table],
) -> Iterator[tuple[str, bytes]]:
    """The file of each run that has a badge, and its bytes.

    `columns`: the tables of the overview. A run shows its rank in the track of the first one, else
    in the first of the others that ranks it, else in the first table.
    """
    first = columns[0].track if columns else None
    found: dict[str, tuple[Table, TableRow]] = {}
    for table in (*(each for each in tables if each.track == first), *columns, *tables):
        for row in table.rows:
            if row.rank is not None:
                for run in row.runs:
                    found.setdefault(run.key, (table, row))
    for entry in entries:
        if has_badge(entry, metrics):
            yield badge_file(entry), _badge(found.get(entry.key))


def _badge(place: tuple[Table, TableRow] | None) -> bytes:
    if place is None:
        return draw("Leaderboard", NO_RANK, "Leaderboard: this run has no rank")
    table, row = place
    words, rank = Words("en"), rank_text(table, row)
    track = words(f"track.{table.track.name}")
    shown = words(f"history.{table.history}"), words(f"candidates.{table.candidates}")
    title = (
        f"{track}, {label(table.columns[0].name)}: {rank} systems;"
        f" {', '.join(text.lower() for text in shown)}"
    )
    return draw(track, rank, title)


def rank_text(table: Table, row: TableRow) -> str:
    """`rank 1–3 of 12`: the ranks that a row may have; its rank alone where they are not known."""
    span = table.range_of(row)
    if span is None or span[0] == span[1]:
        return f"rank {row.rank if span is None else span[0]} of {table.ranked}"
    return f"rank {span[0]}–{span[1]} of {table.ranked}"


@lru_cache(maxsize=4096)
def draw(name: str, text: str, title: str) -> bytes:
    """A badge as SVG: a name, a text, and a title for those who do not see it.

    None of them may be foreign.
    """
    left, right = (round(_width(each)) for each in (name, text))
    middle, width = left + 2 * MARGIN, left + right + 4 * MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{HEIGHT}"'
        f' viewBox="0 0 {width} {HEIGHT}" role="img" aria-labelledby="t">'
        f'<title id="t">{_xml(title)}</title>'
        f'<rect width="{width}" height="{HEIGHT}" rx="3" fill="#8a877e"/>'
        f'<path d="M4 1H{middle}V19H4A3 3 0 0 1 1 16V4A3 3 0 0 1 4 1Z" fill="#33322e"/>'
        f'<path d="M{middle} 1H{width - 4}A3 3 0 0 1 {width - 1} 4V16A3 3 0 0 1 {width - 4} 19'
        f'H{middle}Z" fill="#0b5794"/>'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">'
        f'<text x="{MARGIN}" y="14" textLength="{left}">{_xml(name)}</text>'
        f'<text x="{middle + MARGIN}" y="14" textLength="{right}">{_xml(text)}</text></g></svg>\n'
    ).encode()


def _width(text: str) -> float:
    return sum(WIDTHS[_kind(character)] for character in text)


def _kind(character: str) -> str:
    if character in NARROW:
        return "narrow"
    if character in WIDE:
        return "wide"
    return "upper" if character.isupper() else "other"


def _xml(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
