"""The processes of a training run, without importing torch."""

from __future__ import annotations

import os
from subprocess import Popen
from typing import Any

# Set by torchrun, SLURM, and for each node and process by Lightning's own launcher.
_RANKS = ("RANK", "SLURM_PROCID", "NODE_RANK", "LOCAL_RANK")
_STARTED: list[list[Popen[Any]]] = []


def leads() -> bool:
    """Whether this is the first process of its run: the one that writes files and notes."""
    return all(os.environ.get(name, "0") in ("", "0") for name in _RANKS)


def remember(started: list[Popen[Any]]) -> None:
    """Keep the list of the processes that a launcher started; they live for all later stages."""
    if started and not any(known is started for known in _STARTED):
        _STARTED.append(started)


def end_started() -> None:
    """End the processes that this one started for its run."""
    while _STARTED:
        launched = _STARTED.pop()
        # Emptied first: Lightning's observer kills this process too if one of its list was killed.
        others, launched[:] = [*launched], []
        for other in others:
            other.kill()
            other.wait()
