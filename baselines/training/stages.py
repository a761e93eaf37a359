"""The files of a training stage: its state while it trains, its weights when it has finished."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint
from pytorch_lightning.plugins.io import TorchCheckpointIO

from baselines.training.checkpoints import from_safetensors, to_safetensors
from baselines.training.processes import is_main_process
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.files import make_folder, open_replacement, write

TRAINED = "trained.safetensors"
# State is saved when SAVE_SECONDS have passed; the clock is read every CHECK_STEPS steps.
SAVE_SECONDS, CHECK_STEPS = 20.0, 20


class Stage:
    """The folder of one stage: last.ckpt and best.ckpt while it trains, then only TRAINED."""

    def __init__(self, folder: Path, resume: bool) -> None:
        """resume: use the files of an earlier run; else they are overwritten."""
        self.folder, self._resume = folder, resume
        self.last, self._best = folder / "last.ckpt", folder / "best.ckpt"
        self._trained = folder / TRAINED
        self.step = 0

    def restore_finished(self, module: pl.LightningModule) -> bool:
        """Whether an earlier run finished the stage; if so, load its weights into `module`."""
        if not (self._resume and self._trained.is_file()):
            return False
        weights = from_safetensors(self._trained, self._trained.read_bytes())
        _check(self._trained, module, weights)
        module.load_state_dict(weights)
        return True

    def resume_point(self, module: pl.LightningModule) -> Path | None:
        """The state file to resume from, if any; it is readable and fits `module`.

        Raises EnvironmentFailure if the state is absent or damaged, WrongUsageError if it belongs
        to another module.
        """
        if not self._resume or not self.folder.exists():
            return None
        if not self.last.is_file():
            raise EnvironmentFailure(
                f"{self.last}: expected the state to resume from, found none; "
                f"remove {self.folder} to train this stage from its beginning"
            )
        state = _state(self.last)
        _check(self.last, module, state["state_dict"])
        self.step = int(state["global_step"])
        return self.last

    def finish(self, module: pl.LightningModule, *, monitored: bool) -> None:
        """Leave the final weights in `module`, and only these on disk."""
        if monitored:
            module.load_state_dict(_state(self._best)["state_dict"])
        if is_main_process():
            make_folder(self.folder)
            write(self._trained, to_safetensors(module.state_dict()))
        if torch.distributed.is_initialized():
            torch.distributed.barrier()
        if is_main_process():
            self.last.unlink(missing_ok=True)
            self._best.unlink(missing_ok=True)


class WholeFiles(TorchCheckpointIO):
    """Lightning's way to save state, but whole or not at all: a killed run leaves the last one."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None
    ) -> None:
        """Write the state to `path`. Raises EnvironmentFailure if the disk fails."""
        data = io.BytesIO()
        torch.save(checkpoint, data)
        make_folder(Path(path).parent)
        with open_replacement(Path(path)) as stream:
            stream.write(data.getbuffer())


class StateSaver(Checkpoint):
    """Saves last.ckpt at the start and whenever SAVE_SECONDS have passed.

    Where a validation follows a step, it saves after the validation: a resumed run must know the
    result.
    """

    def __init__(self, path: Path, every: int | None) -> None:
        """every: steps between validations (None: there are no validations)."""
        self._path, self._every = path, every
        self._saved = time.monotonic()
        self._due = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save, so that a run that is killed early can be resumed too."""
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
        """Save if it is time and no validation follows this step."""
        step = trainer.global_step
        if step % CHECK_STEPS == 0:
            # Either all processes save or none: the clock of the first one decides.
            self._due = trainer.strategy.broadcast(time.monotonic() - self._saved >= SAVE_SECONDS)
        if self._due and not (self._every and step % self._every == 0) and step < trainer.max_steps:
            self._save(trainer)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save if it is time."""
        # A run that stops early must not be resumed from here: it would not know that it stopped.
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
        # A damaged file makes its reader raise all kinds of exceptions.
        raise EnvironmentFailure(
            f"{path}: damaged, so training cannot be resumed from it ({type(error).__name__}); "
            f"remove {path.parent} to train this stage from its beginning"
        ) from error
    return state


def _check(path: Path, module: pl.LightningModule, weights: dict[str, torch.Tensor]) -> None:
    """Raise WrongUsageError if `weights` do not have the module's names and shapes."""
    expected = {name: tensor.shape for name, tensor in module.state_dict().items()}
    if expected != {name: tensor.shape for name, tensor in weights.items()}:
        raise WrongUsageError(
            f"{path}: expected weights of the names and shapes that these settings make, found "
            "others; resume with the settings that the run was started with, or name another --out"
        )
