"""Building the site: every page and export into a folder beside, which then takes its place."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from harness.errors import WrongUsageError
from harness.replacement import replaced_folder
from leaderboard.board.records import BoardContents, Entry
from leaderboard.results.description import Bench, MetricInfo
from leaderboard.site import compare_pages, dialogue_pages, exports, system_pages
from leaderboard.site.dialogue_pages import DialogueBrowser
from leaderboard.site.feeds import machine_files
from leaderboard.site.feeds.embed import PAGE, embed_page
from leaderboard.site.front.front_page import FrontPage
from leaderboard.site.frozen.carrying import carry_frozen, frozen_boards, link_or_copy
from leaderboard.site.frozen.manifest import FOLDER, MANIFEST, FrozenBoard
from leaderboard.site.frozen.site_lock import locked_site
from leaderboard.site.pages import Pages, ledger_mark
from leaderboard.site.site_paths import (
    ENDINGS,
    FORMATS,
    hub_files,
    pages_at,
    slug,
    system_document_file,
    table_files,
    track_page,
)
from leaderboard.site.wording import LANGUAGES, Words
from leaderboard.tables.ranked_table import Table, by_track

MARK = "ivcr-leaderboard-site"  # says that a folder is ours to replace
EXPORTS = dict(zip(FORMATS, (exports.csv, exports.markdown, exports.latex), strict=True))


class BuildSummary(NamedTuple):
    """What was built: where, how many tables, how many rows of runs and of floors."""

    folder: Path
    tables: int
    runs: int
    floors: int


class SiteContents(NamedTuple):
    """All that the files of a site are made from.

    `tables`: those of `board`; `browser`: the dialogue browser, None to leave it out;
    `unchanged`: the names of tables, and the places of track pages, whose files of the last build
    still hold; `last_mark`: how far the ledger had gone then, as its pages say it; `scorer`: the
    version of what computed the figures; `frozen`: the frozen boards that the site has.
    """

    board: BoardContents
    bench: Bench
    metrics: Mapping[str, MetricInfo]
    tables: tuple[Table, ...]
    browser: DialogueBrowser | None = None
    unchanged: Collection[str] = ()
    last_mark: str = ""
    scorer: str = ""
    frozen: tuple[FrozenBoard, ...] = ()


def build(contents: SiteContents, out: Path) -> BuildSummary:
    """Write the whole site to `out`, replacing a site of ours that is there.

    Same input, same bytes. The frozen boards in `out` are carried over and listed. Raises
    WrongUsageError if `out` is something else than a site of ours or a folder without other files
    than frozen boards, SubmissionError if one of these has lost its manifest's form,
    EnvironmentFailure if `out` cannot be written; `out` is then as it was.
    """
    entries = contents.board.entries
    _refuse_other_folder(out)
    with locked_site(out), replaced_folder(out) as folder:
        contents = contents._replace(frozen=frozen_boards(out))
        for path, data in files(contents):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        marks = contents.last_mark.encode(), ledger_mark(contents.board.mark).encode()
        for path in _unchanged(contents):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.endswith(".html") and marks[0] and marks[0] != marks[1]:
                target.write_bytes((out / path).read_bytes().replace(*marks))
            else:
                link_or_copy(out / path, target)
        _join(folder, contents.tables)
        carry_frozen(out, folder)
    floors = sum(entry.floor for entry in entries)
    return BuildSummary(out, len(contents.tables), len(entries) - floors, floors)


def _unchanged(contents: SiteContents) -> Iterator[str]:
    """Files of the last build that still hold, by their paths in the site."""
    for table in contents.tables:
        if table.name in contents.unchanged:
            yield from table_files(table)
    for track in by_track(contents.tables):
        if track_page(track) in contents.unchanged:
            yield from pages_at(track_page(track))
    for entry in contents.board.entries:
        if entry.unchanged:
            yield from entry_pages(entry)
    if contents.browser is not None:
        yield from contents.browser.unchanged or contents.browser.strips


def _join(folder: Path, made: tuple[Table, ...]) -> None:
    """The exports of all tables in one file a format, from those of single tables."""
    for ending in FORMATS:
        parts = [(folder / f"tables/{table.name}.{ending}").read_bytes() for table in made]
        (folder / f"leaderboard.{ending}").write_bytes(exports.join_exports(parts, ending))


def entry_pages(entry: Entry) -> list[str]:
    """The pages and files that an entry has to itself, by their paths in the site."""
    pages = pages_at(f"systems/{slug(entry)}")
    return [*pages, system_document_file(entry), *hub_files(entry)]


def files(contents: SiteContents) -> Iterator[tuple[str, bytes]]:
    """The files of the site that this build makes: path inside, and bytes."""
    board, browser = contents.board, contents.browser
    yield MARK, b"A site written by `ivcr leaderboard build`, which may replace it.\n"
    yield "leaderboard.json", exports.board(board.entries)
    if board.withdrawn:
        yield "withdrawn.csv", exports.withdrawn(board.withdrawn)
    pages = Pages(contents.bench, browsing=browser is not None, mark=ledger_mark(board.mark))
    for table in contents.tables:
        if table.name not in contents.unchanged:
            yield from _of_table(pages, table)
    front = FrontPage(board, contents.tables, contents.metrics, browser, contents.frozen)
    for language in LANGUAGES:
        for path, data in (*front.files(pages, language), *_shared(pages, language, contents)):
            yield path + ENDINGS[language], data
        title = board.about.title if board.about else f"{pages.bench.name} {pages.bench.split}"
        yield PAGE + ENDINGS[language], embed_page(pages, language, front.overview, title)
    columns = front.overview.tables
    yield from machine_files.shared_files(
        board, contents.bench, contents.metrics, contents.tables, columns, contents.scorer
    )
    for entry in board.entries:
        if not entry.unchanged:
            yield from _of_entry(pages, entry, contents)
    if browser is not None and not browser.unchanged:
        yield from dialogue_pages.files(pages, browser)


def _of_table(pages: Pages, table: Table) -> Iterator[tuple[str, bytes]]:
    for ending, export in EXPORTS.items():
        yield f"tables/{table.name}.{ending}", export([table])
    yield from machine_files.table_files_for_programs(table)
    for language in LANGUAGES:
        for path, data in compare_pages.pages_of(table, pages, language):
            yield path + ENDINGS[language], data


def _of_entry(pages: Pages, entry: Entry, contents: SiteContents) -> Iterator[tuple[str, bytes]]:
    browser = contents.browser
    headlines = system_pages.headlines(entry, contents.metrics)
    own = {
        "abstained": entry.abstentions,
        "hardest": [] if browser is None else browser.hardest(entry),
        "overlaps": [] if browser is None else browser.overlaps(entry),
        "heatmaps": [] if browser is None else browser.heatmaps(entry, headlines),
        "at_risk": [] if browser is None else browser.at_risk(entry),
    }
    path = f"systems/{slug(entry)}"
    for language in LANGUAGES:
        view = system_pages.view(entry, pages.bench, contents.metrics, own, Words(language))
        yield path + ENDINGS[language], pages.render("system.html", path, language, **view)
    provider = contents.board.about.provider if contents.board.about else ""
    yield from machine_files.entry_files_for_programs(
        entry, contents.bench, contents.metrics, provider
    )


def _shared(pages: Pages, language: str, contents: SiteContents) -> Iterator[tuple[str, bytes]]:
    """The pages that all entries share besides the front page: metrics, tracks."""
    tracks = by_track(contents.tables)
    used = {name: [t.name for t in tracks if name in t.metrics] for name in contents.metrics}
    shown = {"metrics": list(contents.metrics.values()), "used": used}
    yield "metrics", pages.render("metrics.html", "metrics", language, **shown)
    for track, group in tracks.items():
        if (path := track_page(track)) in contents.unchanged:
            continue
        yield path, pages.render("track.html", path, language, track=track, tables=group)


def _refuse_other_folder(out: Path) -> None:
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise WrongUsageError(f"{out}: expected a folder or nothing; name another --out")
    if (out / MANIFEST).is_file():
        raise WrongUsageError(
            f"{out}: is a frozen board, which does not change; name another --out"
        )
    others = {path.name for path in out.iterdir()} - {FOLDER} if out.is_dir() else set()
    if others and not (out / MARK).is_file():
        raise WrongUsageError(
            f"{out}: holds files, and no site of ours (no {MARK}), so it is not replaced;"
            " name another --out or empty it"
        )
