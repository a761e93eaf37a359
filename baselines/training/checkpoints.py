"""Trained weights in a folder: weights.safetensors and checkpoint.json, no pickle."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import safetensors
import safetensors.torch
from msgspec import Struct
from torch import Tensor

from baselines.training.processes import is_main_process
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.files import make_folder, readable, shown, write
from harness.untrusted import UnfitFileError, json_document

WEIGHTS, ABOUT_WEIGHTS = "weights.safetensors", "checkpoint.json"
SCHEMA = 1


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    """checkpoint.json; `weights` is the SHA-256 (hex) of weights.safetensors."""

    schema: int
    baseline: str
    settings: dict[str, Any]
    facts: dict[str, Any]
    weights: str


class Checkpoint(NamedTuple):
    """A checkpoint as `load` reads it. sha256: hex, over both files."""

    settings: dict[str, Any]
    weights: dict[str, Tensor]
    facts: dict[str, Any]
    sha256: str


def save(
    folder: Path,
    *,
    baseline: str,
    settings: Struct,
    weights: Mapping[str, Tensor],
    facts: dict[str, Any],
) -> None:
    """Write both files into `folder`, checkpoint.json last; same values, same bytes.

    weights: tensors of any shape by name. facts: plain JSON values that a reader should know, such
    as seed, steps and validation figures. Of several processes only the first one writes. Raises
    EnvironmentFailure if the disk fails.
    """
    if not is_main_process():
        return
    data = to_safetensors(weights)
    about = _Document(
        SCHEMA, baseline, msgspec.to_builtins(settings), facts, hashlib.sha256(data).hexdigest()
    )
    make_folder(folder)
    write(folder / WEIGHTS, data)
    write(folder / ABOUT_WEIGHTS, readable(about))


def load(folder: Path, *, baseline: str | tuple[str, ...]) -> Checkpoint:
    """Read a checkpoint that `save` wrote for `baseline` (or one of several), on the CPU.

    Raises EnvironmentFailure if it is absent or damaged, WrongUsageError if it belongs to another
    baseline.
    """
    names = (baseline,) if isinstance(baseline, str) else baseline
    raw = _read(folder / ABOUT_WEIGHTS, names[0])
    try:
        about = json_document(raw, _Document)
    except UnfitFileError as error:
        raise _damage(folder / ABOUT_WEIGHTS, str(error)) from error
    if about.schema != SCHEMA:
        raise EnvironmentFailure(
            f"{folder / ABOUT_WEIGHTS}: expected schema {SCHEMA}, found {about.schema}; "
            "update the harness or train again"
        )
    if about.baseline not in names:
        raise WrongUsageError(
            f"{folder}: expected a checkpoint of {' or '.join(names)}, found one of "
            f"{shown(about.baseline)}; name the right folder"
        )
    data = _read(folder / WEIGHTS, about.baseline)
    if hashlib.sha256(data).hexdigest() != about.weights:
        raise _damage(folder / WEIGHTS, f"its hash is not the one in {ABOUT_WEIGHTS}")
    return Checkpoint(
        about.settings, from_safetensors(folder / WEIGHTS, data), about.facts, _sha(raw)
    )


def checkpoint_folder(folder: str, baseline: str) -> Path:
    """The trained folder that a setting names. Raises WrongUsageError if the setting is empty."""
    if not folder:
        raise WrongUsageError(
            f"{baseline} needs trained weights: make them with `ivcr baseline train {baseline} ...`"
            f" (`ivcr baseline info {baseline}` shows the whole command), then give --set "
            "checkpoint=FOLDER"
        )
    return Path(folder)


def to_safetensors(weights: Mapping[str, Tensor]) -> bytes:
    """Tensors of any shape as a safetensors file; tensors that share memory are written twice."""
    copies = {name: tensor.detach().cpu().clone() for name, tensor in weights.items()}
    return safetensors.torch.save({name: tensor.contiguous() for name, tensor in copies.items()})


def from_safetensors(path: Path, data: bytes) -> dict[str, Tensor]:
    """The tensors of a safetensors file, each of its own shape.

    Raises EnvironmentFailure, naming `path`, if the data are not in that format.
    """
    try:
        return safetensors.torch.load(data)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise _damage(path, str(error)) from error


def _sha(raw: bytes) -> str:
    """Hash of checkpoint.json, which holds the hash of the weights: so of both files."""
    return hashlib.sha256(raw).hexdigest()


def _read(path: Path, baseline: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise EnvironmentFailure(
            f"{path}: cannot be read: {error.strerror or error}; expected a checkpoint of "
            f"{baseline}, as `ivcr baseline train` makes it (`ivcr baseline info {baseline}` "
            "shows how)"
        ) from error


def _damage(path: Path, reason: str) -> EnvironmentFailure:
    return EnvironmentFailure(f"{path}: damaged: {reason}; copy it again or train again")
