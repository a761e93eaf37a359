"""Building a site from submissions: read, rank, write, and remember what was written."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from harness.errors import EnvironmentFailure, WrongUsageError
from harness.files import shown, sibling
from leaderboard.board.admission import read_admission
from leaderboard.board.build_ledger import (
    BuildLedger,
    build_context,
    read_ledger,
    unchanged_entries,
    unchanged_files,
)
from leaderboard.board.column_cache import ColumnCache, columns_path
from leaderboard.board.entries import EntryReader
from leaderboard.board.records import Differing, Entry, Refusal
from leaderboard.board.run_folders import folder_of
from leaderboard.results.board_split import BoardSplit
from leaderboard.results.computed import BoardResults, Progress
from leaderboard.results.description import describe_metrics
from leaderboard.site import builder
from leaderboard.site.builder import BuildSummary, SiteContents
from leaderboard.site.dialogue_pages import DialogueBrowser, leading_entries
from leaderboard.site.ledger_writing import unchanged_tables, write_ledger
from leaderboard.site.pages import ledger_mark
from leaderboard.tables.ranked_table import Table, tables
from leaderboard.tables.ranks import with_standings


class PublishedSite(NamedTuple):
    """What was built, which folders are not shown, and whose scores.json says something else.

    `pending`: how many accepted runs wait for their figures until a phase closes.
    """

    summary: BuildSummary
    refused: tuple[Refusal, ...]
    differing: tuple[Differing, ...]
    pending: int = 0

    def notes(self) -> Iterator[str]:
        """What the organizers should know, a line each, safe for a terminal."""
        for refusal in self.refused:
            what = "not scored" if refusal.fault else "refused"
            yield f"{what}: {shown(refusal.key)}: {shown(refusal.reason, 600)}"
        for key, lines in self.differing:
            # Values stand in quotes already, and the whole in none.
            text = "; ".join(shown(line, 300)[1:-1].replace('\\"', '"') for line in lines)
            yield f"its scores.json differs and does not count: {shown(key)}: {text}"

    def require_no_faults(self) -> None:
        """Raises EnvironmentFailure if a run could not be scored for a reason not its own."""
        if faults := [refusal for refusal in self.refused if refusal.fault]:
            raise EnvironmentFailure(
                f"{len(faults):,} submissions could not be scored, through no fault of theirs; the "
                "lines above say why, the others are on the board; build again once it is mended"
            )

    def __str__(self) -> str:
        folder, made, runs, floors = self.summary
        waiting = f", {self.pending} without figures until their phase closes"
        return (
            f"{folder / 'index.html'}: {made} tables, {runs} runs, {floors} floors,"
            f" {len(self.refused)} refused{waiting if self.pending else ''}"
        )


def build_site(
    submissions: Path,
    benchmark: Path,
    out: Path,
    *,
    split: str = "test",
    organizers: Collection[str] = (),
    results: Path | None = None,
    processes: int | None = None,
    progress: Progress = lambda done, total: None,
) -> PublishedSite:
    """Build the site of a benchmark's split from <team>/<run>/ folders and the floors.

    `submissions`, `benchmark` and `out` are folders; `organizers`: the folders of teams whose runs
    the organizers made; `results`: the folder of what was computed, by default OUT.results. What it
    lacks is scored, in so many `processes` (by default one a core). What did not change since the
    last build to `out` is not read again, and the frozen boards there stay. With a challenge.toml,
    the site shows what the ledger accepted; without one, every valid folder.

    Raises EnvironmentFailure if a folder is absent or `out` cannot be written, WrongUsageError if
    `out` holds something else than a site or lies in `submissions`, or `results` lies where it must
    not.
    """
    board, metrics = BoardSplit(benchmark, split), describe_metrics()
    _require_outside(out, submissions, "where it would be taken for a team's", "--out")
    place = _results_folder(results, submissions, out, hidden=board.bench.labels == "hidden")
    computed = BoardResults(
        board.benchmark,
        split,
        place,
        processes=processes,
        progress=progress,
    )
    admission = read_admission(submissions, board.bench)
    provider = admission.about.provider if admission else ""
    context = build_context(board.bench, metrics, organizers, computed.scorer, provider)
    ledger = read_ledger(out, context)
    known = unchanged_entries(ledger, out)
    reader = EntryReader(board.bench, metrics, computed, organizers, known, admission)
    contents = reader.collect(submissions)

    def outcomes_of(entry: Entry) -> Path:
        return computed.place(entry.result)

    columns = ColumnCache(columns_path(place, board.bench))
    ranked = with_standings(
        tables(contents.entries, metrics),
        outcomes_of,
        board.design,
        {} if ledger is None else ledger.standings,
        pairs=board.bench.labels == "public",
        columns=columns,
    )
    columns.save([entry.result for entry in contents.entries])
    site = SiteContents(
        contents,
        board.bench,
        metrics,
        ranked,
        browser=_browser(board, ranked, submissions, outcomes_of, ledger, out),
        unchanged=unchanged_tables(ledger, ranked, out),
        last_mark="" if ledger is None else ledger.mark,
        scorer=computed.scorer,
    )
    summary = builder.build(site, out)
    _remember(site, out, context)
    return PublishedSite(summary, contents.refused, contents.differing, len(contents.pending))


def _browser(
    board: BoardSplit,
    ranked: tuple[Table, ...],
    submissions: Path,
    outcomes_of: Callable[[Entry], Path],
    ledger: BuildLedger | None,
    out: Path,
) -> DialogueBrowser | None:
    """The dialogue browser; hidden labels allow none."""
    if board.bench.labels == "hidden":
        return None
    floors = board.bench.floors
    browser = DialogueBrowser(
        cache(board.dialogues),
        leading_entries(ranked),
        lambda entry: folder_of(entry.key, submissions, floors),
        outcomes_of,
        videos=board.videos_digest(),
    )
    group = None if ledger is None else ledger.dialogues
    strips = None if ledger is None else ledger.strips
    return browser._replace(
        unchanged=unchanged_files(group, browser.digest, out),
        strips=unchanged_files(strips, browser.videos, out),
    )


def _results_folder(results: Path | None, submissions: Path, out: Path, *, hidden: bool) -> Path:
    """Where results lie. Raises WrongUsageError if that is no place for them."""
    if results is None:
        if hidden:
            raise WrongUsageError(
                "labels are hidden, and results tell them: name a folder for them with --results, "
                f"outside {out} and {submissions}, that nobody else reads"
            )
        return sibling(out, ".results")
    for place in (submissions, out):
        _require_outside(results, place, "which others read or write", "--results")
    return results


def _require_outside(folder: Path, place: Path, why: str, option: str) -> None:
    if Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(place)):
        raise WrongUsageError(f"{folder}: lies in {place}, {why}; name another {option}")


def _remember(site: SiteContents, out: Path, context: str) -> None:
    pages = [(entry, builder.entry_pages(entry)) for entry in site.board.entries]
    write_ledger(out, context, pages, site.tables, site.browser, ledger_mark(site.board.mark))
