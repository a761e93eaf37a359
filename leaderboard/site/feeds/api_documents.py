"""The documents of api/v1: the board, its tables, its runs, its events, as programs read them.

`v1` is a promise (docs/board_api.md): keys stay and mean the same, others may be added. The schemas
beside this file say so in the form that programs check.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

import msgspec

from harness.publication.headlines import TASK_HEADLINES
from harness.schemas.documents import plain
from leaderboard.board.formatting import exact
from leaderboard.board.records import BoardContents, BoardEvent, Cell, Entry, LedgerMark
from leaderboard.results.description import Bench, MetricInfo
from leaderboard.site.exports import figure_document
from leaderboard.site.site_paths import slug
from leaderboard.tables.costs import CostAmount, CostKind
from leaderboard.tables.ranked_table import Table, TableRow

SCHEMAS = ("board", "tables", "table", "systems", "system", "events")
# Where everything lies, from board.json on; {name}: of a table, {slug}: of a run, {track}: of both.
PLACES = {
    "tables": "tables.json",
    "table": "tables/{name}.json",
    "systems": "systems.json",
    "system": "systems/{slug}.json",
    "schema": "schema/{document}.json",
    "page": "../../systems/{slug}.html",
    "table_page": "../../tracks/{track}.html#{name}",
    "badge": "../../badges/{slug}.svg",
    "eval_results": "../../exports/{slug}.eval_results.yaml",
    "every_eval_ever": "../../exports/{slug}.every_eval_ever.json",
    "leaderboard_json": "../../leaderboard.json",
    "leaderboard_csv": "../../leaderboard.csv",
    "embed": "../../embed.html",
}
LEDGER_PLACES = {"events": "events.json", "feed": "../../feed.atom"}


def schema_bytes(name: str) -> bytes:
    """The published schema of one of SCHEMAS, as it is shipped."""
    return files("leaderboard.site.feeds").joinpath(f"schemas/{name}.json").read_bytes()


def board_document(
    board: BoardContents,
    bench: Bench,
    metrics: Mapping[str, MetricInfo],
    tables: Sequence[Table],
    headline: Table | None,
    scorer: str,
) -> dict[str, Any]:
    """board.json: what is ranked here, by what, how far the ledger went, where the rest lies.

    `headline`: the table that stands first in the overview, None where there is none.
    """
    floors = sum(entry.floor for entry in board.entries)
    places = PLACES | (LEDGER_PLACES if board.mark and board.mark.last_event else {})
    return {
        "schema": 1,
        "benchmark": {
            "name": bench.name,
            "version": bench.version,
            "split": bench.split,
            "labels": bench.labels,
            "fingerprint": bench.fingerprint,
            "counts": bench.counts,
        },
        "challenge": _challenge(board),
        "ledger": _ledger(board.mark),
        "scorer": scorer or None,
        "headline": headline.name if headline else None,
        "counts": {
            "tables": len(tables),
            "runs": len(board.entries) - floors,
            "floors": floors,
            "withdrawn": len(board.withdrawn),
        },
        "metrics": {
            name: {key: getattr(metric, key) for key in _METRIC} for name, metric in metrics.items()
        },
        "files": places,
    }


_METRIC = ("unit", "low", "high", "better", "over", "formula")
_CHALLENGE = ("title", "description", "organizers", "contact", "licence", "citation")


def _challenge(board: BoardContents) -> dict[str, Any] | None:
    about = board.about
    if about is None:
        return None
    return {
        **{name: getattr(about, name) for name in _CHALLENGE},
        "links": dict(about.links),
        "terms_version": board.terms.version if board.terms else None,
    }


def _ledger(mark: LedgerMark | None) -> dict[str, Any] | None:
    return None if mark is None else {"head": mark.head, "last_event": mark.last_event}


def tables_document(tables: Iterable[Table]) -> dict[str, Any]:
    """tables.json: every table in the order of the pages, without its rows."""
    return {"schema": 1, "tables": [_heading(table) for table in tables]}


def _heading(table: Table) -> dict[str, Any]:
    return {
        "name": table.name,
        "track": table.track.name,
        "history": table.history,
        "candidates": table.candidates,
        "slice": table.track.part,
        "metrics": [metric.name for metric in table.columns],
        "size": len(table.rows),
        "ranked": table.ranked,
    }


def table_document(table: Table) -> dict[str, Any]:
    """tables/<name>.json: a table with its rows, best first by the first of its metrics.

    Ranks, rank ranges and figures are those of the page and of the table's CSV file.
    """
    detectable = table.standing.detectable
    return {
        "schema": 1,
        **_heading(table),
        "costs": [{"name": kind.name, "unit": kind.unit} for kind in table.costs],
        "detectable": None if detectable is None else float(exact(detectable)),
        "rows": [_row(row, table) for row in table.rows],
    }


def _row(row: TableRow, table: Table) -> dict[str, Any]:
    entry, span = row.entry, table.range_of(row)
    return {
        **_names(entry),
        "rank": row.rank,
        "rank_range": None if span is None else list(span),
        "alike": table.alike(row) if span else None,
        "marks": _marks(entry),
        "figures": {
            metric.name: figure_document(_ten_digits(cell))
            for metric, cell in zip(table.columns, row.cells, strict=True)
        },
        "costs": list(_costs(row.amounts, table.costs)),
        "runs": [{"key": run.key, "slug": slug(run), "seed": run.card.seed} for run in row.runs],
        "spread": None
        if row.spread is None
        else dict(zip(("least", "greatest", "deviation"), map(_number, row.spread), strict=True)),
    }


def _names(entry: Entry) -> dict[str, Any]:
    """Who a row is; of an anonymous team `team` is the alias, as on the pages."""
    card = entry.card
    return {
        "key": entry.key,
        "slug": slug(entry),
        "team": card.team,
        "system": card.system,
        "variant": card.variant,
    }


def _marks(entry: Entry) -> dict[str, Any]:
    return {
        "floor": entry.floor,
        "own": entry.own,
        "control": entry.card.control,
        "annotations": entry.card.annotations,
    }


def _costs(
    amounts: Iterable[CostAmount | None], kinds: Iterable[CostKind]
) -> Iterator[dict[str, Any]]:
    for amount, kind in zip(amounts, kinds, strict=True):
        if amount is not None:
            yield {
                "name": kind.name,
                "unit": kind.unit,
                "value": None if amount.value is None else _number(amount.value),
                "text": amount.text,
            }


def _number(value: float) -> float:
    """Ten significant digits, as everywhere."""
    return float(exact(value))


def _ten_digits(cell: Cell) -> Cell:
    numbers = {
        name: _number(value)
        for name in ("value", "low", "high")
        if (value := getattr(cell, name)) is not None
    }
    return msgspec.structs.replace(cell, **numbers)


def systems_document(entries: Iterable[Entry]) -> dict[str, Any]:
    """systems.json: every run and floor by its names, in the order of keys."""
    return {
        "schema": 1,
        "systems": [
            {
                **_names(entry),
                "history": entry.card.history,
                "candidates": entry.card.candidates,
                "marks": _marks(entry),
            }
            for entry in entries
        ],
    }


def system_document(entry: Entry) -> dict[str, Any]:
    """systems/<slug>.json: one run: its card as it is shown, and its figures by slice and metric.

    The slice `all` has every metric, the others those that its page shows. It depends on no other
    run.
    """
    return {
        "schema": 1,
        **_names(entry),
        "marks": _marks(entry),
        "submission_sha256": entry.scores.submission.sha256,
        "signature": entry.scores.signature,
        "abstentions": entry.abstentions,
        "card": plain(msgspec.to_builtins(entry.card)),
        "figures": {
            part: shown
            for part, cells in entry.scores.metrics.items()
            if (shown := _of_slice(part, cells))
        },
    }


def _of_slice(part: str, cells: Mapping[str, Cell]) -> dict[str, Any]:
    return {
        name: figure_document(cell)
        for name, cell in cells.items()
        if part == "all" or (name in TASK_HEADLINES and cell.value is not None)
    }


def events_document(events: Iterable[BoardEvent], mark: LedgerMark) -> dict[str, Any]:
    """events.json: what the ledger says happened to the runs of this board, the first first."""
    return {
        "schema": 1,
        "ledger": _ledger(mark),
        "events": [
            {"at": event.at, "what": event.what, "key": event.key, "why": event.why or None}
            for event in events
        ],
    }
