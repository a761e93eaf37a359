"""A small page for frames of other sites: the first rows of the overview's first column."""

from __future__ import annotations

import base64
import hashlib
from typing import NamedTuple

from leaderboard.site.pages import Pages, asset
from leaderboard.tables.overview import Overview
from leaderboard.tables.ranked_table import Table, TableRow

PAGE = "embed"
MOST = 10  # rows of systems; the best floor stands among them
STYLE = "embed.css"


class EmbeddedRows(NamedTuple):
    """The first column of an overview, its first rows, and how many systems it ranks."""

    table: Table
    rows: tuple[TableRow, ...]
    ranked: int


def embedded_rows(overview: Overview) -> EmbeddedRows | None:
    """What the small page shows, None where no table is there.

    The best floor is one of the rows: after those that are above it, or last.
    """
    if not overview.tables:
        return None
    table = overview.tables[0]
    shown = [row.rows[0] for row in overview.rows]
    rows = [row for row in shown if row is not None][:MOST]
    if (floor := overview.floors[0]) is not None:
        rows.insert(min(overview.floor_place, len(rows)), floor)
    return EmbeddedRows(table, tuple(rows), table.ranked)


def embed_policy() -> str:
    """Content security policy of the small page: its style and empty icon, no script."""
    digest = base64.b64encode(hashlib.sha256(str(asset(STYLE)).encode()).digest()).decode()
    rules = ("img-src data:", "base-uri 'none'", "form-action 'none'")
    return "; ".join(("default-src 'none'", f"style-src 'sha256-{digest}'", *rules))


def embed_page(pages: Pages, language: str, overview: Overview, title: str) -> bytes:
    """The small page in one language. `title`: of the challenge, else of the benchmark."""
    return pages.render(
        "embed.html",
        PAGE,
        language,
        title=title,
        embedded=embedded_rows(overview),
        policy=embed_policy(),
        style=asset(STYLE),
    )
