"""Freezing a board: the site as it stands, at an address below it that no later build changes.

The frozen pages are those that were published, byte for byte, but for one thing: the front pages
lose their list of frozen boards, since the copy does not hold these.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from harness.errors import WrongUsageError
from harness.files import readable, shown
from harness.replacement import replaced_folder
from harness.untrusted import UnfitFileError, json_document, read_small
from leaderboard.site.frozen.carrying import link_or_copy, plain_files
from leaderboard.site.frozen.manifest import (
    FOLDER,
    LONGEST_NAME,
    MANIFEST,
    NAME,
    PATH,
    SUMS,
    BoardState,
    FileRecord,
    LedgerState,
    Manifest,
    sha256,
    sums,
)
from leaderboard.site.frozen.site_lock import locked_site
from leaderboard.site.site_paths import pages_at

LIST = re.compile(rb"<!--frozen-->.*?<!--/frozen-->\n", re.DOTALL)  # of templates/index.html
STATE = "api/v1/board.json"
LARGEST_STATE = 1 << 24  # bytes
AGAIN = "build the site again with `ivcr leaderboard build`"


class Freeze(NamedTuple):
    """What was frozen: the folder, SHA-256 of its manifest, how many files and bytes."""

    folder: Path
    sha256: str
    files: int
    size: int


def freeze(
    site: Path, name: str, *, progress: Callable[[int, int], None] = lambda done, total: None
) -> Freeze:
    """Keep the built `site` as it stands under `site`/frozen/`name`, with a manifest.

    Frozen boards that are there already do not become part of it. A process that is killed leaves
    either no frozen board of that name or a whole one. progress: gets how many files are done, of
    how many. Raises WrongUsageError if `name` is no name or taken or `site` is no live site,
    EnvironmentFailure if the disk fails.
    """
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
        raise WrongUsageError(
            f"{shown(name)}: expected a name of small letters and digits, with single hyphens, "
            f"points or underscores between them, at most {LONGEST_NAME}, such as phase-1"
        )
    with locked_site(site):
        state = _live_state(site)
        place = site / FOLDER / name
        if os.path.lexists(place):
            raise WrongUsageError(
                f"{place}: is there already, and what is frozen does not change; take another name"
            )
        paths = _paths(site)
        with replaced_folder(place, must_be_new=True, parents=True) as folder:
            records = {}
            for done, path in enumerate(paths):
                progress(done, len(paths))
                records[path] = _take_over(site / path, folder / path, path)
            progress(len(paths), len(paths))
            manifest = Manifest(1, name, state, records)
            data = readable(manifest)
            (folder / MANIFEST).write_bytes(data)
            (folder / SUMS).write_bytes(sums(manifest, sha256(data)))
    size = sum(record.size for record in records.values())
    return Freeze(place, sha256(data), len(records), size)


class _Bench(Struct, frozen=True):
    name: str
    version: str
    split: str
    labels: str
    fingerprint: str


class _BoardDocument(Struct, frozen=True):
    """What a freeze needs of leaderboard.site.feeds.api_documents.board_document."""

    benchmark: _Bench
    ledger: LedgerState | None
    scorer: str | None


def _live_state(site: Path) -> BoardState:
    if os.path.lexists(site / MANIFEST):
        raise WrongUsageError(f"{site}: is a frozen board itself; name the site that goes on")
    try:
        found = json_document(read_small(site / STATE, LARGEST_STATE), _BoardDocument)
    except UnfitFileError as error:
        raise WrongUsageError(
            f"{site}: expected a built site, with {STATE} in it: {error.text}; {AGAIN}"
        ) from error
    bench = found.benchmark
    return BoardState(
        bench.name, bench.version, bench.split, bench.labels, bench.fingerprint,
        found.scorer or "", found.ledger,
    )  # fmt: skip


def _paths(site: Path) -> list[str]:
    paths = list(plain_files(site, left_out=FOLDER))
    for path in paths:
        if not PATH.fullmatch(path) or path == SUMS:
            raise WrongUsageError(
                f"{site}: holds {shown(path)}, which no build writes; move it away, or {AGAIN}"
            )
    return paths


def _take_over(old: Path, new: Path, path: str) -> FileRecord:
    new.parent.mkdir(parents=True, exist_ok=True)
    if path in pages_at("index"):
        data = LIST.sub(b"", old.read_bytes())
        new.write_bytes(data)
        return FileRecord(sha256(data), len(data))
    link_or_copy(old, new)
    with new.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return FileRecord(digest, stream.tell())
