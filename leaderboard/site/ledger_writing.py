"""Writing the ledger of a build, and what of the last build's tables still holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import msgspec

from harness.files import canonical, write
from leaderboard.board.build_ledger import (
    BuildLedger,
    FileGroup,
    KnownEntry,
    ledger_path,
    unchanged_files,
    written_files,
)
from leaderboard.board.records import Entry
from leaderboard.site.dialogue_pages import DialogueBrowser
from leaderboard.site.pages import DIALOGUES, table_files
from leaderboard.tables.ranked_table import Table
from leaderboard.tables.tracks import TRACKS

PARTS = {track.part for track in TRACKS} | {"all"}


def unchanged_tables(
    ledger: BuildLedger | None, tables: Sequence[Table], site: Path
) -> frozenset[str]:
    """The names of tables whose own files stand in `site` and depend on the same as now."""
    known = {} if ledger is None else ledger.tables
    return frozenset(
        table.name for table in tables if unchanged_files(known.get(table.name), table.digest, site)
    )


def write_ledger(
    site: Path,
    context: str,
    entries: Iterable[tuple[Entry, Collection[str]]],
    tables: Sequence[Table] = (),
    browser: DialogueBrowser | None = None,
    mark: str = "",
) -> None:
    """Write the ledger of a build: entries and their pages, tables and standings, the browser.

    `mark`: the words on every page that say how far the challenge's ledger went.
    """
    ledger = BuildLedger(
        context,
        {entry.key: _known(entry, pages, site) for entry, pages in entries},
        {table.name: table.standing for table in tables},
        None if browser is None else FileGroup(browser.digest, written_files(site, _browser(site))),
        {
            table.name: FileGroup(table.digest, written_files(site, table_files(table)))
            for table in tables
        },
        mark,
    )
    write(ledger_path(site), canonical(ledger))


def _known(entry: Entry, pages: Collection[str], site: Path) -> KnownEntry:
    metrics = {part: cells for part, cells in entry.scores.metrics.items() if part in PARTS}
    scores = msgspec.structs.replace(entry.scores, metrics=metrics)
    return KnownEntry(
        entry.stamp,
        entry.card,
        scores,
        written_files(site, pages),
        entry.result,
        entry.team,
        entry.differs,
    )


def _browser(site: Path) -> list[str]:
    return sorted(f"{DIALOGUES}/{path.name}" for path in (site / DIALOGUES).glob("*"))
