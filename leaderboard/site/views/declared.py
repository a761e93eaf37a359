"""What cards declare, for the filters of a page: attributes of a row, and which filters there are.

Foreign text reaches an attribute bounded in length, visible and escaped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from markupsafe import Markup, escape

from harness.publication.escaping import visible
from harness.records import ANNOTATIONS, Card
from leaderboard.board.formatting import exact
from leaderboard.tables.costs import parameter_count
from leaderboard.tables.ranked_table import Table, TableRow

LANGUAGE, LANGUAGES, OPTIONS = 24, 200, 30  # characters of one and of all of a row; choices
LINE, TRAINING = 60, 240  # characters of one line of training data, and of all
BETWEEN = "|"


class DeclaredFilters(NamedTuple):
    """Which filters a page has: those of which some row of it declares something.

    `languages`: to choose from, the commonest first; `labels`: which annotations may be the most.
    """

    languages: tuple[str, ...]
    weights: bool
    training: bool
    labels: tuple[str, ...]
    size: bool
    accepted: bool


def row_attributes(row: TableRow) -> Markup:
    """What the card of a row declares, as attributes of its <tr>, a space before each.

    Floors have none: no filter of what is declared hides them.
    """
    if row.entry.floor:
        return Markup("")
    parts = [
        f' data-{name}="{escape(value)}"' for name, value in _declared(row) if value is not None
    ]
    return Markup("".join(parts))  # noqa: S704 - escaped above


def declared_filters(rows: Iterable[TableRow]) -> DeclaredFilters:
    """The filters of a page that shows these rows."""
    found = [dict(_declared(row)) for row in rows if not row.entry.floor]
    languages = Counter(
        name for each in found for name in (each["languages"] or "").split(BETWEEN) if name
    )
    common = sorted(languages, key=lambda name: (-languages[name], name))[:OPTIONS]

    def some(name: str) -> bool:
        return any(each[name] is not None for each in found)

    return DeclaredFilters(
        tuple(common),
        some("weights"),
        any(each["training"] for each in found),
        ANNOTATIONS if some("labels") else (),
        some("size"),
        some("accepted"),
    )


def table_filters(tables: Iterable[Table]) -> DeclaredFilters:
    """The filters of a page that shows these tables."""
    return declared_filters(row for table in tables for row in table.rows)


def _declared(row: TableRow) -> list[tuple[str, str | None]]:
    """What a row declares, by the name of its attribute; None: nothing."""
    card: Card = row.entry.card
    size = parameter_count(card)
    return [
        ("languages", _joined(card.languages, LANGUAGE, LANGUAGES)),
        ("weights", card.weights),
        ("training", _joined(card.training_data, LINE, TRAINING)),
        ("labels", None if card.annotations is None else str(ANNOTATIONS.index(card.annotations))),
        ("size", None if size is None else exact(size)),
        ("accepted", row.accepted[:10] or None),
    ]


@lru_cache(maxsize=4096)
def _joined(lines: tuple[str, ...] | None, cut: int, whole: int) -> str | None:
    """Lines in lower case, each cut to so many characters, as many as `whole` holds."""
    if lines is None:
        return None
    found = ""
    for line in dict.fromkeys(
        visible(line, cut).replace(BETWEEN, "/").lower().strip() for line in lines
    ):
        joined = f"{found}{BETWEEN}{line}" if found else line
        if len(joined) > whole:
            break
        found = joined
    return found
