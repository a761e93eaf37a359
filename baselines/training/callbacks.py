"""Callbacks of a training stage: the seed of each step, the choice of the best weights."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, EarlyStopping, ModelCheckpoint

from baselines.progress_notes import ProgressNotes
from baselines.training.processes import end_others


def monitor_callbacks(monitor: str, patience: int | None, folder: Path) -> Iterator[Callback]:
    """Early stopping, if there is a patience, and best.ckpt, both by the monitored metric."""
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


class StepNotes(Callback):
    """Says how many steps of a stage are done and how long the rest takes, validation included."""

    def __init__(self, note: Callable[[str], None], stage: str, steps: int) -> None:
        """steps: of the whole stage, those of an earlier run included."""
        self._note, self._stage, self._steps = note, stage, steps
        self._notes: ProgressNotes | None = None

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any,
        batch_idx: int,
    ) -> None:  # fmt: skip
        """Count the step that was done."""
        if not trainer.is_global_zero:
            return
        if self._notes is None:  # the first step has costs that no other has
            self._notes = ProgressNotes(self._note, self._stage, "steps", trainer.global_step)
        self._notes.update(trainer.global_step, self._steps)


class StepSeeds(Callback):
    """Seeds torch at each step, so that a resumed run draws the same numbers (dropout, noise).

    It also ends the other processes together with this one, and restores the previous SIGTERM
    handler: Lightning's own one communicates with the other processes from within a signal, which
    hangs if they are in the middle of a step.
    """

    def __init__(self, seed: int) -> None:
        """seed: of the whole run."""
        self._seed = seed
        self._on_sigterm = signal.getsignal(signal.SIGTERM) or signal.SIG_DFL

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """End the other processes."""
        # Before Lightning closes the connections, at which the others would fail with a traceback.
        end_others()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Restore the handler of SIGTERM."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._on_sigterm)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Seed torch by the run's seed, the step and the process."""
        # 2654435761 scatters neighbouring seeds (Knuth, TAOCP 3, 6.4).
        state = (self._seed * 2654435761 + trainer.global_step) * trainer.world_size
        torch.manual_seed((state + trainer.global_rank) % 2**63)
