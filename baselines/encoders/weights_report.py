"""Refuses weights that do not fit their network: `transformers` runs them with random numbers.

Its `from_pretrained` fills what a file lacks at random and leaves out what the network has no place
for; it says so in its log alone. Inside `reported` each such call is checked, also one that another
library makes. Tied weights and buffers of older releases are no fault (the library's own lists).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError, safe_open
from torch import nn

from harness.errors import EnvironmentFailure
from harness.files import shown

NEXT_STEP = "fetch it again, config.json and weights of one revision"
NAMED = 3  # tensors of each kind in a message
# The library's class carries no types of its own.
PreTrainedModel: Any = transformers.PreTrainedModel
# What other tasks put on top of a network. A network that has no such part runs without it.
_HEADS = re.compile(
    r"(?:^|\.)(pooler|cls|classifier|lm_head|qa_outputs|score|predictions|sop_classifier"
    r"|lm_predictions|mask_predictions|discriminator_predictions|generator_predictions"
    r"|vocab_transform|vocab_layer_norm|vocab_projector)\."
)


@contextmanager
def reported(checkpoint: str, unused: tuple[str, ...] = ()) -> Iterator[None]:
    """Check every network that `transformers` loads meanwhile, whoever calls it.

    unused: parts of networks that the caller does not read, such as "pooler". Where a file lacks
    their weights they become NaN, so that nothing random is computed with. Raises
    EnvironmentFailure, by name, if tensors are missing, unexpected or of another shape.
    """
    inner = PreTrainedModel.from_pretrained.__func__

    def from_pretrained(kind: Any, *arguments: Any, **options: Any) -> Any:
        wanted = options.pop("output_loading_info", False)
        options |= {"output_loading_info": True, "ignore_mismatched_sizes": True}
        network, report = inner(kind, *arguments, **options)
        _check_network(checkpoint, network, report, unused)
        return (network, report) if wanted else network

    PreTrainedModel.from_pretrained = classmethod(from_pretrained)
    try:
        yield
    finally:
        PreTrainedModel.from_pretrained = classmethod(inner)


def refuse_unexpected(checkpoint: str, names: Collection[str]) -> None:
    """Raise EnvironmentFailure if a file holds tensors that nothing reads."""
    _refuse(checkpoint, (), names, (), NEXT_STEP)


def check_names(
    where: str, expected: Mapping[str, Any], found: Mapping[str, Any], *, next_step: str
) -> None:
    """Check that tensors have the names and shapes of `expected`.

    where: what the message begins with. Raises EnvironmentFailure, by name, if they have not.
    """
    shapes = [
        (name, tuple(found[name].shape), tuple(expected[name].shape))
        for name in expected.keys() & found.keys()
        if found[name].shape != expected[name].shape
    ]
    missing, unexpected = expected.keys() - found.keys(), found.keys() - expected.keys()
    _refuse(where, missing, unexpected, shapes, next_step)


def damaged_file(folder: Path) -> str | None:
    """The first safetensors file below a folder that cannot be opened, and why; None if all can."""
    for path in sorted(folder.rglob("*.safetensors")):
        try:
            with safe_open(path, framework="pt"):
                pass
        except (OSError, SafetensorError) as error:
            return f"{path.relative_to(folder)} is damaged: {shown(str(error), 120)}"
    return None


def _check_network(checkpoint: str, network: Any, report: Any, unused: tuple[str, ...]) -> None:
    missing = set(report["missing_keys"])
    for name in [name for name in missing if not set(unused).isdisjoint(name.split("."))]:
        missing.remove(name)
        _set_nan(network, name)
    unexpected = [n for n in report["unexpected_keys"] if not _is_head_of_others(network, n)]
    _refuse(checkpoint, missing, unexpected, report["mismatched_keys"], NEXT_STEP)


def _set_nan(network: nn.Module, name: str) -> None:
    with torch.no_grad():
        network.get_parameter(name).fill_(torch.nan)


def _is_head_of_others(network: nn.Module, name: str) -> bool:
    """Whether a tensor belongs to a head, and the network has no part of that name."""
    match = _HEADS.search(name)
    if match is None:
        return False
    parts = {each for each, _ in network.named_modules()}
    prefix = f"{getattr(network, 'base_model_prefix', '')}."
    head = name[: match.end(1)]
    return head not in parts and head.removeprefix(prefix) not in parts


def _refuse(
    where: str,
    missing: Collection[str],
    unexpected: Collection[str],
    shapes: Collection[tuple[str, Any, Any]],
    next_step: str,
) -> None:
    """Raise EnvironmentFailure if there is anything to tell."""
    odd = (f"{shown(n)} is {_by(file)} instead of {_by(ours)}" for n, file, ours in sorted(shapes))
    faults = [
        _fault("lacks", missing, map(shown, sorted(missing))),
        _fault("holds, without a place for them,", unexpected, map(shown, sorted(unexpected))),
        _fault("has, of another shape,", shapes, odd),
    ]
    if any(faults):
        reasons = "; ".join(filter(None, faults))
        raise EnvironmentFailure(f"{where}: {reasons}; {next_step}")


def _fault(verb: str, names: Collection[Any], listed: Iterable[str]) -> str:
    if not names:
        return ""
    first = ", ".join(each for each, _ in zip(listed, range(NAMED), strict=False))
    more = "" if len(names) <= NAMED else f" and {len(names) - NAMED} more"
    return f"{verb} {len(names)} weight{'s' if len(names) > 1 else ''}: {first}{more}"


def _by(shape: Iterable[int]) -> str:
    return " x ".join(map(str, shape)) or "one number"
