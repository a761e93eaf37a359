"""ivcr baseline train: a checkpoint from a benchmark's train split."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.options import cache_option, resumable, show_note
from harness.errors import extras


@click.command()
@click.argument("name")
@click.option("--benchmark", required=True, type=click.Path(path_type=Path), help="The benchmark.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The checkpoint.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="A setting.")
@click.option("--seed", default=0, show_default=True, help="For weights, batches and noise.")
@click.option("--steps", type=click.IntRange(min=1), help="At most so many steps a stage.")
@click.option("--devices", default=1, show_default=True, type=click.IntRange(min=1),
              help="Processes on this machine, each with a GPU where there are some.")  # fmt: skip
@click.option("--nodes", default=1, show_default=True, type=click.IntRange(min=1),
              help="Machines; run the same command on each, with NODE_RANK, MASTER_ADDR and "
              "MASTER_PORT set and --out on a disk that they share.")  # fmt: skip
@click.option("--strategy", default="auto", show_default=True, help="auto or Lightning's ddp...")
@click.option("--precision", default="32-true", show_default=True, help="E.g. bf16-mixed.")
@click.option("--wandb", metavar="PROJECT", help="Log to this project of Weights & Biases.")
@click.option("--resume", is_flag=True, help="Go on with what an interrupted run left in --out.")
@cache_option
def train(
    name: str,
    benchmark: Path,
    out: Path,
    assignments: tuple[str, ...],
    seed: int,
    steps: int | None,
    devices: int,
    nodes: int,
    strategy: str,
    precision: str,
    wandb: str | None,
    resume: bool,
    cache: Path,
) -> None:
    """Train the baseline NAME on the train split, and write the checkpoint folder --out.

    NAME may be the path of a .py file of your own. A figure on the val split, where there is one,
    decides when to stop. `ivcr baseline run NAME --set checkpoint=OUT` runs the trained baseline.
    """
    from baselines.base import TrainerConfig
    from baselines.registry import find
    from baselines.running.run_config import RunContext
    from baselines.training import trainer
    from baselines.training.processes import is_main_process
    from harness.benchmark import Benchmark

    config = TrainerConfig(out, seed, devices, nodes, strategy, precision, wandb, resume, steps)
    job = trainer.TrainJob(find(name), assignments, config)
    context = RunContext(cache, show_note) if is_main_process() else RunContext(cache)
    again = f"{out}: what was saved stays; the same command with --resume goes on from there"
    with extras(name), resumable(again, shown=is_main_process()):
        trainer.train(job, Benchmark(benchmark).checked(), context)
    if is_main_process():
        click.echo(str(out))
