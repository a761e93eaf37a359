"""The frame network of a trained folder as an encoder of frames, for `ivcr features build`."""

from __future__ import annotations

from pathlib import Path

from baselines.networks.frame_network import FrameNetwork, FrameNetworkEncoder
from baselines.training import checkpoints
from harness.errors import WrongUsageError

PREFIX = "frames."  # of its weights' names in a checkpoint
BASELINES = ("tan2d", "moment_detr", "two_tower")  # that may train one


def load_own_frames(folder: Path) -> FrameNetworkEncoder:
    """The frame network that a localiser or retriever trained.

    Raises EnvironmentFailure if the folder is absent or damaged, WrongUsageError if it holds none:
    because it was trained on features, or by another baseline.
    """
    stored = checkpoints.load(folder, baseline=BASELINES)
    weights = {
        name.removeprefix(PREFIX): weight
        for name, weight in stored.weights.items()
        if name.startswith(PREFIX)
    }
    network = FrameNetwork()
    if weights.keys() != network.state_dict().keys():
        raise WrongUsageError(
            f"{folder}: expected a trained folder with a frame network, found one without; train "
            "on pixels (reader=frames, no features), or name a checkpoint of pictures"
        )
    network.load_state_dict(weights)
    return FrameNetworkEncoder(network)
