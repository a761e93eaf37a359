"""ivcr baseline: list, run and train the project's own systems."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.records import HISTORIES, History

if TYPE_CHECKING:
    from baselines.runner import Plan
    from harness.benchmark import Benchmark


@click.group()
def baseline() -> None:
    """The project's own systems: floors, retrievers, localisers, assistants."""


@baseline.command("list")
def list_() -> None:
    """Show all baselines: name, kind, histories, use of candidates, what they do."""
    from baselines.catalogue import catalogue

    for entry in catalogue():
        histories = ",".join(entry.about.histories)
        click.echo(
            f"{entry.name:<20} {entry.kind:<10} {histories:<19} candidates "
            f"{entry.about.candidates:<7} {entry.summary}"
        )


@baseline.command()
@click.argument("name", required=False)
@click.option("--floors", is_flag=True, help="Run all floors, into the benchmark folder.")
@click.option("--benchmark", required=True, type=click.Path(path_type=Path), help="The benchmark.")
@click.option("--history", type=click.Choice(HISTORIES), help="What is shown of earlier turns.")
@click.option("--out", type=click.Path(path_type=Path), help="The submission folder to make.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="A setting.")
@click.option("--pair", metavar="RUN", help="The run that differs from this one in history alone.")
@click.option("--split", default="test", show_default=True, help="The split to answer.")
@click.option("--seed", default=0, show_default=True, help="For baselines that draw at random.")
def run(
    name: str | None,
    floors: bool,
    benchmark: Path,
    history: History | None,
    out: Path | None,
    assignments: tuple[str, ...],
    pair: str | None,
    split: str,
    seed: int,
) -> None:
    """Answer a split with the baseline NAME and write the submission; or run all --floors.

    Floors go to BENCHMARK/floors/<name>/<history>, for all histories unless one is given.
    """
    from baselines.catalogue import find
    from baselines.runner import Plan
    from harness.benchmark import Benchmark
    from harness.errors import WrongUsageError

    if floors:
        if name is not None or out is not None or assignments or pair:
            raise WrongUsageError("--floors runs all floors: no NAME, --out, --set or --pair")
        run_floors(Benchmark(benchmark).checked(), history, split, seed)
        return
    if name is None or history is None or out is None:
        raise WrongUsageError("expected NAME, --history and --out (or --floors alone)")
    plan = Plan(find(name), history, assignments, split, seed)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise WrongUsageError(f"{out}: is not an empty folder; remove it or name another --out")
    run_one(plan, Benchmark(benchmark).checked(), out, pair)
    click.echo(str(out))


@baseline.command()
@click.argument("name")
def train(name: str) -> None:
    """Train the baseline NAME."""
    from baselines.catalogue import find
    from harness.errors import WrongUsageError

    entry = find(name)
    raise WrongUsageError(
        f"{entry.name} has nothing to train; run it as it is: `ivcr baseline run {entry.name}`"
    )


def run_one(plan: Plan, benchmark: Benchmark, out: Path, pair: str | None = None) -> None:
    """Run one baseline and write its submission to `out`; `pair` goes to its card."""
    from msgspec.structs import replace

    from baselines.runner import start
    from harness.cli.progress import bar
    from harness.submission import write

    made = start(plan, benchmark)
    with bar(f"{plan.entry.name}, history {plan.history}", unit="turns") as progress:
        write(out, replace(made.card, pair=pair), made.predictions(progress))


def run_floors(benchmark: Benchmark, only: History | None, split: str, seed: int) -> None:
    """Run and score every floor under every history that the benchmark allows; note the others."""
    from baselines.catalogue import catalogue
    from baselines.protocol import MissingInputError
    from baselines.runner import Plan
    from harness.cli.scoring import score_one

    for entry in catalogue():
        for history in entry.about.histories:
            if entry.kind != "floor" or only not in (None, history):
                continue
            out = benchmark.folder / "floors" / entry.name / history
            _emptied(out)
            try:
                run_one(Plan(entry, history, (), split, seed), benchmark, out)
                score_one(out, benchmark, split)
                click.echo(str(out))
            except MissingInputError as error:
                click.echo(f"{entry.name}, history {history}: skipped: {error}", err=True)


def _emptied(folder: Path) -> None:
    """Remove what an earlier run left, its scores too."""
    import shutil

    from harness.errors import EnvironmentFailure

    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise EnvironmentFailure(f"{folder}: cannot be removed: {error.strerror}") from error
