"""Finds the files of a published checkpoint: a folder, or what `hf download` has fetched.

A run downloads nothing: checkpoints are fetched once, by name and revision. docs/checkpoints.md has
the commands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import transformers
from huggingface_hub import snapshot_download
from safetensors import SafetensorError

from harness.errors import EnvironmentFailure, WrongUsageError
from harness.files import shown

HASHED = (".json", ".txt", ".model", ".safetensors")
FETCH = "hf download {name}{revision} " + " ".join(f'--include "*{end}"' for end in HASHED)
_LOG: Any = transformers.utils.logging


class CheckpointFiles(NamedTuple):
    """A checkpoint's folder, and a key that identifies all files that are loaded from it."""

    folder: Path
    key: str


def locate_checkpoint(checkpoint: str, revision: str | None) -> CheckpointFiles:
    """Find the folder `checkpoint`, or the fetched snapshot of that name and revision.

    The key is the SHA-256 of a folder's files, or name@commit. Raises EnvironmentFailure if there
    is neither, with the command to fetch it; WrongUsageError if a revision is given for a folder.
    """
    folder = Path(checkpoint)
    if folder.is_dir():
        if revision is not None:
            raise WrongUsageError(
                f"{checkpoint}: is a folder, which has no revision {shown(revision)}; leave it out"
            )
        return CheckpointFiles(folder, f"sha256:{_hash(folder)}")
    try:
        fetched = snapshot_download(checkpoint, revision=revision, local_files_only=True)
    except (OSError, ValueError) as error:
        raise EnvironmentFailure(_absent(checkpoint, revision)) from error
    return CheckpointFiles(Path(fetched), f"{checkpoint}@{Path(fetched).name}")


@contextmanager
def loading(checkpoint: str, folder: Path) -> Iterator[None]:
    """Load without progress bars and reports.

    Raises EnvironmentFailure, in one line, if the folder's files are incomplete or damaged, or if a
    library is missing.
    """
    level, bars = _LOG.get_verbosity(), _LOG.is_progress_bar_enabled()
    _LOG.set_verbosity_error()
    _LOG.disable_progress_bar()
    try:
        yield
    except ImportError as error:
        raise EnvironmentFailure(
            f"{checkpoint}: needs a library that is not installed ({_first_line(error)})"
        ) from error
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise EnvironmentFailure(
            f"{checkpoint}: cannot be loaded ({_first_line(error)}); {_next_step(folder)}"
        ) from error
    finally:
        _LOG.set_verbosity(level)
        if bars:
            _LOG.enable_progress_bar()


def _first_line(error: Exception) -> str:
    return shown(str(error).strip().partition("\n")[0], 160)


def _next_step(folder: Path) -> str:
    """What to do about a folder that cannot be loaded."""
    if any(folder.glob("*.bin")) and not any(folder.glob("*.safetensors")):
        return (
            "its weights are a pickle (.bin), which is not read; docs/checkpoints.md has the "
            "command that makes safetensors of it"
        )
    return (
        "expected config.json, model.safetensors and the files of its tokenizer; fetch it again "
        "(docs/checkpoints.md: also where weights were published as a pickle alone)"
    )


def _absent(checkpoint: str, revision: str | None) -> str:
    named = shown(checkpoint)[1:-1]
    given = f" --revision {shown(revision)[1:-1]}" if revision else ""
    command = FETCH.format(name=named, revision=given)
    return f"{named}: neither a folder nor a checkpoint that was fetched; fetch it with `{command}`"


def _hash(folder: Path) -> str:
    """SHA-256 over the names and bytes of all files that a checkpoint is loaded from."""
    total = hashlib.sha256()
    names = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    for name in sorted(names):
        if names[name].suffix in HASHED and names[name].is_file():
            with names[name].open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            total.update(f"{digest}  {name}\n".encode())
    return total.hexdigest()
