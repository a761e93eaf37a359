"""Trains a baseline into a checkpoint folder, which can be taken up again after an interrupt."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from baselines.base import Settings, TrainerConfig
from baselines.registry import RegistryEntry, load
from baselines.running.run_config import RunContext, training_view
from baselines.training.processes import end_started, leads
from harness.benchmark import Benchmark
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.files import readable, shown, write

BEGUN = "begun.json"  # what a run that is not finished was begun with
FINISHED = "checkpoint.json"


class TrainJob(Struct, frozen=True):
    """What to train: the baseline, its settings (`key=value`), and how."""

    entry: RegistryEntry
    assignments: tuple[str, ...]
    config: TrainerConfig


def train(lesson: TrainJob, benchmark: Benchmark, around: RunContext = RunContext()) -> None:  # noqa: B008 - immutable
    """Train, and leave the checkpoint in `lesson.config.out`.

    Raises WrongUsageError if the baseline has nothing to train, or `out` holds something else than
    what should be resumed; MissingInputError if the benchmark has no train split with labels.
    """
    entry, config = lesson.entry, lesson.config
    if not entry.about.trains:
        raise WrongUsageError(
            f"{entry.name} has nothing to train; run it as it is: `ivcr baseline run {entry.name}`"
        )
    seen = training_view(benchmark, entry.name, config.seed, around)
    baseline, settings = load(entry, lesson.assignments)
    if leads() and not _begun(config, _plan(lesson, settings, benchmark)):
        around.note(f"{config.out}: is trained already; nothing is left to do")
        return
    _seed(config.seed)
    try:
        baseline.train(seen, config)
    except BaseException:
        end_started()
        if leads():
            _unbegun(config.out)
        raise
    if leads():
        _tidied(config.out)


def _plan(lesson: TrainJob, settings: Settings, benchmark: Benchmark) -> dict[str, Any]:
    """All that the weights depend on."""
    return {
        "schema": 1,
        "baseline": lesson.entry.name,
        "settings": msgspec.to_builtins(settings),
        "seed": lesson.config.seed,
        "steps": lesson.config.steps,
        "precision": lesson.config.precision,
        "benchmark": benchmark.header.fingerprint,
    }


def _begun(config: TrainerConfig, plan: dict[str, Any]) -> bool:
    """Make or take up `out`; whether there is something left to train."""
    out = config.out
    if not config.resume:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise WrongUsageError(
                f"{out}: is not an empty folder; go on with what an interrupted run left there "
                "by --resume, remove it, or name another --out"
            )
        _made(out)
        write(out / BEGUN, readable(plan))
        return True
    if (out / FINISHED).is_file() and not (out / BEGUN).exists():
        return False
    _check_same(out / BEGUN, plan)
    return True


def _unbegun(out: Path) -> None:
    """Leave no folder of a run that ended before any stage began: there is nothing to resume."""
    if [path.name for path in out.iterdir()] == [BEGUN]:
        (out / BEGUN).unlink()
        out.rmdir()


def _check_same(path: Path, plan: dict[str, Any]) -> None:
    """Raise WrongUsageError unless the run was begun with the same plan."""
    try:
        begun = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError) as error:
        raise WrongUsageError(
            f"{path.parent}: --resume expects what an interrupted run left, found no readable "
            f"{path.name}; train without --resume into an empty folder"
        ) from error
    others = [name for name in plan if begun.get(name) != plan[name]]
    if others:
        name = others[0]
        raise WrongUsageError(
            f"{path.parent}: was begun with another {name} ({shown(str(begun.get(name)))}); "
            "repeat the command that it was begun with, or name another --out"
        )


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentFailure(f"{folder}: cannot be made: {error.strerror or error}") from error


def _seed(seed: int) -> None:
    """Seed whatever a baseline draws from before its first stage, its first weights among them."""
    from pytorch_lightning import seed_everything

    seed_everything(seed, workers=True, verbose=False)


def _tidied(out: Path) -> None:
    """Leave the checkpoint alone: the weights of single stages are in it, or were steps to it."""
    for stage in out.glob("*/trained.safetensors"):
        shutil.rmtree(stage.parent)
    with contextlib.suppress(FileNotFoundError):
        (out / BEGUN).unlink()
