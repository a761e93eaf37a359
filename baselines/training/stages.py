"""What a stage of training keeps on disk: its state while it trains, its weights when done."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint

from baselines.training.checkpoints import deserialised, serialised
from baselines.training.processes import leads
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.files import write

TRAINED = "trained.safetensors"
# State is saved when this many seconds have passed, looked at every so many steps.
SECONDS, STEPS = 20.0, 20


class Stage:
    """The folder of one stage: last.ckpt and best.ckpt while it trains, then TRAINED alone."""

    def __init__(self, folder: Path, resume: bool) -> None:
        """`resume`: what an earlier run left is used; else it is overwritten."""
        self.folder, self._resume = folder, resume
        self.last, self._best, self._trained = (
            folder / "last.ckpt",
            folder / "best.ckpt",
            folder / TRAINED,
        )
        self.step = 0

    def finished(self, module: pl.LightningModule) -> bool:
        """Whether an earlier run finished the stage; its weights are then in `module`."""
        if not (self._resume and self._trained.is_file()):
            return False
        weights = deserialised(self._trained, self._trained.read_bytes())
        _check(self._trained, module, weights)
        module.load_state_dict(weights)
        return True

    def resumable(self, module: pl.LightningModule) -> Path | None:
        """The state to go on from, after it was found readable and made by such a module."""
        if not self._resume or not self.folder.exists():
            return None
        if not self.last.is_file():
            raise EnvironmentFailure(
                f"{self.last}: expected the state that training goes on from, found none; "
                f"remove {self.folder} to train this stage from its beginning"
            )
        state = _state(self.last)
        _check(self.last, module, state["state_dict"])
        self.step = int(state["global_step"])
        return self.last

    def finish(self, module: pl.LightningModule, *, monitored: bool) -> None:
        """Leave `module` with its final weights, and these alone on disk."""
        if monitored:
            module.load_state_dict(_state(self._best)["state_dict"])
        if leads():
            self.folder.mkdir(parents=True, exist_ok=True)
            write(self._trained, serialised(module.state_dict()))
        if torch.distributed.is_initialized():
            torch.distributed.barrier()
        if leads():
            self.last.unlink(missing_ok=True)
            self._best.unlink(missing_ok=True)


class Keeper(Checkpoint):
    """Saves last.ckpt at the start, and whenever SECONDS have passed, looked at every STEPS steps.

    Where a validation follows a step, after it: a run that goes on must know its result.
    """

    def __init__(self, path: Path, every: int | None) -> None:
        """`every`: how many steps lie between validations; None: there are none."""
        self._path, self._every = path, every
        self._saved = time.monotonic()
        self._due = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save, so that a run killed early can be resumed too."""
        if trainer.global_step == 0:
            self._save(trainer)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Save if it is time and no validation follows."""
        step = trainer.global_step
        if step % STEPS == 0:
            # All processes save or none: the first one's clock decides.
            self._due = trainer.strategy.broadcast(time.monotonic() - self._saved >= SECONDS)
        if self._due and not (self._every and step % self._every == 0) and step < trainer.max_steps:
            self._save(trainer)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save if it is time."""
        # A run that stops early is not to go on from there, and would not know that it had stopped.
        if self._due and not trainer.should_stop:
            self._save(trainer)

    def _save(self, trainer: pl.Trainer) -> None:
        trainer.save_checkpoint(self._path)
        self._saved, self._due = time.monotonic(), False


def _state(path: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        state["state_dict"], state["global_step"]
    except Exception as error:
        # A damaged file raises whatever its reader stumbles over.
        raise EnvironmentFailure(
            f"{path}: damaged, so training cannot go on from it ({type(error).__name__}); "
            f"remove {path.parent} to train this stage from its beginning"
        ) from error
    return state


def _check(path: Path, module: pl.LightningModule, weights: dict[str, torch.Tensor]) -> None:
    """Raise WrongUsageError if `weights` are not those of such a module."""
    expected = {name: tensor.shape for name, tensor in module.state_dict().items()}
    if expected != {name: tensor.shape for name, tensor in weights.items()}:
        raise WrongUsageError(
            f"{path}: holds weights of other names or shapes than these settings make; "
            "resume with the settings it was begun with, or name another --out"
        )
