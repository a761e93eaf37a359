"""Training by PyTorch Lightning: one call that seeds, saves, resumes and stops early.

What a caller must do: batches come from `StepBatches`; the module has one optimizer, logs its
validation metrics by `self.log`, takes the number of steps for its schedule from
`self.trainer.max_steps`, and does not save hyperparameters (`save_hyperparameters`). Random numbers
inside `training_step` come from torch, which is seeded again at every step.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from pytorch_lightning.strategies import DDPStrategy
from torch.utils.data import DataLoader

from baselines.base import TrainerConfig
from baselines.training.batches import StepBatches, TimedLoader
from baselines.training.callbacks import StepNotes, StepSeeds, monitor_callbacks
from baselines.training.lightning_logging import restore_process_state, silence_lightning
from baselines.training.logging import finish_run, start_run
from baselines.training.processes import end_others, is_main_process, start_others
from baselines.training.stages import Stage, StateSaver, WholeFiles
from harness.errors import WrongUsageError

T = TypeVar("T", bound=tuple[Any, ...])
# Strategies whose processes run a function and not the command.
FUNCTIONS = ("spawn", "fork", "notebook")
WARM_UP = 0.15  # share of the steps in which the rate of `one_cycle` rises


def fit(
    module: pl.LightningModule,
    train: DataLoader[Any],
    config: TrainerConfig,
    *,
    stage: str,
    steps: int,
    validation: DataLoader[Any] | None = None,
    monitor: str | None = None,
    patience: int | None = None,
    every: int | None = None,
    times: int = 10,
    note: Callable[[str], None] | None = None,
) -> None:
    """Train `module` in place for `steps` optimizer steps, or `config.steps` if that is less.

    train: a loader of StepBatches. validation: every process reads all of it, every `every` steps
    (default: `times` times); the steps after the last multiple of `every` are not validated.
    monitor: a logged metric; the module ends with its best weights by this metric (greatest value,
    or least if the name contains "loss") instead of the last ones. patience: validations without a
    better value after which training stops. note: gets one line at the end (default: standard
    error).

    While it trains, state is stored in `config.out`/`stage`. With `config.resume` an interrupted
    stage is resumed and ends with the weights of an uninterrupted one; a finished stage is read
    back. Torch is seeded before and after, so that later stages do not depend on resumption.
    Raises WrongUsageError if Lightning cannot carry out the config, EnvironmentFailure if the state
    to resume is absent or damaged.
    """
    steps = steps if config.steps is None else min(steps, config.steps)
    at = Stage(config.out / stage, config.resume)
    pl.seed_everything(config.seed, workers=True, verbose=False)
    if not at.restore_finished(module):
        every = min(steps, every or max(1, steps // times)) if validation else None
        callbacks = [
            StepSeeds(config.seed),
            StepNotes(note or _to_stderr, stage, steps),
            *(monitor_callbacks(monitor, patience, at.folder) if monitor else ()),
            StateSaver(at.last, every),
        ]
        with silence_lightning(), restore_process_state():
            trainer = _trainer(config, at.folder, callbacks, steps, every)
            loader = TimedLoader(train, lambda: _start_batches(train, trainer), steps)
            line = _run_trainer(trainer, module, loader, validation, at)
        at.finish(module, monitored=monitor is not None)
        if trainer.is_global_zero:
            (note or _to_stderr)(f"{stage}: {line}")
    pl.seed_everything(config.seed, workers=True, verbose=False)


def to_device(batch: T, device: torch.device) -> T:
    """A named tuple of tensors, each of its own shape, on a device.

    For tensors that a module makes itself: Lightning does not move them.
    """
    return type(batch)(*(part.to(device) for part in batch))


def one_cycle(
    module: pl.LightningModule, rate: float, decay: float, weights: Iterable[Any] | None = None
) -> Any:
    """For `configure_optimizers`: AdamW whose learning rate rises to `rate`, then falls to 0.

    weights: the trained ones (None: all of the module's that require gradients). After Smith &
    Topin, https://arxiv.org/abs/1708.07120, over the steps of the module's trainer.
    """
    trained = [w for w in weights or module.parameters() if w.requires_grad]
    optimizer = torch.optim.AdamW(trained, rate, weight_decay=decay)
    steps = int(module.trainer.max_steps) + 1
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps, pct_start=WARM_UP)
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": cycle, "interval": "step"}}


def _trainer(
    config: TrainerConfig, folder: Path, callbacks: list[Callback], steps: int, every: int | None
) -> pl.Trainer:
    """A trainer for one stage. Raises WrongUsageError at options that Lightning does not know."""
    strategy, gpu = config.strategy, torch.cuda.is_available()
    many = config.devices * config.nodes > 1
    if strategy == "auto" and many:
        strategy = "ddp"
    if strategy != "auto" and (
        strategy[:3] != "ddp" or any(each in strategy for each in FUNCTIONS)
    ):
        raise WrongUsageError(
            f"--strategy {strategy}: expected auto or one of Lightning's ddp strategies, under "
            "which every process runs this command and holds whole weights, as a checkpoint does"
        )
    try:
        return pl.Trainer(
            devices=config.devices,
            num_nodes=config.nodes,
            strategy=strategy,
            precision=config.precision,  # type: ignore[arg-type]
            logger=start_run(config, folder.name) if config.wandb and is_main_process() else False,
            callbacks=callbacks,
            plugins=[WholeFiles()],
            max_steps=steps,
            max_epochs=-1,
            val_check_interval=every,
            check_val_every_n_epoch=None if every else 1,
            num_sanity_val_steps=0,
            log_every_n_steps=10,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            # On a GPU some operations have no deterministic form: Lightning then warns which.
            deterministic="warn" if gpu else True,
            sync_batchnorm=gpu and many,
            default_root_dir=folder,
        )
    except (MisconfigurationException, ValueError) as error:
        reason = " ".join(str(error).split())
        raise WrongUsageError(
            f"training cannot be set up: {reason}; check --devices, --nodes, --strategy and "
            "--precision"
        ) from error


def _start_batches(train: DataLoader[Any], trainer: pl.Trainer) -> int:
    """Start the batches at the trainer's step, with the share of this process; returns the step."""
    batches = train.dataset
    if not isinstance(batches, StepBatches):
        raise TypeError(f"expected a loader of StepBatches, got {type(batches).__name__}")
    batches.begin(trainer.global_step, trainer.global_rank, trainer.world_size)
    return trainer.global_step


def _run_trainer(
    trainer: pl.Trainer,
    module: pl.LightningModule,
    loader: TimedLoader,
    validation: DataLoader[Any] | None,
    at: Stage,
) -> str:
    """Train and return a report. An interrupt is raised as such; other processes are ended."""
    state, start = at.resume_point(module), time.perf_counter()
    try:
        if isinstance(trainer.strategy, DDPStrategy) and trainer.strategy.cluster_environment:
            environment = trainer.strategy.cluster_environment
            start_others(environment, trainer.num_devices, trainer.num_nodes)
        trainer.fit(module, loader, validation, ckpt_path=state, weights_only=True)
    except BaseException as error:
        end_others()
        # Lightning turns an interrupt into an exit with code 1.
        if trainer.interrupted and isinstance(error, SystemExit) and error.code == 1:
            raise KeyboardInterrupt from None
        raise
    finally:
        if trainer.loggers:
            finish_run()
    seconds = time.perf_counter() - start
    return _report(trainer, trainer.global_step - at.step, seconds, loader.wait_seconds)


def _report(trainer: pl.Trainer, steps: int, seconds: float, waited: float) -> str:
    """The speed, and the metrics of the last validation or the best value of the monitored one."""
    metrics = {name: float(value) for name, value in sorted(trainer.callback_metrics.items())}
    shown = "".join(f", {name} {value:.4g}" for name, value in metrics.items())
    best = trainer.checkpoint_callback
    if isinstance(best, ModelCheckpoint) and best.best_model_score is not None:
        shown += f"; kept {best.monitor} {float(best.best_model_score):.4g}"
    return (
        f"{trainer.global_step} steps, {steps / seconds:.1f} steps/s, "
        f"{100 * waited / seconds:.0f} % of the time waiting on data{shown}"
    )


def _to_stderr(line: str) -> None:
    sys.stderr.write(line + "\n")
