"""Parts: files and folders that a living process has not finished.

A part's name is .ivcr-KERNEL-RANDOM.part. Nobody can foresee RANDOM, and a part is made only where
nothing has its name, so nothing of others is written through. Its maker holds a lock (flock) on it;
the system frees the lock when the maker ends, however it ends. So a part without a lock is stale.

A kernel knows the locks of all its processes, in containers too, but not those of other machines
that share a disk. KERNEL tells one start of one machine from all others: parts of another one are
stale if the disk is of a kind that no two machines share, and are left alone elsewhere.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

OLD = "old"  # a folder in a part: what was moved away for something new
_NAME = re.compile(r"\.ivcr-([0-9a-f]{12})-[0-9a-f]{16}\.part")
_UNKNOWN = "0" * 12
_NOT_SHARED = {"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "tmpfs", "xfs"}
_MAKE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A folder that is only named to find files in it; it need not be readable.
_PLACE = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC


def open_place(folder: Path) -> int:
    """A descriptor of an existing folder, for `make_file` and the like. Raises OSError."""
    return os.open(folder, _PLACE)


def make_file(place: int) -> tuple[int, str]:
    """A new empty file in the folder `place`: its descriptor, which holds the lock, and its name.

    Raises OSError.
    """
    return _make(place, lambda name: os.open(name, _MAKE, 0o666, dir_fd=place))


def make_folder(place: int) -> tuple[int, str]:
    """A new folder in the folder `place`, for its owner alone: descriptor with the lock, and name.

    Raises OSError.
    """

    def made(name: str) -> int | None:
        os.mkdir(name, 0o700, dir_fd=place)
        try:
            return os.open(name, _OPEN_FOLDER, dir_fd=place)
        except FileNotFoundError:
            return None

    return _make(place, made)


def remove_folder(name: str, place: int) -> None:
    """Remove a part that is a folder; what it has under OLD goes back where nothing came instead.

    What cannot be removed stays for the next `remove_stale`.
    """
    with suppress(OSError):
        _put_back(name, place)
    shutil.rmtree(name, ignore_errors=True, dir_fd=place)


def remove_stale(folder: Path, *, put_back: bool = True) -> None:
    """Remove from `folder` the user's own parts whose makers have ended.

    `put_back`: whether what a part holds under OLD goes back; if not, such a part stays. It is not
    in a folder that others filled: they could have anything put there under its final name.
    What may belong to a living process stays, on this machine or another. So does what cannot be
    removed: a write does not fail because an older one left something.
    """
    with suppress(OSError):
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name in _names(place):
                if (found := _NAME.fullmatch(name)) and _lock_decides(found[1], place):
                    _remove_if_stale(name, place, put_back)
        finally:
            os.close(place)


def _make(place: int, made: Callable[[str], int | None]) -> tuple[int, str]:
    # Another process may take the part for a stale one before it is locked: then there is a next.
    while True:
        name = f".ivcr-{_kernel()}-{os.urandom(8).hex()}.part"
        descriptor = made(name)
        if descriptor is None:
            continue
        if _lock(descriptor, trusted=True) and _is_at(descriptor, name, place):
            return descriptor, name
        os.close(descriptor)


def _lock(descriptor: int, *, trusted: bool) -> bool:
    """Whether this process now holds the lock; `trusted`: the answer where there are no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return trusted
    return True


def _is_at(descriptor: int, name: str, place: int) -> bool:
    try:
        found = os.stat(name, dir_fd=place, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(found, os.fstat(descriptor))


def _remove_if_stale(name: str, place: int, put_back: bool) -> None:
    with suppress(OSError):
        found = os.stat(name, dir_fd=place, follow_symlinks=False)
        is_folder = stat.S_ISDIR(found.st_mode)
        if found.st_uid != os.geteuid() or not (is_folder or stat.S_ISREG(found.st_mode)):
            return
        flags = _OPEN_FOLDER if is_folder else _OPEN | os.O_RDWR
        descriptor = os.open(name, flags, dir_fd=place)
        try:
            if not _lock(descriptor, trusted=False) or not _is_at(descriptor, name, place):
                return
            if is_folder and not put_back and OLD in _names(descriptor):
                return
            if is_folder:
                remove_folder(name, place)
            else:
                os.unlink(name, dir_fd=place)
        finally:
            os.close(descriptor)


def _names(place: int) -> list[str]:
    with os.scandir(place) as found:
        return [entry.name for entry in found]


def _put_back(name: str, place: int) -> None:
    old = os.open(f"{name}/{OLD}", _OPEN_FOLDER, dir_fd=place)
    try:
        for each in _names(old):
            try:
                os.stat(each, dir_fd=place, follow_symlinks=False)
            except FileNotFoundError:
                os.rename(each, each, src_dir_fd=old, dst_dir_fd=place)
    finally:
        os.close(old)


def _lock_decides(kernel: str, place: int) -> bool:
    """Whether a part of `kernel` that nobody here holds is stale."""
    if kernel == _UNKNOWN or _kernel() == _UNKNOWN:
        return False
    return kernel == _kernel() or _kind_of_disk(place) in _NOT_SHARED


@cache
def _kernel() -> str:
    try:
        return sha256(Path("/proc/sys/kernel/random/boot_id").read_bytes()).hexdigest()[:12]
    except OSError:
        return _UNKNOWN


def _kind_of_disk(place: int) -> str:
    """The kind of the file system that holds a folder; empty where that is not to be found."""
    device = os.fstat(place).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    with suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/self/mountinfo").read_text("utf-8", "replace").splitlines():
            fields = line.split()
            if fields[2] == number:
                return fields[fields.index("-") + 1]
    return ""
