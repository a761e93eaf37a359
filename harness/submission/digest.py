"""The SHA-256 of a submission: which bytes stand in which file is part of it."""

from __future__ import annotations

import hashlib


class FileDigest:
    """Length and SHA-256 of one file, whose bytes come in parts."""

    def __init__(self) -> None:
        self._length = 0
        self._sha256 = hashlib.sha256()

    def update(self, data: bytes, /) -> None:
        """Take the next bytes in."""
        self._length += len(data)
        self._sha256.update(data)

    def line(self, name: str) -> str:
        """The file's line in the digest of a submission."""
        return f"{name} {self._length} {self._sha256.hexdigest()}\n"


class SubmissionDigest:
    """SHA-256 over a line `<name> <length> <SHA-256>` for each file of a submission.

    `length` is in bytes. Compressed predictions count uncompressed and as predictions.jsonl, so how
    they are packed does not matter.
    """

    def __init__(self) -> None:
        self._files: dict[str, FileDigest] = {}

    def file(self, name: str) -> FileDigest:
        """Where the bytes of the file `name` go; files count in the order of their first call."""
        return self._files.setdefault(name, FileDigest())

    def hexdigest(self) -> str:
        """The SHA-256 of all files, in hex."""
        lines = "".join(digest.line(name) for name, digest in self._files.items())
        return hashlib.sha256(lines.encode()).hexdigest()
