"""IVCR-Mini as a benchmark folder: rendered, written in the official format, imported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.files import make_folder
from harness.replacement import temporary_folder
from harness.sources.importing import ImportResult, ImportSettings, import_files, refuse_existing
from harness.sources.mini import FirstStage, build

NAME = "mini"
SEED = 20251201
Progress = Callable[[str, int, int], None]


def import_mini(
    out: Path, *, first_stage: FirstStage, seed: int = SEED, progress: Progress | None = None
) -> ImportResult:
    """Make the benchmark folder `out` of IVCR-Mini, whole or not at all.

    `first_stage` makes the candidate lists; `progress`: called with the stage, the steps done and
    all steps. Raises WrongUsageError if `out` exists, EnvironmentFailure if it cannot be written.
    """
    refuse_existing(out)
    version = "1" if seed == SEED else f"1.seed{seed}"
    make_folder(out.parent)
    with temporary_folder(out.parent) as place:
        rendered = place / NAME
        files = build(rendered, seed=seed, first_stage=first_stage, progress=progress)
        settings = ImportSettings(NAME, version, type_names=files.type_names)
        return import_files([files.dialogues], out, settings, videos=files.videos, extra=rendered)
