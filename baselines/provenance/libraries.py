"""The libraries that a baseline computes with, found in its source and in what that imports."""

from __future__ import annotations

import ast
import platform
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

_CODE = Path(__file__).parents[1]
_PACKAGE = _CODE.name
_OURS = frozenset((_PACKAGE, "harness", "leaderboard"))
# They read files and settings, train, log or fetch: no answer of a prepared baseline is theirs.
_NO_PART = frozenset(
    ("huggingface_hub", "lightning_fabric", "msgspec", "pytorch_lightning", "torchmetrics", "wandb")
)
_DISTRIBUTIONS = {"PIL": "pillow"}  # where the names differ


def versions(files: Iterable[Path]) -> dict[str, str]:
    """By name the versions of Python and of the libraries that Python files compute with.

    What the project's own modules import counts, wherever it stands in them. From the source, not
    from what is loaded: a process may have loaded more. Libraries that are absent are left out.
    """
    found = {"python": platform.python_version()}
    for name in sorted(_libraries(files)):
        distribution = _DISTRIBUTIONS.get(name, name.replace("_", "-"))
        if (version := _version(name, distribution)) is not None:
            found[distribution] = version
    return found


def device_kind(names: Iterable[str]) -> str:
    """`cuda` where torch is among the libraries and finds a GPU, else `cpu`."""
    if "torch" not in names:
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _libraries(files: Iterable[Path]) -> set[str]:
    """The top-level names of others' libraries that the files import, and what these import."""
    waiting, known, found = [*files], set[Path](), set[str]()
    while waiting:
        path = waiting.pop()
        if path in known or not path.is_file():
            continue
        known.add(path)
        for name in _imports(path, path.stat().st_mtime_ns):
            top = name.partition(".")[0]
            if top == _PACKAGE:
                waiting += _modules(name)
            elif top not in sys.stdlib_module_names and top not in _OURS | _NO_PART:
                found.add(top)
    return found


@cache
def _imports(path: Path, _modified: int) -> frozenset[str]:
    """All that a file imports; of `from a import b` both a and a.b."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return frozenset()  # whoever imports it says so
    return frozenset(_imported(tree))


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _modules(name: str) -> list[Path]:
    """Where a module of the project, and the packages that it lies in, may stand."""
    parts = name.split(".")[1:]
    folders = [_CODE.joinpath(*parts[:depth]) for depth in range(1, len(parts) + 1)]
    return [
        *(folder / "__init__.py" for folder in folders),
        *(folder.with_name(f"{folder.name}.py") for folder in folders),
    ]


@cache
def _version(module: str, distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        pass
    owners = metadata.packages_distributions().get(module)
    return metadata.version(owners[0]) if owners else None
