"""One writer of a site at a time: a build must not replace a site while a board is frozen in it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def locked_site(site: Path) -> Iterator[None]:
    """Wait until no other process builds or freezes `site`, and keep others waiting in the block.

    Nothing where there is no such folder. The system frees the lock when a process ends.
    """
    descriptor = _lock(site)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _lock(site: Path) -> int | None:
    while True:
        try:
            descriptor = os.open(site, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return None
        with suppress(OSError):  # a disk without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        # A build that was waited for has put another folder there.
        with suppress(OSError):
            if os.path.samestat(os.fstat(descriptor), site.stat()):
                return descriptor
        os.close(descriptor)
