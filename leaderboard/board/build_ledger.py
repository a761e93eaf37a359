"""The ledger of the last build: what it read and wrote, so that the next one redoes only changes.

The ledger stands beside the site, is not part of it, and holds what file systems say (times,
sizes). It never decides what a page says: with or without it a build gives the same bytes. It is
the only memory from build to build; leaderboard.site.ledger_writing writes it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Collection, Iterable, Mapping
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec
from msgspec import Struct, field

from harness.files import sibling
from harness.records import Card
from leaderboard.board.records import Scores, Stamp, Standing
from leaderboard.results.description import Bench, MetricInfo

READ_FILES = (
    *("card.toml", "scores.json", "scores.outcomes.npz"),
    *(f"predictions.jsonl{suffix}" for suffix in ("", ".gz", ".zst")),
)
# What pages are made by. Files of one build never stand beside those of other code.
CODE = (
    *("leaderboard", "harness.challenge", "harness.publication", "harness.schemas"),
    *("harness.replacement", "harness.statistics", "harness.teams", "harness.untrusted"),
)
MODULES = ("errors.py", "files.py", "records.py")  # of harness
LIBRARIES = ("jinja2", "markupsafe", "msgspec", "numpy")
Written = dict[str, tuple[int, int]]  # path in the site: size in bytes, time in nanoseconds


class KnownEntry(Struct, frozen=True):
    """An entry of the last build: its files' stamp, what tables need of it, and its pages.

    `result`, `differs`: as in Entry; `team`: what its team's name depends on.
    """

    stamp: Stamp
    card: Card
    scores: Scores
    pages: Written
    result: str
    team: str
    differs: tuple[str, ...] = ()


class FileGroup(Struct, frozen=True):
    """Files of the last build that were written together; `digest`: of what they depend on."""

    digest: str
    pages: Written


class BuildLedger(Struct, frozen=True):
    """The entries of the last build by key, its standings and tables' files by table name.

    `context`: a digest of everything else that pages depend on; `dialogues`: the browser's files;
    `strips`: those of them that are frames of videos, which depend on nothing else;
    `mark`: the words on every page that say how far the challenge's ledger went.
    """

    context: str
    entries: dict[str, KnownEntry]
    standings: dict[str, Standing]
    dialogues: FileGroup | None = None
    tables: dict[str, FileGroup] = field(default_factory=dict)
    mark: str = ""
    strips: FileGroup | None = None


def build_context(
    bench: Bench,
    metrics: Mapping[str, MetricInfo],
    organizers: Collection[str],
    scorer: str,
    provider: str = "",
) -> str:
    """SHA-256 over benchmark, metrics, organizers, scorer, and the code that makes pages.

    `provider`: who runs the board, as files of single runs name it.
    """
    libraries = " ".join(map(version, LIBRARIES))
    digest = hashlib.sha256(f"{libraries} {scorer} {provider}".encode())
    for part in (bench._replace(floors=Path()), sorted(metrics.items()), sorted(organizers)):
        digest.update(repr(part).encode())
    for package in CODE:
        for name, data in sorted(_own_files(files(package))):
            digest.update(f"{name} {len(data)}\n".encode() + data)
    for name in MODULES:
        data = files("harness").joinpath(name).read_bytes()
        digest.update(f"{name} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def _own_files(folder: Traversable) -> Iterable[tuple[str, bytes]]:
    for path in folder.iterdir():
        if path.is_dir():
            yield from _own_files(path)
        elif not path.name.endswith(".pyc"):
            yield f"{folder.name}/{path.name}", path.read_bytes()


def stamp(folder: Path) -> Stamp:
    """Name, size, times and inode of each file that an entry is read from."""
    found = []
    for name in sorted(READ_FILES):
        with contextlib.suppress(FileNotFoundError):
            s = _status(folder / name)
            found.append((name, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino))
    return tuple(found)


def _status(path: Path) -> os.stat_result:
    """Of a link what it leads to counts, or the link itself where it leads nowhere."""
    try:
        return path.stat()
    except OSError:
        return path.lstat()


def ledger_path(site: Path) -> Path:
    """Where the ledger of a site stands."""
    return sibling(site, ".ledger.json", start=".")


def read_ledger(site: Path, context: str) -> BuildLedger | None:
    """The ledger of the last build of `site`, None if there is none or its context was another."""
    try:
        ledger = msgspec.json.decode(ledger_path(site).read_bytes(), type=BuildLedger)
    except (OSError, msgspec.DecodeError):  # no ledger: everything is read again
        return None
    return ledger if ledger.context == context else None


def unchanged_entries(ledger: BuildLedger | None, site: Path) -> dict[str, KnownEntry]:
    """The entries of the last build whose pages stand in `site` as they were written."""
    known = {} if ledger is None else ledger.entries
    return {key: row for key, row in known.items() if _unchanged(row.pages, site)}


def unchanged_files(group: FileGroup | None, digest: str, site: Path) -> tuple[str, ...]:
    """The files of a group if they depend on the same and stand as they were written, else ()."""
    if group is None or group.digest != digest or not _unchanged(group.pages, site):
        return ()
    return tuple(group.pages)


def written_files(site: Path, pages: Iterable[str]) -> Written:
    """Size and time of those of `pages` that stand in `site`."""
    return {page: size_and_time for page in pages if (size_and_time := _stat(site, page))}


def _unchanged(pages: Written, site: Path) -> bool:
    return all(_stat(site, page) == size_and_time for page, size_and_time in pages.items())


def _stat(site: Path, page: str) -> tuple[int, int] | None:
    try:
        found = os.lstat(f"{site}/{page}")
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
