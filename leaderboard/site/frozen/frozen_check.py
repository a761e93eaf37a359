"""Checking a frozen board, or a copy of it from anywhere, against its manifest."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from harness.errors import EnvironmentFailure, SubmissionError, WrongUsageError
from harness.files import shown
from harness.untrusted import UnfitFileError, open_untrusted
from leaderboard.site.frozen.carrying import entries
from leaderboard.site.frozen.manifest import MANIFEST, SUMS, Manifest, read_manifest, sha256, sums

_CHUNK = 1 << 20


class FrozenCheck(NamedTuple):
    """What a check found: the manifest, its SHA-256, and a line for each file that departs."""

    manifest: Manifest
    sha256: str
    problems: tuple[str, ...]

    def require_whole(self, folder: Path) -> None:
        """Raises SubmissionError if a file is changed, missing or added."""
        if self.problems:
            raise SubmissionError(
                f"{folder}: {len(self.problems):,} of its files are not as they were frozen; the "
                "lines above name them"
            )


def check_frozen(
    folder: Path,
    published: str | None = None,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> FrozenCheck:
    """Compare every file below `folder` with the manifest in it, and the manifest with `published`.

    Needs neither the site nor a benchmark. published: SHA-256 of the manifest, as the live board
    shows it; without it, whoever changed a file and the manifest too goes unnoticed. progress: gets
    how many bytes are done, of how many. Raises EnvironmentFailure if `folder` is absent,
    SubmissionError if it holds no manifest, WrongUsageError if `published` is no SHA-256.
    """
    wanted = None if published is None else published.strip().lower()
    if wanted is not None and (len(wanted) != 64 or set(wanted) - set("0123456789abcdef")):
        raise WrongUsageError(f"--manifest: expected 64 hex digits, found {shown(published or '')}")
    if not folder.is_dir():
        raise EnvironmentFailure(f"{folder}: expected the folder of a frozen board, found none")
    manifest, digest = read_manifest(folder)
    problems = []
    if wanted is not None and wanted != digest:
        problems.append(f"changed: {MANIFEST}: expected SHA-256 {wanted}, found {digest}")
    problems += _differences(folder, manifest, sums(manifest, digest), progress)
    return FrozenCheck(manifest, digest, tuple(problems))


def _differences(
    folder: Path, manifest: Manifest, expected_sums: bytes, progress: Callable[[int, int], None]
) -> Iterator[str]:
    files = {path: (record.sha256, record.size) for path, record in manifest.files.items()}
    files[SUMS] = sha256(expected_sums), len(expected_sums)
    there = entries(folder)
    total, done = sum(size for _, size in files.values()), 0
    for path, (digest, size) in sorted(files.items()):
        progress(done, total)
        done += size
        if path not in there:
            yield f"missing: {path}"
        elif not stat.S_ISREG(there[path]):
            yield f"changed: {path}: expected a file, found a link or something else"
        elif (found := _digest(folder / path, size)) != digest:
            yield f"changed: {path}: expected SHA-256 {digest}, found {found}"
    progress(total, total)
    for path in sorted(set(there) - {*files, MANIFEST}):
        yield f"added: {shown(path, 400)}"


def _digest(path: Path, size: int) -> str:
    """SHA-256 of a file of the expected size, else what is found instead."""
    digest, length = hashlib.sha256(), 0
    try:
        with open_untrusted(path) as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                length += len(chunk)
                if length > size:
                    return f"more than {size:,} bytes"
    except UnfitFileError as error:
        return error.text
    except OSError as error:
        return f"nothing that can be read: {error.strerror or error}"
    return digest.hexdigest()
