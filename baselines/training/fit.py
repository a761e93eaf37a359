"""Training by PyTorch Lightning: one call that seeds, saves, resumes, stops early and is quiet.

What a caller keeps to: batches come from `StepBatches`; the module has one optimizer, logs its
validation figures by `self.log`, takes the number of steps for its schedule from
`self.trainer.max_steps`, and keeps no hyperparameters of its own (`save_hyperparameters`).
Randomness inside `training_step` is torch's own, which is seeded anew at every step.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import Callback, EarlyStopping, ModelCheckpoint
from pytorch_lightning.strategies.launchers import _SubprocessScriptLauncher
from torch.utils.data import DataLoader

from baselines.base import TrainerConfig
from baselines.training.batches import StepBatches, Timed, gathered
from baselines.training.lightning_logging import as_before, quiet
from baselines.training.logging import closed, opened
from baselines.training.processes import end_started, leads, remember
from baselines.training.stages import Keeper, Stage
from harness.errors import WrongUsageError

__all__ = ["StepBatches", "fit", "gathered", "moved", "one_cycle"]

T = TypeVar("T", bound=tuple[Any, ...])
RISE = 0.15  # share of the steps in which the rate of `one_cycle` rises


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

    train: a loader over StepBatches. validation: the whole of it is read by every process, every
    `every` steps (left out: `times` times; a last part shorter is not validated). monitor:
    a logged figure; the module ends with the weights that were best by it (greatest, or least if
    its name holds "loss") instead of the last ones. patience: validations without a better figure
    after which training stops. note: is told one line at the end, by default on standard error.

    State is kept in `config.out`/`stage` while it trains; with `config.resume` an interrupted
    stage goes on and ends with the weights of an uninterrupted one, and a finished one is read
    back. Torch is seeded before and after, so what follows does not depend on that either.
    Raises WrongUsageError at a config that Lightning cannot carry out, EnvironmentFailure if what
    should be resumed is absent or damaged.
    """
    steps = steps if config.steps is None else min(steps, config.steps)
    at = Stage(config.out / stage, config.resume)
    pl.seed_everything(config.seed, workers=True, verbose=False)
    if not at.finished(module):
        every = min(steps, every or max(1, steps // times)) if validation else None
        callbacks = [
            _Steady(config.seed),
            *(_by_figure(monitor, patience, at.folder) if monitor else ()),
            Keeper(at.last, every),
        ]
        with quiet(), as_before():
            trainer = _trainer(config, at.folder, callbacks, steps, every)
            timed = Timed(train, lambda: _begin(train, trainer), steps)
            line = _carried_out(trainer, module, timed, validation, at)
        at.finish(module, monitored=monitor is not None)
        if trainer.is_global_zero:
            (note or _to_stderr)(f"{stage}: {line}")
    pl.seed_everything(config.seed, workers=True, verbose=False)


def moved(batch: T, device: torch.device) -> T:
    """A named tuple of tensors on a device: what a module makes itself, Lightning does not move."""
    return type(batch)(*(part.to(device) for part in batch))


def one_cycle(
    module: pl.LightningModule, rate: float, decay: float, weights: Iterable[Any] | None = None
) -> Any:
    """What `configure_optimizers` returns: AdamW whose rate rises to `rate`, then falls to 0.

    weights: those that learn (None: all of the module's that ask for gradients). After Smith &
    Topin, https://arxiv.org/abs/1708.07120, over the steps of the module's trainer.
    """
    learning = [w for w in weights or module.parameters() if w.requires_grad]
    optimizer = torch.optim.AdamW(learning, rate, weight_decay=decay)
    steps = int(module.trainer.max_steps) + 1
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps, pct_start=RISE)
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": cycle, "interval": "step"}}


def _by_figure(monitor: str, patience: int | None, folder: Path) -> Iterator[Callback]:
    """What follows the monitored figure: stopping, if there is a patience, and best.ckpt."""
    mode: Literal["min", "max"] = "min" if "loss" in monitor else "max"
    if patience is not None:
        yield EarlyStopping(monitor, patience=patience, mode=mode, check_on_train_epoch_end=False)
    yield ModelCheckpoint(
        folder,
        "best",
        monitor=monitor,
        mode=mode,
        save_weights_only=True,
        save_on_train_epoch_end=False,
        enable_version_counter=False,
    )


def _trainer(
    config: TrainerConfig, folder: Path, callbacks: list[Callback], steps: int, every: int | None
) -> pl.Trainer:
    """A trainer for one stage. Raises WrongUsageError at what Lightning does not know."""
    if config.strategy != "auto" and not config.strategy.startswith("ddp"):
        raise WrongUsageError(
            f"--strategy {config.strategy}: expected auto or one of Lightning's ddp strategies, "
            "under which every process holds whole weights, as a checkpoint does"
        )
    gpu = torch.cuda.is_available()
    many = config.devices * config.nodes > 1
    try:
        return pl.Trainer(
            devices=config.devices,
            num_nodes=config.nodes,
            strategy=config.strategy,
            precision=config.precision,  # type: ignore[arg-type]
            logger=opened(config, folder.name) if config.wandb and leads() else False,
            callbacks=callbacks,
            max_steps=steps,
            max_epochs=-1,
            val_check_interval=every,
            check_val_every_n_epoch=None if every else 1,
            num_sanity_val_steps=0,
            log_every_n_steps=10,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            # On a GPU some operations have no deterministic form: Lightning then says which.
            deterministic="warn" if gpu else True,
            sync_batchnorm=gpu and many,
            default_root_dir=folder,
        )
    except (MisconfigurationException, ValueError) as error:
        reason = " ".join(str(error).split())
        raise WrongUsageError(
            f"training cannot be set up like this: {reason}; look at --devices, --nodes, "
            "--strategy and --precision"
        ) from error


def _begin(train: DataLoader[Any], trainer: pl.Trainer) -> int:
    """Start the batches where training stands, with this process' share."""
    batches = train.dataset
    if not isinstance(batches, StepBatches):
        raise TypeError(f"expected a loader over StepBatches, got {type(batches).__name__}")
    batches.begin(trainer.global_step, trainer.global_rank, trainer.world_size)
    return trainer.global_step


def _carried_out(
    trainer: pl.Trainer,
    module: pl.LightningModule,
    timed: Timed,
    validation: DataLoader[Any] | None,
    at: Stage,
) -> str:
    """Train; says how it went. An interrupt is raised as such, other processes are ended."""
    state, since = at.resumable(module), time.perf_counter()
    try:
        trainer.fit(module, timed, validation, ckpt_path=state, weights_only=True)
    except BaseException as ended:
        end_started()
        # Lightning turns an interrupt into an exit with 1.
        if trainer.interrupted and isinstance(ended, SystemExit) and ended.code == 1:
            raise KeyboardInterrupt from None
        raise
    finally:
        if trainer.loggers:
            closed()
    took = time.perf_counter() - since
    return _line(trainer, trainer.global_step - at.step, took, timed.waited)


def _line(trainer: pl.Trainer, steps: int, took: float, waited: float) -> str:
    """How long it took, and the figures of the last validation, or the best one if it was kept."""
    figures = {name: float(value) for name, value in sorted(trainer.callback_metrics.items())}
    shown = "".join(f", {name} {value:.4g}" for name, value in figures.items())
    kept = trainer.checkpoint_callback
    if isinstance(kept, ModelCheckpoint) and kept.best_model_score is not None:
        shown += f"; kept {kept.monitor} {float(kept.best_model_score):.4g}"
    return (
        f"{trainer.global_step} steps, {steps / took:.1f} steps/s, "
        f"{100 * waited / took:.0f} % of the time waiting on data{shown}"
    )


class _Steady(Callback):
    """Seeds torch at each step, so that a resumed run draws (dropout, noise) as it would have.

    Also ends the other processes with this one, and gives SIGTERM back to whoever handled it:
    Lightning's handler talks to the other processes from within a signal, which hangs if they are
    in the middle of a step.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._on_sigterm = signal.getsignal(signal.SIGTERM) or signal.SIG_DFL

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        # Before Lightning closes the connections, at which the others would fail with a traceback.
        end_started()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        launcher = trainer.strategy.launcher
        if isinstance(launcher, _SubprocessScriptLauncher):
            remember(launcher.procs)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._on_sigterm)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        # 2654435761 scatters neighbouring seeds (Knuth, TAOCP 3, 6.4).
        state = (self._seed * 2654435761 + trainer.global_step) * trainer.world_size
        torch.manual_seed((state + trainer.global_rank) % 2**63)


def _to_stderr(line: str) -> None:
    sys.stderr.write(line + "\n")
