"""Logging to Weights & Biases, on request."""

from __future__ import annotations

from typing import Any

from baselines.base import TrainerConfig
from harness.errors import EnvironmentFailure
from harness.files import make_folder


def start_run(config: TrainerConfig, stage: str) -> Any:
    """The logger of a new run, which keeps its files in `config.out` and prints nothing.

    Raises EnvironmentFailure if wandb cannot log (no account, no network).
    """
    import wandb
    from pytorch_lightning.loggers import WandbLogger

    make_folder(config.out)
    # The run is started here: the logger would pass on an option that wandb warns of.
    name = config.out.resolve().name
    quiet = wandb.Settings(silent=True, console="off", disable_code=True, disable_git=True)
    try:
        run = wandb.init(
            project=config.wandb,
            group=name,
            name=f"{name}/{stage}",
            dir=config.out,
            settings=quiet,
        )
    except wandb.Error as error:
        raise EnvironmentFailure(
            f"wandb cannot log ({' '.join(str(error).split())}); run `wandb login`, set "
            "WANDB_MODE=offline to log to the checkpoint folder alone, or leave --wandb out"
        ) from error
    return WandbLogger(experiment=run, save_dir=config.out)


def finish_run() -> None:
    """Finish the current run, so that the next stage has its own."""
    import wandb

    wandb.finish()
