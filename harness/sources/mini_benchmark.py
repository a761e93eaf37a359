"""IVCR-Mini as a benchmark folder: rendered, written in the official format, imported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.errors import WrongUsageError
from harness.files import make_folder
from harness.replacement import temporary_folder
from harness.sources.importing import ImportResult, ImportSettings, import_files, refuse_existing
from harness.sources.mini import FirstStage, build
from harness.sources.mini.world import MULTIPLE, SIZES

NAME = "mini"
SEED = 20251201
Progress = Callable[[str, int, int], None]


def import_mini(
    out: Path, *, first_stage: FirstStage, seed: int = SEED, train: int = SIZES["train"],
    progress: Progress | None = None,
) -> ImportResult:  # fmt: skip
    """Make the benchmark folder `out` of IVCR-Mini, whole or not at all.

    `first_stage` makes the candidate lists; `train`: the number of training videos; `progress`:
    called with the stage, the steps done and all steps. Raises WrongUsageError if `out` exists or
    `train` is no multiple of 12, EnvironmentFailure if `out` cannot be written.
    """
    refuse_existing(out)
    if train < MULTIPLE or train % MULTIPLE:
        raise WrongUsageError(
            f"--train {train}: expected a multiple of {MULTIPLE}, so that half of the videos are "
            f"twins and each kind has as many; {max(1, round(train / MULTIPLE)) * MULTIPLE} is one"
        )
    version = "1" if seed == SEED else f"1.seed{seed}"
    if train != SIZES["train"]:
        version += f".train{train}"
    make_folder(out.parent)
    with temporary_folder(out.parent) as place:
        rendered = place / NAME
        files = build(rendered, seed=seed, train=train, first_stage=first_stage,
                      progress=progress)  # fmt: skip
        settings = ImportSettings(NAME, version, type_names=files.type_names)
        return import_files([files.dialogues], out, settings, videos=files.videos, extra=rendered)
