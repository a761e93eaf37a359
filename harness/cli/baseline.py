"""ivcr baseline: list, describe, run and train the project's own systems, and one's own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import SHARD, cache_option, config_option, resumable, show_note
from harness.cli.training import train
from harness.errors import extras
from harness.records import HISTORIES, History

if TYPE_CHECKING:
    from baselines.running.run_config import RunConfig, RunContext
    from baselines.running.runner import Progress
    from harness.api.exams import ExamPlace
    from harness.benchmark import Benchmark


@click.group()
def baseline() -> None:
    """The project's own systems: floors, retrievers, localisers, assistants."""


@baseline.command("list")
def list_() -> None:
    """Show all baselines: what each does, what it needs, and what training it needs."""
    from baselines.running.descriptions import overview

    for line in overview():
        click.echo(line)


@baseline.command()
@click.argument("name")
@config_option
def info(name: str, config: Path | None) -> None:
    """Describe the baseline NAME: what it does and needs, its settings, example commands.

    NAME may be the path of a .py file of your own.
    """
    from baselines.registry import find
    from baselines.running.config_file import read_config
    from baselines.running.descriptions import description

    entry = find(name)
    with extras(name):
        click.echo(description(entry, read_config(config, entry).settings if config else {}))


@baseline.command()
@click.argument("name", required=False)
@click.option("--floors", is_flag=True, help="Run all floors, into the benchmark folder.")
@click.option("--benchmark", required=True, type=click.Path(path_type=Path), help="The benchmark.")
@click.option("--history", type=click.Choice(HISTORIES), help="What is shown of earlier turns.")
@click.option("--out", type=click.Path(path_type=Path), help="The submission folder to make.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="A setting.")
@config_option
@click.option("--variant", metavar="TEXT", help="A label shown beside the system.")
@click.option("--team", metavar="NAME", help="The card's team; for a baseline of your own.")
@click.option("--pair", metavar="RUN", help="The same run with another history.")
@click.option("--split", default="test", show_default=True, help="The split to answer.")
@click.option("--seed", default=0, show_default=True, help="For baselines that draw at random.")
@click.option("--processes", default=1, show_default=True, type=click.IntRange(min=1),
              help="Processes that share the dialogues.")  # fmt: skip
@click.option("--threads", type=click.IntRange(min=1), show_default="OMP_NUM_THREADS, else all",
              help="Threads that each process computes with.")  # fmt: skip
@click.option("--shard", type=SHARD, metavar="K/N",
              help="Answer shard K of N alone; --processes N then merges all.")  # fmt: skip
@click.option(
    "--exam", metavar="URL", help="Answer an exam of the server at URL instead; needs --phase."
)
@click.option("--phase", metavar="NAME", help="The phase of the exam.")
@click.option("--attempt", default=1, show_default=True, type=click.IntRange(min=1),
              help="Another number opens another exam; the same one goes on.")  # fmt: skip
@click.option("--token-file", type=click.Path(path_type=Path), metavar="FILE",
              help="Holds the team's token; by default IVCR_TOKEN does.")  # fmt: skip
@cache_option
def run(
    name: str | None,
    floors: bool,
    benchmark: Path,
    history: History | None,
    out: Path | None,
    assignments: tuple[str, ...],
    config: Path | None,
    variant: str | None,
    team: str | None,
    pair: str | None,
    split: str,
    seed: int,
    processes: int,
    threads: int | None,
    shard: tuple[int, int] | None,
    exam: str | None,
    phase: str | None,
    attempt: int,
    token_file: Path | None,
    cache: Path,
) -> None:
    """Answer a split with the baseline NAME and write the submission; or run all --floors.

    NAME may be the path of a .py file of your own. Floors go to
    BENCHMARK/floors/<name>/<history>, for all histories unless one is given. A run that is cut off
    keeps its answers in OUT.run; the same command goes on from there.

    With --exam the turns come from a server, each after the answer to the one before; BENCHMARK is
    the organizers' copy without them, and an exam that is cut off goes on at the server.
    """
    from baselines.provenance.threads import usual_threads
    from baselines.registry import find
    from baselines.running.config_file import ConfigFile, read_config
    from baselines.running.parallel import JournalStore
    from baselines.running.run import run_baseline, run_shard
    from baselines.running.run_config import RunConfig, RunContext
    from baselines.running.runner import Shard
    from harness.benchmark import Benchmark
    from harness.cli.progress import bar

    if floors:
        _check_alone(name, out, assignments, config, variant, team, pair)
        run_and_score_floors(Benchmark(benchmark).checked(), history, split, seed)
        return
    name, history, out = _named(name, history, out)
    entry, journals = find(name), JournalStore(out).folder
    context = RunContext(cache, show_note, tuple(sys.argv[1:]))
    again = f"{journals}: keeps what was answered; the same command goes on from there"
    with extras(name), resumable(again):
        file = read_config(config, entry) if config else ConfigFile({})
        variant = variant if variant is not None else file.variant
        chosen = RunConfig(entry, history, assignments, split, seed, file.settings, variant,
                           threads or usual_threads(),
                           {} if team is None else {"team": team})  # fmt: skip
        public, made = Benchmark(benchmark).checked(), out
        if exam is not None:
            place = _exam_place(exam, phase, attempt, token_file, pair, shard, processes)
            with bar(f"{entry.name}, exam", "turns") as progress:
                _answer_exam(chosen, public, place, out, context, progress)
        elif shard is not None:
            part = Shard(shard[0] - 1, shard[1])
            with bar(f"{entry.name}, shard {shard[0]} of {shard[1]}", "turns") as progress:
                made = run_shard(chosen, public, out, part, context=context, progress=progress)
        else:
            with bar(f"{entry.name}, history {history}", "turns") as progress:
                run_baseline(chosen, public, out, pair=pair, processes=processes,
                             context=context, progress=progress)  # fmt: skip
        click.echo(str(made))


baseline.add_command(train)


def _exam_place(
    url: str, phase: str | None, attempt: int, token_file: Path | None, *others: object
) -> ExamPlace:
    """Where an exam is. Raises WrongUsageError, EnvironmentFailure if the file is absent."""
    import os

    from harness.api.exams import ExamPlace
    from harness.errors import EnvironmentFailure, WrongUsageError

    if phase is None:
        raise WrongUsageError("--exam: name the --phase too, as the organizers announce it")
    if [other for other in others if other not in (None, 1)]:
        raise WrongUsageError("--exam: a server shows the turns; no --pair, --shard, --processes")
    if token_file is None:
        token = os.environ.get("IVCR_TOKEN", "")
    else:
        try:
            token = token_file.read_text("utf-8")
        except OSError as error:
            raise EnvironmentFailure(f"{token_file}: cannot be read: {error.strerror}") from error
    if not token.strip():
        raise WrongUsageError("--exam: expected a token in IVCR_TOKEN or --token-file, found none")
    return ExamPlace(url, token.strip(), phase, attempt)


def _answer_exam(
    config: RunConfig,
    benchmark: Benchmark,
    place: ExamPlace,
    out: Path,
    context: RunContext,
    progress: Progress,
) -> None:
    from harness.api.exams import run_exam

    status = run_exam(config, benchmark, place, out, context=context, progress=progress)
    verified = "" if status["verified"] else ", not verified: this team was shown its turns before"
    click.echo(f"exam {status['exam']}: {status['state']}, run {status['run']}{verified}", err=True)


def _check_alone(*others: object) -> None:
    """Refuse --floors beside what names one baseline."""
    from harness.errors import WrongUsageError

    if any(others):
        raise WrongUsageError(
            "--floors runs all floors: no NAME, --out, --set, --config, --variant, --team or --pair"
        )


def _named(
    name: str | None, history: History | None, out: Path | None
) -> tuple[str, History, Path]:
    """What a run of one baseline cannot do without."""
    from harness.errors import WrongUsageError

    if name is None or history is None or out is None:
        given = {"NAME": name, "--history": history, "--out": out}
        missing = ", ".join(each for each, value in given.items() if value is None)
        raise WrongUsageError(
            f"expected NAME, --history and --out (or --floors alone), found no {missing}"
        )
    return name, history, out


def run_and_score_floors(
    benchmark: Benchmark, history: History | None, split: str, seed: int
) -> None:
    """Run and score every floor under every history that the benchmark allows; note the others."""
    from baselines.running.run import run_floors
    from harness.scoring import score_to_files

    run_floors(
        benchmark,
        lambda folder: score_to_files(folder, benchmark, split),
        done=lambda folder: click.echo(str(folder)),
        history=history,
        split=split,
        seed=seed,
        note=show_note,
        argv=tuple(sys.argv[1:]),
    )
