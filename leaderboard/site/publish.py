"""Building a site from submissions: read, rank, write, and remember what was written."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path
from typing import NamedTuple

from harness.errors import WrongUsageError
from leaderboard.board.build_ledger import (
    BuildLedger,
    build_context,
    read_ledger,
    unchanged_entries,
    unchanged_files,
)
from leaderboard.board.entries import EntryReader, folder_of
from leaderboard.board.records import Entry, Refusal
from leaderboard.results.board_split import BoardSplit
from leaderboard.results.description import describe_metrics
from leaderboard.site import builder
from leaderboard.site.builder import BuildSummary, SiteContents
from leaderboard.site.dialogue_pages import DialogueBrowser, leading_entries
from leaderboard.site.ledger_writing import unchanged_tables, write_ledger
from leaderboard.tables.ranked_table import Table, tables
from leaderboard.tables.ranks import with_standings


class PublishedSite(NamedTuple):
    """What was built, and which folders are not shown."""

    summary: BuildSummary
    refused: tuple[Refusal, ...]

    def __str__(self) -> str:
        folder, made, runs, floors = self.summary
        return (
            f"{folder / 'index.html'}: {made} tables, {runs} runs, {floors} floors,"
            f" {len(self.refused)} refused"
        )


def build_site(
    submissions: Path,
    benchmark: Path,
    out: Path,
    *,
    split: str = "test",
    organizers: Collection[str] = (),
) -> PublishedSite:
    """Build the site of a benchmark's split from <team>/<run>/ folders and the floors.

    `submissions`, `benchmark` and `out` are folders; `organizers`: the folders of teams whose runs
    the organizers made. What did not change since the last build to `out` is not read again. Raises
    EnvironmentFailure if a folder is absent or `out` cannot be written, WrongUsageError if `out`
    holds something else than a site or lies in `submissions`.
    """
    board, metrics = BoardSplit(benchmark, split), describe_metrics()
    if Path(os.path.realpath(out)).is_relative_to(os.path.realpath(submissions)):
        raise WrongUsageError(
            f"{out}: lies in the folder of the submissions, where it would be taken for a team's; "
            "name another --out"
        )
    context = build_context(board.bench, metrics, organizers)
    ledger = read_ledger(out, context)
    known = unchanged_entries(ledger, out)
    reader = EntryReader(board.bench, metrics, board.sha256, organizers, known)
    contents = reader.collect(submissions)

    def where(entry: Entry) -> Path:
        return folder_of(entry, submissions, board.bench)

    ranked = with_standings(
        tables(contents.entries, metrics),
        where,
        board.design,
        {} if ledger is None else ledger.standings,
        pairs=board.bench.labels == "public",
    )
    site = SiteContents(
        contents,
        board.bench,
        metrics,
        ranked,
        browser=_browser(board, ranked, where, ledger, out),
        abstentions=lambda entry: board.abstentions(where(entry)),
        unchanged=unchanged_tables(ledger, ranked, out),
    )
    summary = builder.build(site, out)
    _remember(site, out, context)
    return PublishedSite(summary, contents.refused)


def _browser(
    board: BoardSplit,
    ranked: tuple[Table, ...],
    where: Callable[[Entry], Path],
    ledger: BuildLedger | None,
    out: Path,
) -> DialogueBrowser | None:
    """The dialogue browser; hidden labels allow none."""
    if board.bench.labels == "hidden":
        return None
    browser = DialogueBrowser(cache(board.dialogues), leading_entries(ranked), where)
    group = None if ledger is None else ledger.dialogues
    return browser._replace(unchanged=unchanged_files(group, browser.digest, out))


def _remember(site: SiteContents, out: Path, context: str) -> None:
    pages = [(entry, builder.entry_pages(entry)) for entry in site.board.entries]
    write_ledger(out, context, pages, site.tables, site.browser)
