"""ivcr intake: judge, score and tell what is new among the submissions of a challenge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.challenge.challenge_file import Phase
    from harness.challenge.intake import BoardRanks, IntakeSettings


@click.command()
@click.argument("submissions", type=click.Path(path_type=Path), metavar="SUBMISSIONS")
@click.option("--benchmark", required=True, type=click.Path(path_type=Path), help="The benchmark.")
@click.option(
    "--results",
    type=click.Path(path_type=Path),
    help="The results folder; by default SUBMISSIONS.results. To be named where labels are hidden.",
)
@click.option(
    "--receipts",
    type=click.Path(path_type=Path),
    help="Where receipts go; by default SUBMISSIONS.receipts.",
)
@click.option("--processes", type=click.IntRange(1), help="By default one a core.")
@click.option("--rescore", is_flag=True, help="Score every accepted run again; needs --why.")
@click.option("--why", metavar="TEXT", help="The reason to score again, for the public ledger.")
@click.option("--dry-run", is_flag=True, help="Write neither the ledger nor receipts.")
def intake(
    submissions: Path,
    benchmark: Path,
    results: Path | None,
    receipts: Path | None,
    processes: int | None,
    rescore: bool,
    why: str | None,
    dry_run: bool,
) -> None:
    """Validate and score what is new in SUBMISSIONS/<team>/<run>/, and write the ledger.

    Phases, quotas and feedback are those of challenge.toml. Each run gets a receipt, as JSON and
    Markdown. What is invalid, or fails for a reason that is not its own, costs a team nothing. A
    killed intake is simply run again.
    \f
    Raises WrongUsageError for --rescore without --why.
    """
    from harness.challenge.intake import IntakeSettings
    from harness.cli.progress import bar
    from harness.errors import WrongUsageError
    from harness.files import sibling

    if rescore != (why is not None):
        raise WrongUsageError("--rescore and --why belong together")
    place = results or _default_results(submissions, benchmark)
    with bar("scoring", "runs") as advance:
        settings = IntakeSettings(
            submissions,
            benchmark,
            place,
            receipts or sibling(submissions, ".receipts"),
            processes,
            ranks=_ranks(submissions, benchmark, place),
            dry_run=dry_run,
            progress=advance,
        )
        _take_in(settings) if why is None else _score_again(settings, why)


def _take_in(settings: IntakeSettings) -> None:
    from harness.challenge.intake import intake as take_in
    from harness.errors import EnvironmentFailure
    from harness.files import shown

    report = take_in(settings)
    for note in report.notes:
        click.echo(shown(note, 600)[1:-1], err=True)
    for line in report.lines:
        if line.event in ("phase-opened", "phase-closed"):
            click.echo(f"{shown(line.why or '')[1:-1]}: {line.event.removeprefix('phase-')}")
    for each in report.decisions:
        phase = f" (phase {shown(each.arrival.phase.name)[1:-1]})" if each.arrival.phase else ""
        why = f": {shown(each.refusal.text, 600)[1:-1]}" if each.refusal else ""
        click.echo(f"{each.arrival.key}: {each.verdict}{phase}{why}")
    click.echo(f"{len(report.decisions):,} runs, {len(report.lines):,} lines of the ledger")
    waiting = sum(each.verdict == "waits" for each in report.decisions)
    if waiting:
        raise EnvironmentFailure(
            f"{waiting:,} accepted runs could not be scored for reasons that are not theirs; "
            "mend them and run the intake again"
        )


def _score_again(settings: IntakeSettings, why: str) -> None:
    from harness.challenge.intake import rescore
    from harness.files import shown

    report = rescore(settings, why)
    for note in report.notes:
        click.echo(shown(note, 600)[1:-1], err=True)
    for line in report.lines:
        click.echo(f"{line.key}: rescored")
    click.echo(f"{len(report.lines):,} runs scored again, {report.unchanged:,} were up to date")


def _ranks(submissions: Path, benchmark: Path, results: Path) -> BoardRanks:
    """The board's ranks, for receipts."""
    from harness.challenge.challenge_file import require_challenge
    from harness.challenge.intake import Ranks
    from leaderboard.tables.run_ranks import RunRanks

    made = RunRanks(submissions, benchmark, results)
    headline = require_challenge(submissions).headline

    def ranks(phase: Phase, results: Mapping[str, str]) -> dict[str, Ranks]:
        found = made(phase.split, phase.history, results, headline.track if headline else None)
        return {key: Ranks(*span) for key, span in found.items()}

    return ranks


def _default_results(submissions: Path, benchmark: Path) -> Path:
    """Beside the submissions; not where labels are hidden, as results tell them."""
    from harness.benchmark import Benchmark
    from harness.errors import WrongUsageError
    from harness.files import sibling

    if Benchmark(benchmark).header.labels == "hidden":
        raise WrongUsageError(
            "labels are hidden, and results tell them: name a folder that nobody else reads with "
            "--results"
        )
    return sibling(submissions, ".results")
