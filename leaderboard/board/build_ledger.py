"""What the last build read and wrote, so that the next one reads and renders only what changed.

The ledger stands beside the site, is not part of it, and holds what file systems say (times,
sizes). It never decides what a page says: with or without it a build gives the same bytes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec
from msgspec import Struct, field

from harness.files import canonical, write
from harness.records import Card
from leaderboard.board import outcomes
from leaderboard.board.records import Bench, Described, Entry, Kept, Scores, Stamp, Standing
from leaderboard.site.dialogue_pages import Browser
from leaderboard.site.pages import DIALOGUES, files_of, pages_at
from leaderboard.tables.table import Table
from leaderboard.tables.tracks import TRACKS

READ = ("card.toml", "scores.json", outcomes.NAME)
PARTS = {track.part for track in TRACKS} | {"all"}


class Known(Struct, frozen=True):
    """An entry as the last build had it: its files' stamp, what tables need, and its pages."""

    stamp: Stamp
    card: Card
    scores: Scores
    pages: dict[str, tuple[int, int]]  # path in the site: size in bytes, time in nanoseconds


class Group(Struct, frozen=True):
    """Files of the last build that belong together; `made_of`: a digest of what they rest on."""

    made_of: str
    pages: dict[str, tuple[int, int]]


class Ledger(Struct, frozen=True):
    """All entries of the last build, its dialogue browser, its tables' standings by name.

    `context`: everything else that their pages depend on; `tables`, `tracks`: their files by name.
    """

    context: str
    entries: dict[str, Known]
    standings: dict[str, Standing]
    dialogues: Group | None = None
    tables: dict[str, Group] = field(default_factory=dict)
    tracks: dict[str, Group] = field(default_factory=dict)


def context(bench: Bench, metrics: Mapping[str, Described], organizers: Collection[str]) -> str:
    """SHA-256 over the benchmark, the metrics, the organizers and the code that makes pages."""
    digest = hashlib.sha256(f"{version('jinja2')} {version('numpy')}".encode())
    for part in (bench._replace(floors=Path()), sorted(metrics.items()), sorted(organizers)):
        digest.update(repr(part).encode())
    for package in ("leaderboard", "harness.statistics"):
        for name, data in sorted(_own_files(files(package))):
            digest.update(f"{name} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def _own_files(folder: Traversable) -> Iterable[tuple[str, bytes]]:
    for path in folder.iterdir():
        if path.is_dir():
            yield from _own_files(path)
        elif not path.name.endswith(".pyc"):
            yield f"{folder.name}/{path.name}", path.read_bytes()


def stamp(folder: Path) -> Stamp:
    """Name, size, times and number of each file that an entry is read from."""
    inside = (path for path in os.scandir(folder) if _matters(path.name))
    seen = ((path.name, path.stat(follow_symlinks=False)) for path in inside)
    return tuple(
        sorted((name, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino) for name, s in seen)
    )


def _matters(name: str) -> bool:
    return name in READ or name.startswith("predictions.")


def known(ledger: Ledger | None, site: Path) -> dict[str, Known]:
    """The entries of the last build whose pages still stand in `site` as they were written."""
    if ledger is None:
        return {}
    return {
        key: row
        for key, row in ledger.entries.items()
        if all(_written(site, page) == seen for page, seen in row.pages.items())
    }


def read(site: Path, context: str) -> Ledger | None:
    """The ledger of the last build of `site`, None if there is none or its context was another."""
    try:
        ledger = msgspec.json.decode(_place(site).read_bytes(), type=Ledger)
    except (OSError, msgspec.DecodeError):  # no ledger: everything is read anew
        return None
    return ledger if ledger.context == context else None


def standings(ledger: Ledger | None) -> dict[str, Standing]:
    """The standings of the last build's tables by name."""
    return {} if ledger is None else ledger.standings


def dialogues(ledger: Ledger | None, made_of: str, site: Path) -> tuple[str, ...]:
    """The files of the last build's dialogue browser if they stand and rest on the same, or ()."""
    group = None if ledger is None else ledger.dialogues
    if group is None or group.made_of != made_of:
        return ()
    return tuple(group.pages) if _stands(group, site) else ()


def kept(ledger: Ledger | None, made: Sequence[Table], site: Path) -> Kept:
    """What of the last build's pages of tables and tracks rests on the same and stands."""
    if ledger is None:
        return Kept()
    same = {
        table.name
        for table in made
        if (group := ledger.tables.get(table.name)) and group.made_of == table.made_of
    }
    whole = {name for name in same if _stands(ledger.tables[name], site)}
    standing = {name for name, group in ledger.tracks.items() if _stands(group, site)}
    tracks = {
        name
        for name, digest in _tracks(made).items()
        if name in standing and ledger.tracks[name].made_of == digest
    }
    sections = {table.name for table in made if table.name in same and table.track.name in standing}
    return Kept(frozenset(whole), frozenset(tracks), frozenset(sections))


def _tracks(made: Iterable[Table]) -> dict[str, str]:
    """What each track's page rests on."""
    found: dict[str, str] = {}
    for table in made:
        name = table.track.name
        digest = hashlib.sha256(f"{found.get(name)} {table.made_of}".encode())
        found[name] = digest.hexdigest()
    return found


def _stands(group: Group, site: Path) -> bool:
    return all(_written(site, page) == seen for page, seen in group.pages.items())


def keep(
    site: Path,
    context: str,
    entries: Iterable[tuple[Entry, Collection[str]]],
    tables: Sequence[Table] = (),
    browser: Browser | None = None,
) -> None:
    """Write the ledger of a build: entries and their pages, tables' standings, the browser."""
    rows = {
        entry.key: Known(
            entry.stamp,
            entry.card,
            msgspec.structs.replace(
                entry.scores,
                metrics={p: cells for p, cells in entry.scores.metrics.items() if p in PARTS},
            ),
            _seen(site, pages),
        )
        for entry, pages in entries
    }
    group = None if browser is None else Group(browser.made_of, _pages(site, DIALOGUES))
    standing = {table.name: table.standing for table in tables}
    shared = {table.name: Group(table.made_of, _seen(site, files_of(table))) for table in tables}
    tracks = {
        name: Group(made_of, _seen(site, pages_at(f"tracks/{name}")))
        for name, made_of in _tracks(tables).items()
    }
    write(_place(site), canonical(Ledger(context, rows, standing, group, shared, tracks)))


def _pages(site: Path, folder: str) -> dict[str, tuple[int, int]]:
    return _seen(site, sorted(f"{folder}/{path.name}" for path in (site / folder).glob("*")))


def _seen(site: Path, pages: Iterable[str]) -> dict[str, tuple[int, int]]:
    return {page: seen for page in pages if (seen := _written(site, page))}


def columns_of(site: Path) -> Path:
    """The folder of what leaderboard.tables.column_cache keeps for a site."""
    return site.with_name(f".{site.name}.columns")


def _place(site: Path) -> Path:
    return site.with_name(f".{site.name}.ledger.json")


def _written(site: Path, page: str) -> tuple[int, int] | None:
    try:
        found = os.lstat(f"{site}/{page}")
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
