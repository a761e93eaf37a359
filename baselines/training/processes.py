"""The processes of a training run on this machine: started, watched and ended, without torch.

Lightning's own launcher is not used: its processes can be ended only by names that are private to
Lightning, and it kills this process as well when one of them ends. Instead this module keeps to
Lightning's contract for clusters: a process that finds LOCAL_RANK in its environment takes part in
a run that was started outside of Lightning.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from subprocess import Popen
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lightning_fabric.plugins import ClusterEnvironment

# Set by torchrun, by SLURM, and for each node and process by `start_others`.
_RANKS = ("RANK", "SLURM_PROCID", "NODE_RANK", "LOCAL_RANK")
_OTHERS: list[Popen[Any]] = []
GRACE = 5.0  # seconds in which this process may notice by itself that another one has failed


def is_main_process() -> bool:
    """Whether this is the first process of its run: the one that writes files and notes."""
    return all(os.environ.get(name, "0") in ("", "0") for name in _RANKS)


def start_others(environment: ClusterEnvironment, devices: int, nodes: int) -> None:
    """Start the other processes of this node: the same command, each with its own LOCAL_RANK.

    devices: processes of this node; nodes: of the run. Does nothing where all processes have been
    started already: by torchrun, by SLURM, or by this function in an earlier stage.
    """
    if environment.creates_processes_externally:
        return
    os.environ |= {
        "MASTER_ADDR": environment.main_address,
        "MASTER_PORT": str(environment.main_port),
        "NODE_RANK": str(environment.node_rank()),
        "WORLD_SIZE": str(devices * nodes),
        "LOCAL_RANK": "0",
    }
    command = [sys.executable, *sys.orig_argv[1:]]
    for rank in range(1, devices):
        other = Popen(command, env={**os.environ, "LOCAL_RANK": str(rank)})  # noqa: S603 - itself
        _OTHERS.append(other)
        threading.Thread(target=_follow, args=(other,), daemon=True).start()


def end_others() -> None:
    """End the processes that this one has started for its run."""
    while _OTHERS:
        other = _OTHERS.pop()
        other.kill()
        other.wait()


def _follow(other: Popen[Any]) -> None:
    """End this process if another one of its run fails: it might wait for that one for ever."""
    if other.wait():
        time.sleep(GRACE)
        if other in _OTHERS:
            # A process that waits in a collective operation reacts to no other signal.
            os.kill(os.getpid(), signal.SIGKILL)
