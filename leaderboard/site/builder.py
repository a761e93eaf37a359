"""Building the site: every page and export into a folder beside, which then takes its place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from harness.errors import EnvironmentFailure, WrongUsageError
from leaderboard.board.records import Bench, Described, Entry, Found, Kept
from leaderboard.site import compare_pages, dialogue_pages, exports, system_pages
from leaderboard.site.dialogue_pages import Browser
from leaderboard.site.pages import ENDINGS, FORMATS, Pages, compared_at, pages_at, slug
from leaderboard.site.wording import LANGUAGES, Words
from leaderboard.tables.table import Table, tables
from leaderboard.tables.tracks import Track

MARK = "ivcr-leaderboard-site"  # says that a folder is ours to replace
EXPORTS = dict(zip(FORMATS, (exports.csv, exports.markdown, exports.latex), strict=True))


class Old(NamedTuple):
    """The site of the last build, and what of it holds."""

    folder: Path
    kept: Kept

    def section(self, table: Table, language: str) -> Markup | None:
        """A table's part of its track's page, if it holds: what our own template made of it."""
        if table.name not in self.kept.sections:
            return None
        path = self.folder / f"tracks/{table.track.name}{ENDINGS[language]}"
        text = path.read_text("utf-8")
        begin, end = f"<!--[{table.name}]-->", f"<!--[/{table.name}]-->"
        _, found, rest = text.partition(begin)
        part, closed, _ = rest.partition(end)
        return Markup(part) if found and closed else None  # noqa: S704 - escaped when it was made


class Built(NamedTuple):
    """What was built: where, how many tables, how many rows of runs and of floors."""

    folder: Path
    tables: int
    runs: int
    floors: int


def build(
    found: Found,
    bench: Bench,
    metrics: Mapping[str, Described],
    out: Path,
    made: tuple[Table, ...] | None = None,
    browser: Browser | None = None,
    abstained: Callable[[Entry], int] | None = None,
    kept: Kept | None = None,
) -> Built:
    """Write the whole site to `out`, replacing a site of ours that is there.

    `made`: the tables of `found` with their standings; without them no row has a rank range.
    `browser`: what the dialogue browser is made of, None to leave it out; `abstained`: in how many
    turns an entry gave an empty answer, None where nobody counts; `kept`: what of the site at `out`
    still holds. Same input, same bytes.
    Raises WrongUsageError if `out` is something else than a site of ours or an empty folder,
    EnvironmentFailure if it cannot be written; `out` is then as it was.
    """
    made = tables(found.entries, metrics) if made is None else made
    with _replacing(out) as folder:
        old = Old(out, kept or Kept())
        for path, data in files(found, bench, metrics, made, browser, abstained, old):
            target = folder / path
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(data)
        for path in _kept(found, made, browser, old.kept):
            target = folder / path
            target.parent.mkdir(exist_ok=True)
            _carry(out / path, target)
    floors = sum(entry.floor for entry in found.entries)
    return Built(out, len(made), len(found.entries) - floors, floors)


def _kept(
    found: Found, made: tuple[Table, ...], browser: Browser | None, kept: Kept
) -> Iterator[str]:
    """Files of the last build that still hold, by their paths in the site."""
    for table in made:
        if table.name in kept.tables and table.standing.pairs:
            yield from pages_at(compared_at(table))
    for name in sorted(kept.tracks):
        yield from pages_at(f"tracks/{name}")
    for entry in found.entries:
        if entry.kept:
            yield from pages_of(entry)
    if browser is not None:
        yield from browser.kept


def _carry(old: Path, new: Path) -> None:
    """A page of the last build into this one; pages never change in place, so a link will do."""
    try:
        new.hardlink_to(old)
    except OSError:  # a file system without links
        shutil.copy2(old, new)


def pages_of(entry: Entry) -> list[str]:
    """The pages that an entry has to itself, by their paths in the site."""
    return pages_at(f"systems/{slug(entry)}")


def files(
    found: Found,
    bench: Bench,
    metrics: Mapping[str, Described],
    made: tuple[Table, ...],
    browser: Browser | None,
    abstained: Callable[[Entry], int] | None,
    old: Old,
) -> Iterator[tuple[str, bytes]]:
    """Every file of the site but the kept ones: its path inside, and its bytes."""
    yield MARK, b"A site written by `ivcr leaderboard build`, which may replace it.\n"
    yield "leaderboard.json", exports.board(found.entries)
    for ending in FORMATS:
        parts = [_export(table, ending, old) for table in made]
        yield f"leaderboard.{ending}", exports.joined(parts, ending)
        yield from zip((f"tables/{table.name}.{ending}" for table in made), parts, strict=True)
    pages = Pages(bench, browsing=browser is not None)
    for language in LANGUAGES:
        for path, data in _shared(pages, language, found, metrics, made, old):
            yield path + ENDINGS[language], data
    for entry in found.entries:
        if not entry.kept:
            empty = None if abstained is None else abstained(entry)
            yield from _of_entry(pages, entry, metrics, browser, empty)
    if browser is not None and not browser.kept:
        yield from dialogue_pages.files(pages, browser.source(), browser.entries)


def _export(table: Table, ending: str, old: Old) -> bytes:
    if table.name in old.kept.tables:
        return (old.folder / f"tables/{table.name}.{ending}").read_bytes()
    return EXPORTS[ending]([table])


def _of_entry(
    pages: Pages,
    entry: Entry,
    metrics: Mapping[str, Described],
    browser: Browser | None,
    abstained: int | None,
) -> Iterator[tuple[str, bytes]]:
    shown = system_pages.headlines(entry, metrics)
    own = {
        "abstained": abstained,
        "hardest": [] if browser is None else browser.hardest(entry),
        "overlaps": [] if browser is None else browser.overlaps(entry),
        "heats": [] if browser is None else browser.heats(entry, shown),
        "at_risk": [] if browser is None else browser.at_risk(entry),
    }
    path = f"systems/{slug(entry)}"
    for language in LANGUAGES:
        view = system_pages.view(entry, pages.bench, metrics, Words(language))
        data = pages.render("system.html", path, language, **own, **view)
        yield path + ENDINGS[language], data


def _shared(
    pages: Pages,
    language: str,
    found: Found,
    metrics: Mapping[str, Described],
    made: tuple[Table, ...],
    old: Old,
) -> Iterator[tuple[str, bytes]]:
    """The pages that all entries share, but for those of tracks and tables that hold."""
    tracks = _by_track(made)
    floors = sum(entry.floor for entry in found.entries)
    public = pages.bench.labels == "public"
    values = {
        "tracks": list(tracks.items()),
        "systems": len(found.entries) - floors,
        "floors": floors,
        "reported": found.reported,
        "refused": found.refused,
        "notes": ["floor", "interval", "apart", *(["public"] if public else [])],
    }
    yield "index", pages.render("index.html", "index", language, **values)
    used = {name: [t.name for t in tracks if name in t.metrics] for name in metrics}
    shown = {"metrics": list(metrics.values()), "used": used}
    yield "metrics", pages.render("metrics.html", "metrics", language, **shown)
    for track, group in tracks.items():
        if track.name not in old.kept.tracks:
            path = f"tracks/{track.name}"
            sections = {table.name: old.section(table, language) for table in group}
            parts = {"track": track, "tables": group, "sections": sections}
            yield path, pages.render("track.html", path, language, **parts)
    for table in made:
        if table.name not in old.kept.tables:
            yield from compare_pages.pages_of(table, pages, language)


def _by_track(made: tuple[Table, ...]) -> dict[Track, list[Table]]:
    groups: dict[Track, list[Table]] = {}
    for table in made:
        groups.setdefault(table.track, []).append(table)
    return groups


@contextmanager
def _replacing(out: Path) -> Iterator[Path]:
    """A new folder beside `out` that takes its place only if the block succeeds."""
    _refuse_strange(out)
    beside = out.with_name(f".{out.name}.{os.getpid()}.part")
    old = out.with_name(f".{out.name}.{os.getpid()}.old")
    try:
        beside.mkdir()
        yield beside
        if out.exists():
            out.rename(old)
        try:
            beside.rename(out)
        except OSError:
            if old.exists():
                old.rename(out)
            raise
    except OSError as error:
        raise EnvironmentFailure(f"{out}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _refuse_strange(out: Path) -> None:
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise WrongUsageError(f"{out}: expected a folder or nothing; name another --out")
    if out.is_dir() and not (out / MARK).is_file() and any(out.iterdir()):
        raise WrongUsageError(
            f"{out}: holds files, and no site of ours (no {MARK}), so it is not replaced;"
            " name another --out or empty it"
        )
