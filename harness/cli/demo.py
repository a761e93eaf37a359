"""ivcr demo: the whole way, from IVCR-Mini to a ranked page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.records import History

if TYPE_CHECKING:
    from harness.benchmark import Benchmark

TEAM_FOLDER = "ivcr-harness"
# Name of the run, baseline, history, settings.
RUNS: tuple[tuple[str, str, History, tuple[str, ...]], ...] = (
    ("bm25-none", "bm25", "none", ()),
    ("bm25-own-all", "bm25", "own", ("context=all",)),
    ("bm25-own-decayed", "bm25", "own", ("context=decayed",)),
    ("bm25-reference-all", "bm25", "reference", ("context=all",)),
    ("bm25-reference-decayed", "bm25", "reference", ("context=decayed",)),
    ("bm25-candidates-none", "bm25", "none", ("candidates=used",)),
    ("bm25-candidates-own", "bm25", "own", ("candidates=used", "context=decayed")),
)
TRAINED: tuple[str, str, History] = ("dual-encoder-own", "dual_encoder", "own")
# Runs that differ in history alone.
PAIRS = {
    "bm25-own-all": "bm25-reference-all",
    "bm25-reference-all": "bm25-own-all",
    "bm25-own-decayed": "bm25-reference-decayed",
    "bm25-reference-decayed": "bm25-own-decayed",
}


@click.command()
@click.option(
    "--out",
    default="demo",
    show_default=True,
    type=click.Path(path_type=Path),
    help="The folder that takes benchmark, submissions and site.",
)
@click.option(
    "--train/--no-train",
    default=True,
    show_default=True,
    help="Train the small dual encoder too (a minute or two on two cores).",
)
def demo(out: Path, train: bool) -> None:
    """Build IVCR-Mini, run the baselines on it, validate, score and publish a page.

    A benchmark that an earlier demo rendered is used again; everything else is made anew.
    """
    from harness.replacement import replaced_folder
    from leaderboard.site.publish import build_site

    benchmark = _benchmark(out / "benchmark")
    with replaced_folder(out / "submissions" / TEAM_FOLDER, parents=True) as team:
        click.echo("running the floors and BM25", err=True)
        _run_all(benchmark, team)
        if train:
            click.echo("training the small dual encoder (a minute or two on two cores)", err=True)
            checkpoint = trained(benchmark, out / "dual-encoder")
            _run(benchmark, team, *TRAINED, (f"checkpoint={checkpoint}",))
    folders = out / "submissions", out / "benchmark", out / "site"
    click.echo(str(build_site(*folders, organizers=(TEAM_FOLDER,))), err=True)
    click.echo(f"the board: {out / 'site' / 'index.html'} (open it in a browser)")
    click.echo(f"its figures: {out / 'site' / 'leaderboard.json'}")
    click.echo(f"the benchmark: {out / 'benchmark'}; the submissions: {out / 'submissions'}")


def _benchmark(folder: Path) -> Benchmark:
    """IVCR-Mini in `folder`, rendered if nothing is there yet."""
    from baselines.retrievers.bm25 import first_stage
    from harness.benchmark import Benchmark
    from harness.cli.progress import stages
    from harness.errors import WrongUsageError
    from harness.sources.mini_benchmark import NAME, import_mini

    if folder.exists():
        found = Benchmark(folder)
        if found.header.name != NAME:
            raise WrongUsageError(
                f"{folder}: expected IVCR-Mini or nothing, found {found.header.name}; "
                "name another --out"
            )
        return found.checked()
    click.echo("rendering IVCR-Mini (about a minute on two cores)", err=True)
    with stages() as progress:
        import_mini(folder, first_stage=first_stage, progress=progress)
    return Benchmark(folder)


def _run_all(benchmark: Benchmark, team: Path) -> None:
    """Run, validate and score the floors and RUNS."""
    from harness.cli.baseline import run_and_score_floors

    run_and_score_floors(benchmark, None, "test", 0)
    for name, baseline, history, settings in RUNS:
        _run(benchmark, team, name, baseline, history, settings)


def trained(benchmark: Benchmark, folder: Path, steps: int | None = None) -> Path:
    """Train the small dual encoder, for at most so many steps a stage; returns its folder."""
    from baselines.base import TrainerConfig
    from baselines.registry import find
    from baselines.running.run_config import RunContext
    from baselines.training.trainer import TrainJob, train
    from harness.cli.options import show_note
    from harness.errors import extras
    from harness.replacement import replaced_folder

    with extras("the demo"), replaced_folder(folder, parents=True) as new:
        job = TrainJob(find(TRAINED[1]), ("size=small",), TrainerConfig(new, steps=steps))
        train(job, benchmark, RunContext(note=show_note))
    return folder


def _run(
    benchmark: Benchmark, team: Path, name: str, baseline: str, history: History,
    settings: tuple[str, ...],
) -> None:  # fmt: skip
    """Run one baseline, validate and score its submission."""
    from baselines.registry import find
    from baselines.running.run import run_baseline
    from baselines.running.run_config import RunConfig
    from harness.scoring import score_to_files

    folder = team / name
    config = RunConfig(find(baseline), history, settings)
    run_baseline(config, benchmark, folder, pair=PAIRS.get(name))
    document, _ = score_to_files(folder, benchmark, "test")
    figure = document["metrics"]["all"]["R@1"]
    click.echo(f"{name}: valid, R@1 {100 * figure['value']:.1f}", err=True)
