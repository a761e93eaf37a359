"""Finds the files of a published checkpoint: a folder, or what `hf download` has fetched.

A run downloads nothing: checkpoints are fetched once, by name and revision. docs/checkpoints.md has
the commands.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import transformers
from huggingface_hub import snapshot_download
from safetensors import SafetensorError

from baselines.encoders.weights_report import damaged_file, reported
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.files import shown

FETCHED = (".json", ".txt", ".model", ".jinja", ".safetensors")
# The rest are vocabularies of rarer tokenizers; a test holds the list to those of `transformers`.
HASHED = (*FETCHED, ".bpe", ".codes", ".spm", ".tiktoken", ".tokenizer")
FETCH = "hf download {name}{revision} " + " ".join(f'--include "*{end}"' for end in FETCHED)
ADAPTER = "adapter_config.json"
NEXT_STEP = (
    "expected config.json, model.safetensors and the files of its tokenizer; fetch it again "
    "(docs/checkpoints.md: also where weights were published as a pickle alone)"
)
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
def loading(checkpoint: str, folder: Path, unused: tuple[str, ...] = ()) -> Iterator[None]:
    """Load a folder without progress bars; nothing that it lacks is filled in.

    Every network that is loaded in here, by us or by a library, is checked against its files.
    unused: parts of networks that the caller does not read (`weights_report.reported`). Raises
    EnvironmentFailure, in one line, if the files are incomplete, damaged, or do not fit together,
    if the weights are an adapter's or a pickle, or if a library is missing.
    """
    _check_whole(checkpoint, folder)
    level, bars = _LOG.get_verbosity(), _LOG.is_progress_bar_enabled()
    _LOG.set_verbosity_error()
    _LOG.disable_progress_bar()
    try:
        with reported(checkpoint, unused):
            yield
    except ImportError as error:
        raise EnvironmentFailure(
            f"{checkpoint}: needs a library that is not installed ({_first_line(error)})"
        ) from error
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = damaged_file(folder) or _first_line(error)
        raise EnvironmentFailure(
            f"{checkpoint}: cannot be loaded ({reason}); {NEXT_STEP}"
        ) from error
    finally:
        _LOG.set_verbosity(level)
        if bars:
            _LOG.enable_progress_bar()


def _check_whole(checkpoint: str, folder: Path) -> None:
    """Check that all weights lie in the folder, and none of them as a pickle."""
    if list(folder.rglob(ADAPTER)):
        raise EnvironmentFailure(
            f"{checkpoint}: is an adapter ({ADAPTER}), whose weights lie in another checkpoint; "
            "merge them first: `merge_and_unload` of peft, then `save_pretrained`"
        )
    for pickle in sorted(folder.rglob("pytorch_model*.bin")):
        if not any(pickle.parent.glob("*.safetensors")):
            raise EnvironmentFailure(
                f"{checkpoint}: its weights are a pickle ({pickle.relative_to(folder)}), which is "
                "not read; docs/checkpoints.md has the command that makes safetensors of it"
            )


def _first_line(error: Exception) -> str:
    """The first line of a message, and the second where the first is only its heading."""
    heading, _, rest = str(error).strip().partition("\n")
    second = rest.strip().partition("\n")[0].strip() if heading.endswith(":") else ""
    return shown(f"{heading} {second}".strip(), 240)


def _absent(checkpoint: str, revision: str | None) -> str:
    named = shown(checkpoint)[1:-1]
    given = f" --revision {shown(revision)[1:-1]}" if revision else ""
    command = FETCH.format(name=named, revision=given)
    return f"{named}: neither a folder nor a checkpoint that was fetched; fetch it with `{command}`"


def _hash(folder: Path) -> str:
    """SHA-256 over the names and bytes of all files that a checkpoint can be loaded from."""
    total = hashlib.sha256()
    for name, path in sorted(_files(folder)):
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        total.update(f"{digest}  {name}\n".encode())
    return total.hexdigest()


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Names and paths below a folder; a linked folder is entered once."""
    entered = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in entered:
            folders.clear()
            continue
        entered.add(real)
        for path in (Path(place, name) for name in names if Path(name).suffix in HASHED):
            if path.is_file():
                yield path.relative_to(folder).as_posix(), path
