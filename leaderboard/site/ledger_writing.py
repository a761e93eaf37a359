"""Writing the ledger of a build, and what of the last build's tables still holds."""

from __future__ import annotations

import hashlib
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
from leaderboard.site.dialogue_pages import STRIP, DialogueBrowser
from leaderboard.site.site_paths import DIALOGUES, pages_at, table_files, track_page
from leaderboard.tables.ranked_table import Table, by_track
from leaderboard.tables.tracks import TRACKS

PARTS = {track.part for track in TRACKS} | {"all"}


def unchanged_tables(
    ledger: BuildLedger | None, tables: Sequence[Table], site: Path
) -> frozenset[str]:
    """Tables and track pages whose files stand in `site` and depend on the same as now, by name."""
    known = {} if ledger is None else ledger.tables
    return frozenset(
        name
        for name, (digest, _) in _groups(tables).items()
        if unchanged_files(known.get(name), digest, site)
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
    browsed = [] if browser is None else _browser(site)
    frames = [path for path in browsed if path.endswith(STRIP)]
    ledger = BuildLedger(
        context,
        {entry.key: _known(entry, pages, site) for entry, pages in entries},
        {table.name: table.standing for table in tables},
        None if browser is None else FileGroup(browser.digest, written_files(site, browsed)),
        {
            name: FileGroup(digest, written_files(site, pages))
            for name, (digest, pages) in _groups(tables).items()
        },
        mark,
        None if browser is None else FileGroup(browser.videos, written_files(site, frames)),
    )
    write(ledger_path(site), canonical(ledger))


def _groups(tables: Sequence[Table]) -> dict[str, tuple[str, list[str]]]:
    """What is written together, by name: a digest of what it depends on, and its files.

    A table's own files, and the page of a track, which shows all of its tables.
    """
    groups = {table.name: (table.digest, table_files(table)) for table in tables}
    for track, group in by_track(tables).items():
        digest = hashlib.sha256(repr([table.digest for table in group]).encode()).hexdigest()
        groups[track_page(track)] = digest, pages_at(track_page(track))
    return groups


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
