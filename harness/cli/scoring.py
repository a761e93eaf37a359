"""ivcr score and ivcr metrics."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import processes_option

if TYPE_CHECKING:
    from harness.benchmark import Benchmark


@click.command()
@click.argument(
    "submissions", type=click.Path(path_type=Path), metavar="SUB...", nargs=-1, required=True
)
@click.option("--benchmark", required=True, type=click.Path(path_type=Path), help="The benchmark.")
@click.option("--split", default="test", show_default=True, help="The split to score.")
@click.option(
    "--protocol",
    type=click.Choice(["ivcr", "official"]),
    default="ivcr",
    show_default=True,
    help="Ours, or the published scorer, defect for defect.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="By default SUB/scores.json; SUB/scores.official.json for protocol official. With several "
    "SUB a folder: each has its scores in a folder of its own there, called as SUB is.",
)
@click.option(
    "--outcomes",
    type=click.Path(path_type=Path),
    help="Where per-turn outcomes go; by default beside the scores, if labels are public.",
)
@click.option("--partial", is_flag=True, help="Count missing turns as abstentions.")
@processes_option
def score(
    submissions: tuple[Path, ...],
    benchmark: Path,
    split: str,
    protocol: str,
    out: Path | None,
    outcomes: Path | None,
    partial: bool,
    processes: int | None,
) -> None:
    """Score submissions: every metric on every slice, with intervals.

    The headline figures are printed beside the best floor of the same kind; all figures go to
    scores.json. Protocol official also takes a result.json (plain or .gz) as SUB, with --out. Of
    several SUB one that cannot be scored stops no other: the command ends with 1 and names it.
    """
    from harness.benchmark import Benchmark
    from harness.cli.options import warn_of_hidden_labels

    where = Benchmark(benchmark)
    if protocol == "official":
        _refuse_options_of_ivcr(outcomes, partial)
    failed: list[str] = []
    if len(submissions) > 1:
        _refuse_outcomes_of_several(outcomes)
        failed = _score_several(submissions, where, split, protocol, out, partial, processes)
    elif protocol == "official":
        _score_officially(submissions[0], where, split, out)
    else:
        _score_one(submissions[0], where, split, out, outcomes, partial)
    warn_of_hidden_labels(where)
    _require_all(failed)


def _require_all(failed: list[str]) -> None:
    from harness.errors import SubmissionError

    if failed:
        raise SubmissionError(f"not scored, for the reasons above: {', '.join(failed)}")


def _score_one(
    submission: Path,
    benchmark: Benchmark,
    split: str,
    out: Path | None,
    outcomes: Path | None,
    partial: bool,
) -> None:
    from harness.scoring import score_to_files

    document, target = score_to_files(
        submission, benchmark, split, out=out, outcomes=outcomes, partial=partial
    )
    if not _show(document, target, benchmark):
        click.echo(no_floors(document, benchmark), err=True)


def _show(document: dict[str, Any], target: Path, benchmark: Benchmark) -> bool:
    """Print the headline figures; returns whether there is a floor beside them."""
    from harness.scoring import best_floors, summary

    floors = best_floors(benchmark.folder / "floors", document)
    for line in summary(document, floors):
        click.echo(line)
    click.echo(f"all figures: {target}")
    return bool(floors)


def _score_several(
    submissions: tuple[Path, ...],
    benchmark: Benchmark,
    split: str,
    protocol: str,
    out: Path | None,
    partial: bool,
    processes: int | None,
) -> list[str]:
    """Score each and show it under its name; returns those that could not be scored."""
    from harness.cli.options import shown_path, these_submissions
    from harness.cli.progress import counted
    from harness.results.bulk import NotScored, ScoringOrder, score_each

    folders = these_submissions(submissions)
    order = ScoringOrder(benchmark.folder, split, protocol == "official", partial, out)
    failed: list[str] = []
    scored = score_each(folders, order, processes=processes)
    for done in counted(scored, "scoring", "submissions", len(folders)):
        click.echo(f"{shown_path(done.submission)}:")
        if isinstance(done, NotScored):
            failed.append(shown_path(done.submission))
            click.echo("not scored")
            click.echo(f"ivcr: {done.reason}", err=True)
        elif order.official:
            _show_officially(done.document, done.place)
        else:
            _show(done.document, done.place, benchmark)
        click.echo()
    click.echo(f"{len(folders) - len(failed):,} of {len(folders):,} submissions scored")
    return failed


def _refuse_outcomes_of_several(outcomes: Path | None) -> None:
    from harness.errors import WrongUsageError

    if outcomes is not None:
        raise WrongUsageError(
            "--outcomes names the file of one SUB; score each by itself, or leave it out"
        )


def _refuse_options_of_ivcr(outcomes: Path | None, partial: bool) -> None:
    from harness.errors import WrongUsageError

    if outcomes is not None or partial:
        raise WrongUsageError(
            "--outcomes and --partial belong to protocol ivcr; leave them out, or leave "
            "`--protocol official` out"
        )


def _score_officially(submission: Path, benchmark: Benchmark, split: str, out: Path | None) -> None:
    """Score a result file or a submission by the published scorer and print the figures."""
    from harness.protocols.scores import score_result_to_file

    _show_officially(*score_result_to_file(submission, benchmark, split, out))


def _show_officially(document: dict[str, Any], target: Path) -> None:
    click.echo(document["signature"])
    for name, cell in document["metrics"]["all"].items():
        figure = (
            f"     —  {cell['why']}" if cell["value"] is None else f"{100 * cell['value']:8.4f}"
        )
        click.echo(f"{name:<14} {figure}  {cell['turns']:,} turns")
    click.echo(f"all figures: {target}")


def no_floors(document: dict[str, Any], benchmark: Benchmark) -> str:
    """The message where a benchmark has no floor of a document's kind."""
    kind, split = document["submission"], document["benchmark"]["split"]
    floors = benchmark.folder / "floors"
    step = f"`ivcr baseline run --floors {benchmark.options(split)}` makes them"
    if kind["history"] == "reference" and benchmark.reference(split) is None:
        step = "with hidden reference answers none can be made"
    elif floors.is_dir():
        step += " in place of those that are there"
    return (
        f"no floor to compare these figures with: {floors} has no scores for split {split}, history"
        f" {kind['history']}, candidates {kind['candidates']}; {step}"
    )


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown"]),
    default="text",
    show_default=True,
    help="For a terminal, or as the documentation page.",
)
def metrics(form: str) -> None:
    """List the metrics: formula, unit, range, what an abstention scores, source."""
    from harness.metrics.page import listing, page

    click.echo(page() if form == "markdown" else listing(), nl=form == "text")
