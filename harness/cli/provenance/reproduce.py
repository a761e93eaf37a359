"""ivcr reproduce: a row of the board made again, and compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import cache_option, show_note
from harness.errors import extras

if TYPE_CHECKING:
    from baselines.reproduction.reproduction import ReproducedRun


@click.command()
@click.argument("run", metavar="TEAM/RUN")
@click.option("--submissions", default="submissions", show_default=True,
              type=click.Path(path_type=Path), help="The folder of all submissions.")  # fmt: skip
@click.option("--benchmark", required=True, type=click.Path(path_type=Path), help="The benchmark.")
@click.option("--check", is_flag=True, help="Compare the predictions with the row's.")
@click.option("--at-commit", is_flag=True, help="With the code of the commit that the row names.")
@click.option("--out", type=click.Path(path_type=Path), help="Keep the new run in this folder.")
@click.option("--trained", multiple=True, type=click.Path(path_type=Path), metavar="FOLDER",
              help="A folder of trained weights, features or a text encoder, which the row was "
                   "made with; may be repeated.")  # fmt: skip
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE",
              help="A setting that no answer depends on, such as a server's url.")  # fmt: skip
@cache_option
def reproduce(
    run: str,
    submissions: Path,
    benchmark: Path,
    check: bool,
    at_commit: bool,
    out: Path | None,
    trained: tuple[Path, ...],
    assignments: tuple[str, ...],
    cache: Path,
) -> None:
    """Make the run TEAM/RUN of one of the project's baselines again, from its card and run.json.

    floors/NAME/HISTORY names a floor of the benchmark. --check says "exact" (the same bytes),
    "within tolerance" or the first turn that differs, and where code, libraries, threads or
    trained weights differ. Exits with 1 if a turn differs. docs/reproducing.md says more.
    """
    from baselines.reproduction.recorded_run import run_folder
    from baselines.reproduction.reproduction import reproduce as make_again
    from baselines.running.run_config import RunContext
    from harness.benchmark import Benchmark
    from harness.cli.progress import bar
    from harness.replacement import temporary_folder

    _require_purpose(check, out)
    folder = run_folder(run, submissions, benchmark)
    with extras(run), temporary_folder() as scratch, bar(run, "turns") as progress:
        made = make_again(
            folder, Benchmark(benchmark).checked(), out or scratch / "again", trained=trained,
            at_commit=at_commit, assignments=assignments, context=RunContext(cache, show_note),
            progress=progress,
        )  # fmt: skip
        for line in made.differences():
            click.echo(line)
        if check:
            _report(run, made)
    if out is not None:
        click.echo(str(out))


def _require_purpose(check: bool, out: Path | None) -> None:
    from harness.errors import WrongUsageError

    if out is None and not check:
        raise WrongUsageError("expected --check, or --out for a run that is kept, or both")


def _report(run: str, made: ReproducedRun) -> None:
    """Show how the predictions agree. Raises SubmissionError if a turn differs."""
    from baselines.reproduction.first_difference import STATED, TOLERANCE
    from harness.errors import SubmissionError
    from harness.files import canonical, shown

    found = made.verdict()
    if found.kind == "exact":
        click.echo(f"exact: the predictions of all {found.turns:,} turns have the same bytes")
    elif found.kind == "within tolerance":
        click.echo(
            f"within tolerance ({STATED}): {found.moved:,} of {found.turns:,} turns have other "
            f"bytes, their moments are at most {found.most} ms apart"
        )
    elif (first := found.first) is not None:
        place = f"{shown(first.dialogue_id)}, turn {first.turn}, {first.part}"
        click.echo(f"differs first in dialogue {place}")
        click.echo(f"  recorded: {shown(canonical(first.recorded).decode(), 400)[1:-1]}")
        click.echo(f"  now:      {shown(canonical(first.again).decode(), 400)[1:-1]}")
        raise SubmissionError(
            f"{run}: {found.unlike:,} of {found.turns:,} turns differ beyond the tolerance of "
            f"{TOLERANCE} ms; the lines above say what else differs"
        )
