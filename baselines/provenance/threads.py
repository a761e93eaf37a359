"""The number of threads of a run: another number adds in another order, and the last bit moves."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from threadpoolctl import threadpool_limits

_NAMES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def usual_threads() -> int:
    """What OMP_NUM_THREADS says, else the number of processors that this process may use."""
    first = os.environ.get(_NAMES[0], "").partition(",")[0].strip()
    if first.isdecimal() and int(first) > 0:
        return int(first)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def computing_with(threads: int) -> Iterator[None]:
    """Let NumPy and torch compute with so many threads, in processes that are started here too.

    For libraries that are loaded in the block the environment says it; the process' environment
    and the libraries that were loaded before are as they were after the block.
    """
    # Loaded first: once it is, its number can be more than there are processors, not before.
    import numpy  # noqa: F401

    before = {name: os.environ.get(name) for name in _NAMES}
    os.environ.update(dict.fromkeys(_NAMES, str(threads)))
    torch: Any = sys.modules.get("torch")
    of_torch = torch.get_num_threads() if torch else 0
    try:
        with threadpool_limits(limits=threads):
            if torch:
                torch.set_num_threads(threads)
            yield
    finally:
        if torch:
            torch.set_num_threads(of_torch)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
