"""Trains a baseline into a checkpoint folder; an interrupted run can be resumed."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from baselines.base import Settings, TrainerConfig
from baselines.registry import RegistryEntry, load
from baselines.running.own_code import OwnCodeError, own_code, with_traceback
from baselines.running.provenance import outside_code
from baselines.running.run_config import RunContext
from baselines.running.views import training_view
from baselines.training.processes import end_others, is_main_process
from harness.benchmark import Benchmark
from harness.errors import WrongUsageError
from harness.files import make_folder, readable, shown, write
from harness.replacement import remove_stale

PLAN_FILE = "begun.json"  # the plan of a run that has not finished
FINISHED = "checkpoint.json"


class TrainJob(Struct, frozen=True):
    """What to train: the baseline, its settings (`key=value`), and how."""

    entry: RegistryEntry
    assignments: tuple[str, ...]
    config: TrainerConfig


def train(job: TrainJob, benchmark: Benchmark, around: RunContext = RunContext()) -> None:  # noqa: B008 - immutable
    """Train, and write the checkpoint to `job.config.out`.

    Raises WrongUsageError if the baseline has nothing to train, or if `out` holds something else
    than the run to resume; MissingInputError if the benchmark has no train split with labels.
    """
    entry, config = job.entry, job.config
    if not entry.about.trains:
        raise WrongUsageError(
            f"{entry.name} has nothing to train; run it as it is, as `ivcr baseline info "
            f"{entry.name}` shows"
        )
    view = training_view(benchmark, entry.name, config.seed, around)
    baseline, settings = load(entry, job.assignments)
    if is_main_process() and not _open_folder(config, _plan(job, settings, benchmark)):
        around.note(f"{config.out}: is trained already; there is nothing left to do")
        return
    _seed(config.seed)
    try:
        with own_code(tuple(outside_code(entry, settings)), "train()"):
            baseline.train(view, config)
    except BaseException as error:
        end_others()
        if is_main_process():
            _remove_if_empty(config.out)
        if isinstance(error, OwnCodeError) and is_main_process():
            trace = config.out.with_name(f"{config.out.name}.traceback.txt")
            raise with_traceback(error, trace, "mend it and train again") from error
        raise
    if is_main_process():
        _remove_stages(config.out)


def _plan(job: TrainJob, settings: Settings, benchmark: Benchmark) -> dict[str, Any]:
    """Everything that the weights depend on, as its file gives it back."""
    plan = {
        "schema": 1,
        "baseline": job.entry.name,
        "settings": msgspec.to_builtins(settings),
        "seed": job.config.seed,
        "steps": job.config.steps,
        "precision": job.config.precision,
        "benchmark": benchmark.header.fingerprint,
    }
    return dict(msgspec.json.decode(msgspec.json.encode(plan)))  # tuples as lists


def _open_folder(config: TrainerConfig, plan: dict[str, Any]) -> bool:
    """Make `out` or check the run in it; returns whether there is something left to train."""
    out = config.out
    remove_stale(out)
    if not config.resume:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise WrongUsageError(
                f"{out}: is not an empty folder; continue an interrupted run by --resume, remove "
                "the folder, or name another --out"
            )
        make_folder(out)
        write(out / PLAN_FILE, readable(plan))
        return True
    if (out / FINISHED).is_file() and not (out / PLAN_FILE).exists():
        return False
    _check_same(out / PLAN_FILE, plan)
    return True


def _remove_if_empty(out: Path) -> None:
    """Remove the folder of a run that ended before its first stage: there is nothing to resume."""
    if [path.name for path in out.iterdir()] == [PLAN_FILE]:
        (out / PLAN_FILE).unlink()
        out.rmdir()


def _check_same(path: Path, plan: dict[str, Any]) -> None:
    """Raise WrongUsageError unless the run was started with the same plan."""
    try:
        before = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError) as error:
        raise WrongUsageError(
            f"{path.parent}: --resume expects the files of an interrupted run, found no readable "
            f"{path.name}; train without --resume into an empty folder"
        ) from error
    others = [name for name in plan if before.get(name) != plan[name]]
    if others:
        name = others[0]
        raise WrongUsageError(
            f"{path.parent}: was started with another {name} ({shown(str(before.get(name)))}); "
            "repeat the command that it was started with, or name another --out"
        )


def _seed(seed: int) -> None:
    """Seed all generators for what a baseline draws before its first stage, such as its weights."""
    from pytorch_lightning import seed_everything

    seed_everything(seed, workers=True, verbose=False)


def _remove_stages(out: Path) -> None:
    """Keep only the checkpoint: it holds the weights of the stages as far as they are needed."""
    for stage in out.glob("*/trained.safetensors"):
        shutil.rmtree(stage.parent)
    with contextlib.suppress(FileNotFoundError):
        (out / PLAN_FILE).unlink()
