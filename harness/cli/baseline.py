"""ivcr baseline: list, run and train the project's own systems."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import SHARD, cache_option, extras, resumable, whole_line
from harness.cli.training import train
from harness.records import HISTORIES, History

if TYPE_CHECKING:
    from collections.abc import Mapping

    from baselines.running.parallel import JournalStore
    from baselines.running.runner import RunConfig, RunContext, Shard
    from harness.benchmark import Benchmark


@click.group()
def baseline() -> None:
    """The project's own systems: floors, retrievers, localisers, assistants."""


@baseline.command("list")
def list_() -> None:
    """Show all baselines: name, kind, histories, use of candidates, what they do.

    Those that `ivcr baseline train` trains end with [trains].
    """
    from baselines.registry import all_baselines

    for entry in all_baselines():
        histories = ",".join(entry.about.histories)
        trains = " [trains]" if entry.about.trains else ""
        click.echo(
            f"{entry.name:<20} {entry.kind:<10} {histories:<19} candidates "
            f"{entry.about.candidates:<7} {entry.summary}{trains}"
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
@click.option("--processes", default=1, show_default=True, type=click.IntRange(min=1),
              help="Processes that share the dialogues.")  # fmt: skip
@click.option("--shard", type=SHARD, metavar="K/N",
              help="Answer share K of N alone; --processes N then puts all together.")  # fmt: skip
@cache_option
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
    processes: int,
    shard: tuple[int, int] | None,
    cache: Path,
) -> None:
    """Answer a split with the baseline NAME and write the submission; or run all --floors.

    Floors go to BENCHMARK/floors/<name>/<history>, for all histories unless one is given. A run
    that is cut off keeps what it has answered in OUT.run; the same command goes on from there.
    """
    from baselines.registry import find
    from baselines.running.parallel import JournalStore
    from baselines.running.runner import RunConfig, RunContext, Shard
    from harness.benchmark import Benchmark
    from harness.errors import WrongUsageError

    if floors:
        if name is not None or out is not None or assignments or pair:
            raise WrongUsageError("--floors runs all floors: no NAME, --out, --set or --pair")
        run_floors(Benchmark(benchmark).checked(), history, split, seed)
        return
    if name is None or history is None or out is None:
        raise WrongUsageError("expected NAME, --history and --out (or --floors alone)")
    plan = RunConfig(find(name), history, assignments, split, seed)
    kept, around = JournalStore(out), RunContext(cache, whole_line)
    if not kept.folder.exists() and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise WrongUsageError(f"{out}: is not an empty folder; remove it or name another --out")
    again = f"{kept.folder}: keeps what was answered; the same command goes on from there"
    with extras(name), resumable(again):
        found = Benchmark(benchmark).checked()
        if shard is not None:
            answer_shard(plan, found, kept, Shard(shard[0] - 1, shard[1]), around)
            click.echo(str(kept.folder))
        else:
            run_one(plan, found, out, pair, processes=processes, around=around)
            click.echo(str(out))


baseline.add_command(train)


def run_one(
    plan: RunConfig,
    benchmark: Benchmark,
    out: Path,
    pair: str | None = None,
    *,
    processes: int = 1,
    around: RunContext | None = None,
) -> None:
    """Run one baseline and write its submission to `out`; `pair` goes to its card.

    What is answered is kept beside `out` until the submission stands; the same run goes on from it.
    """
    from msgspec.structs import replace

    from baselines.base import MILLISECONDS
    from baselines.running.parallel import JournalStore, answer_all, merge_shards
    from baselines.running.provenance import RECORD, TIMING, with_cost
    from baselines.running.runner import RunContext, start
    from harness.cli.progress import bar
    from harness.files import readable
    from harness.files import write as write_file
    from harness.submission import write

    around, kept = around or RunContext(), JournalStore(out)
    run = start(plan, benchmark, around)
    with bar(f"{plan.entry.name}, history {plan.history}", unit="turns") as progress:
        answer_all(plan, run, kept, processes, benchmark, around, progress)
    for half_written in out.glob(".*.part"):
        half_written.unlink()
    usage = kept.usage(processes)
    card, record = with_cost(run.card, run.record, run.baseline, usage)
    write(out, replace(card, pair=pair), merge_shards(run, kept, processes))
    write_file(out / RECORD, readable(record))
    if MILLISECONDS in usage:
        # Beside run.json and not in it: the same run gives the same run.json.
        timing = {"schema": 1, MILLISECONDS: usage[MILLISECONDS]}
        write_file(out / TIMING, readable(timing))
    if card.cost is not None:
        around.note(f"{plan.entry.name}: {told_of(usage)}")
    kept.remove()


def told_of(usage: Mapping[str, int]) -> str:
    """What was usage, in one line."""
    return ", ".join(f"{name} {usage[name]:,}" for name in sorted(usage))


def answer_shard(
    plan: RunConfig, benchmark: Benchmark, kept: JournalStore, share: Shard, around: RunContext
) -> None:
    """Answer one share of a run, on this machine; nothing is put together."""
    from baselines.running.parallel import answer_shard
    from baselines.running.runner import start
    from harness.cli.progress import bar

    run = start(plan, benchmark, around)
    with bar(f"{plan.entry.name}, share {share.number + 1} of {share.of}", "turns") as progress:
        answer_shard(run, kept, share, progress)


def run_floors(benchmark: Benchmark, only: History | None, split: str, seed: int) -> None:
    """Run and score every floor under every history that the benchmark allows; note the others."""
    from baselines.base import MissingInputError
    from baselines.registry import all_baselines
    from baselines.running.runner import RunConfig
    from harness.cli.scoring import score_one

    for entry in all_baselines():
        for history in entry.about.histories:
            if entry.kind != "floor" or only not in (None, history):
                continue
            out = benchmark.folder / "floors" / entry.name / history
            _emptied(out)
            try:
                run_one(RunConfig(entry, history, (), split, seed), benchmark, out)
                score_one(out, benchmark, split)
                click.echo(str(out))
            except MissingInputError as error:
                click.echo(f"{entry.name}, history {history}: skipped: {error}", err=True)


def _emptied(folder: Path) -> None:
    """Remove what an earlier run left, its scores and what it had answered too."""
    import shutil

    from baselines.running.parallel import JournalStore
    from harness.errors import EnvironmentFailure

    try:
        for left in (folder, JournalStore(folder).folder):
            if left.exists():
                shutil.rmtree(left)
    except OSError as error:
        raise EnvironmentFailure(f"{folder}: cannot be removed: {error.strerror}") from error
