"""ivcr leaderboard: build the site, and verify the figures behind it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.benchmark import Benchmark
    from harness.statistics import Design
    from leaderboard.board.records import Bench, Described, Entry


@click.group()
def leaderboard() -> None:
    """Build the leaderboard from scored submissions, or verify its figures."""


@leaderboard.command()
@click.argument("submissions", type=click.Path(path_type=Path), metavar="SUBMISSIONS")
@click.option("--benchmark", required=True, type=click.Path(path_type=Path), help="The benchmark.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The site's folder.")
@click.option("--split", default="test", show_default=True, help="The split of the tables.")
@click.option(
    "--organizers",
    multiple=True,
    metavar="TEAM",
    help="A team folder whose runs the organizers made themselves; may be repeated.",
)
def build(
    submissions: Path, benchmark: Path, out: Path, split: str, organizers: tuple[str, ...]
) -> None:
    """Build the site from SUBMISSIONS/<team>/<run>/ and the benchmark's floors.

    A folder that does not hold together is refused with its reason, on the page and here; the
    others are shown. What did not change since the last build to the same folder is not read
    again: the ledger beside the site knows it.
    """
    from harness.benchmark import Benchmark

    click.echo(build_site(submissions, Benchmark(benchmark).checked(), out, split, organizers))


def build_site(
    submissions: Path,
    benchmark: Benchmark,
    out: Path,
    split: str = "test",
    organizers: tuple[str, ...] = (),
) -> str:
    """Build the site of a benchmark's split; what was built, as one line."""
    from functools import cache

    from harness.cli.dialogue_browser import source
    from harness.files import shown
    from leaderboard.board.entries import Reader, folder_of
    from leaderboard.site import build_ledger, builder
    from leaderboard.site.dialogue_pages import Browser, chosen
    from leaderboard.tables.ranks import with_standings
    from leaderboard.tables.table import tables

    described, bench = metrics(), bench_of(benchmark, split)
    context = build_ledger.context(bench, described, organizers)
    last = build_ledger.read(out, context)
    known = build_ledger.known(last, out)
    reader = Reader(bench, described, hashing(benchmark, split), organizers, known)
    found = reader.collect(submissions)
    for refusal in found.refused:
        click.echo(f"refused: {shown(refusal.key)}: {shown(refusal.reason, 600)}", err=True)

    def where(entry: Entry) -> Path:
        return folder_of(entry, submissions, bench)

    public = bench.labels == "public"
    made = with_standings(
        tables(found.entries, described),
        where,
        designing(benchmark, split),
        build_ledger.standings(last),
        pairs=public,
        columns=build_ledger.columns_of(out) if public else None,
    )
    browser = None
    if public:
        browser = Browser(cache(lambda: source(benchmark, split, where)), chosen(made), (), where)
        browser = browser._replace(kept=build_ledger.dialogues(last, browser.made_of, out))
    abstained = abstaining(benchmark, split, where)
    kept = build_ledger.kept(last, made, out)
    built = builder.build(found, bench, described, out, made, browser, abstained, kept)
    pages = [(entry, builder.pages_of(entry)) for entry in found.entries]
    build_ledger.keep(out, context, pages, made, browser)
    return (
        f"{built.folder / 'index.html'}: {built.tables} tables, {built.runs} runs,"
        f" {built.floors} floors, {len(found.refused)} refused"
    )


@leaderboard.command()
@click.argument("submissions", type=click.Path(path_type=Path), metavar="SUBMISSIONS")
@click.option("--benchmark", required=True, type=click.Path(path_type=Path), help="The benchmark.")
@click.option("--split", default="test", show_default=True, help="The split of the tables.")
def verify(submissions: Path, benchmark: Path, split: str) -> None:
    """Score every submission and floor again, and compare each figure with its scores.json.

    Outcomes turn by turn, which rank ranges rest on, are compared too, where they are there. Exits
    with 0 if all agree, with 1 if one does not.
    """
    from tempfile import TemporaryDirectory

    from harness import scoring
    from harness.benchmark import Benchmark
    from harness.errors import SubmissionError
    from harness.files import canonical, shown
    from leaderboard.board.entries import Reader, folder_of
    from leaderboard.board.outcomes import NAME
    from leaderboard.tables.verification import differences, outcome_differences

    opened = Benchmark(benchmark).checked()
    bench = bench_of(opened, split)
    found = Reader(bench, metrics(), hashing(opened, split)).collect(submissions)
    wrong = [f"{shown(row.key)}: {shown(row.reason, 600)}" for row in found.refused]
    for entry in found.entries:
        folder = folder_of(entry, submissions, bench)
        again = scoring.score(folder, opened, split, partial="partial:" in entry.scores.signature)
        unlike = differences(entry.scores, canonical(again.document))
        with TemporaryDirectory() as fresh:
            scoring.write_outcomes(again, Path(fresh) / NAME)
            unlike += outcome_differences(folder, Path(fresh), entry.scores)
        wrong += [f"{shown(entry.key)}: {line}" for line in unlike]
        click.echo(f"{shown(entry.key)}: {len(unlike)} differences")
    for line in wrong:
        click.echo(line, err=True)
    if wrong:
        raise SubmissionError(f"{submissions}: {len(wrong):,} disagreements; see above")
    click.echo(f"{len(found.entries)} scores.json agree with their predictions")


def metrics() -> dict[str, Described]:
    """The METRICS table as the leaderboard takes it."""
    from harness.metrics import METRICS
    from leaderboard.board.records import Described

    fields = Described._fields
    return {
        name: Described(*(getattr(metric, field) for field in fields))
        for name, metric in METRICS.items()
    }


def bench_of(benchmark: Benchmark, split: str) -> Bench:
    """A split of a benchmark as the leaderboard takes it."""
    from harness.errors import EnvironmentFailure
    from leaderboard.board.records import Bench

    header = benchmark.header
    if split not in header.splits or split not in header.gold_sha256:
        raise EnvironmentFailure(
            f"{benchmark.folder}: has no split {split!r} with gold; expected one of: "
            + ", ".join(header.splits)
        )
    return Bench(
        name=header.name,
        version=header.version,
        labels=header.labels,
        fingerprint=header.fingerprint,
        gold_sha256=header.gold_sha256[split],
        split=split,
        type_names=header.type_names,
        counts=header.splits[split],
        floors=benchmark.folder / "floors",
    )


def designing(benchmark: Benchmark, split: str) -> Callable[[], Design]:
    """What gives the design of a split: read once, when it is first asked for."""
    from functools import cache

    from harness.outcomes import frame
    from harness.scoring import design_of

    @cache
    def design() -> Design:
        sources = {name: video.source for name, video in benchmark.videos.items()}
        return design_of(frame(benchmark.split(split), benchmark.gold(split), sources))

    return design


def abstaining(
    benchmark: Benchmark, split: str, where: Callable[[Entry], Path]
) -> Callable[[Entry], int]:
    """What counts the turns in which an entry gave an empty answer; nothing private is opened."""
    from harness.validation import check

    return lambda entry: check(where(entry), benchmark, split).report.abstentions


def hashing(benchmark: Benchmark, split: str) -> Callable[[Path], str]:
    """What hashes a submission's folder: its card, then its uncompressed predictions."""
    from functools import partial

    from harness.validation.reading.folder import sha256

    return partial(sha256, turns=benchmark.header.splits[split]["turns"])
