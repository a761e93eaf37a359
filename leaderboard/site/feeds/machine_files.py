"""All that a build writes for programs and other sites: places in the site, and bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from harness.files import readable
from leaderboard.board.records import BoardContents, Entry
from leaderboard.results.description import Bench, MetricInfo
from leaderboard.site.feeds import api_documents as documents
from leaderboard.site.feeds.atom import FEED, feed, has_feed
from leaderboard.site.feeds.badges import badges
from leaderboard.site.feeds.eval_results import eval_results
from leaderboard.site.feeds.every_eval import every_eval_record
from leaderboard.site.site_paths import (
    API,
    hub_files,
    system_document_file,
    table_document_file,
)
from leaderboard.tables.ranked_table import Table


@cache
def schema_files() -> tuple[tuple[str, bytes], ...]:
    """The schemas of the documents, as they lie beside them."""
    return tuple(
        (f"{API}/schema/{name}.json", documents.schema_bytes(name)) for name in documents.SCHEMAS
    )


def shared_files(
    board: BoardContents,
    bench: Bench,
    metrics: Mapping[str, MetricInfo],
    tables: Sequence[Table],
    columns: Sequence[Table],
    scorer: str,
) -> Iterator[tuple[str, bytes]]:
    """What depends on several rows, and is written by every build: documents, feed, badges.

    `columns`: the tables of the overview, the headline first.
    """
    headline = next(iter(columns), None)
    about = documents.board_document(board, bench, metrics, tables, headline, scorer)
    yield f"{API}/board.json", readable(about)
    yield f"{API}/tables.json", readable(documents.tables_document(tables))
    yield f"{API}/systems.json", readable(documents.systems_document(board.entries))
    if board.mark is not None and has_feed(board):
        yield f"{API}/events.json", readable(documents.events_document(board.events, board.mark))
        yield FEED, feed(board, bench)
    yield from schema_files()
    yield from badges(board.entries, metrics, tables, columns)


def table_files_for_programs(table: Table) -> Iterator[tuple[str, bytes]]:
    """What depends on one table."""
    yield table_document_file(table), readable(documents.table_document(table))


def entry_files_for_programs(
    entry: Entry, bench: Bench, metrics: Mapping[str, MetricInfo], provider: str
) -> Iterator[tuple[str, bytes]]:
    """What depends on one run alone. `provider`: who runs the board, "" where nobody is named."""
    yield system_document_file(entry), readable(documents.system_document(entry))
    if entry.ranked:
        record = every_eval_record(entry, bench, metrics, provider)
        made = (eval_results(entry, bench, metrics), readable(record))
        yield from zip(hub_files(entry), made, strict=True)
