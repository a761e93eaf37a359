"""A stranger's file, opened so that it cannot hurt: plain, inside its folder, of bounded size."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

from harness.errors import SubmissionError

Reason = Literal[
    "absent", "not plain", "link out", "unreadable", "changed", "too large",
    "not compressed", "truncated", "expands", "members",
    "not UTF-8", "nested", "syntax",
]  # fmt: skip


class UnfitFileError(SubmissionError):
    """A stranger's file cannot be taken: `reason` for programs, `text` without the file's name."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


def is_absent(path: Path) -> bool:
    """Whether there is nothing of that name; not where the folder lets nobody look."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # whoever reads it says why not
        return False
    return False


@contextmanager
def open_untrusted(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading, and check that it does not change meanwhile.

    Raises UnfitFileError if it is no plain file, lies outside its folder, cannot be read or
    changes.
    """
    with _open(path) as raw:
        before = os.fstat(raw.fileno())
        yield raw
        after = os.fstat(raw.fileno())
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise UnfitFileError(
            "changed", "changed while it was read; wait until it is written, then try again"
        )


def read_small(path: Path, most: int, advice: str = "") -> bytes:
    """The bytes of a file that has at most `most` of them.

    `advice`: what to do about a larger one, for which UnfitFileError is raised. Raises it as
    `open_untrusted` does, too.
    """
    with open_untrusted(path) as raw:
        size, data = os.fstat(raw.fileno()).st_size, b""
        if size <= most:
            try:
                data = raw.read(most + 1)
            except OSError as error:
                raise unreadable(error) from error
    if max(size, len(data)) > most:
        found = max(size, len(data))
        raise UnfitFileError(
            "too large", f"expected at most {most:,} bytes, found {found:,}{advice}"
        )
    return data


def unreadable(error: BaseException) -> UnfitFileError:
    """The error for a file that the system does not let be read."""
    reason = getattr(error, "strerror", None) or error
    step = "check its permissions, or upload it again"
    if isinstance(error, FileNotFoundError):
        step = "put the file itself there"
    return UnfitFileError("unreadable", f"cannot be read: {reason}; {step}")


def _open(path: Path) -> IO[bytes]:
    try:
        target = path.resolve(strict=True)
        if not target.is_relative_to(path.parent.resolve(strict=True)):
            raise UnfitFileError(
                "link out", "is a link out of the submission's folder; put the file itself there"
            )
        if not stat.S_ISREG(target.lstat().st_mode):
            raise UnfitFileError("not plain", _not_plain(target.lstat().st_mode))
        # Without waiting and without following: the name may have changed hands since.
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
        raw = os.fdopen(os.open(target, flags), "rb", buffering=0)
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error, FileNotFoundError) and not path.is_symlink():
            raise UnfitFileError("unreadable", f"cannot be read: {error.strerror}") from error
        raise unreadable(error) from error
    if not stat.S_ISREG(os.fstat(raw.fileno()).st_mode):
        raw.close()
        raise UnfitFileError("not plain", _not_plain(0))
    return raw


def _not_plain(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    found = kinds.get(stat.S_IFMT(mode), "a device")
    return f"expected a plain file, found {found}; put the file itself there"
