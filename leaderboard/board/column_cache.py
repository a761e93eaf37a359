"""Headline columns kept from build to build: an outcomes file is unpacked once, not for each test.

They tell figures turn by turn, as the results folder does, and lie in it.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection
from pathlib import Path

import msgspec
import numpy as np
from msgspec import Struct

from harness.files import write
from harness.publication.disclosure import rounding_error
from leaderboard.board.outcomes import NAME, TurnValues, require_figure, turn_values
from leaderboard.board.records import Entry
from leaderboard.results.description import Bench, MetricInfo

DIGEST = hashlib.sha256().digest_size
FASTEST = 1  # of zlib's levels
FileStamp = tuple[int, int, int, int]  # size, times of change (ns) and inode


class _Column(Struct, frozen=True, array_like=True, gc=False):
    """A metric's values and weights, packed; `stamp`: of the outcomes file they were read from."""

    stamp: FileStamp
    packed: bytes


class ColumnCache:
    """Columns of a board's runs, by the key of a run's result, then by metric."""

    def __init__(self, path: Path | None = None) -> None:
        """`path`: the file of the last build, None to keep nothing; a damaged file is ignored."""
        self._path = path
        self._columns = {} if path is None else _read(path)

    def turn_values(self, run: Entry, metric: MetricInfo, folder: Path) -> TurnValues | None:
        """As leaderboard.board.outcomes.turn_values, of `run`, whose outcomes lie in `folder`."""
        rounding = rounding_error(metric.unit) if run.rounded else 0.0
        stamp = None if self._path is None else _stamp(folder / NAME)
        kept = self._columns.get(run.result, {}).get(metric.name)
        if kept is not None and kept.stamp == stamp:
            found = TurnValues(*np.frombuffer(zlib.decompress(kept.packed)).reshape(2, -1))
            require_figure(found, run.scores, metric.name, rounding=rounding)
            return found
        read = turn_values(folder, run.scores, metric.name, rounding=rounding)
        if read is not None and stamp is not None:
            packed = zlib.compress(np.stack(read).tobytes(), FASTEST)
            self._columns.setdefault(run.result, {})[metric.name] = _Column(stamp, packed)
        return read

    def save(self, results: Collection[str]) -> None:
        """Keep the columns of these results and no others. Raises EnvironmentFailure."""
        if self._path is not None:
            kept = {key: self._columns[key] for key in sorted(results) if key in self._columns}
            data = msgspec.msgpack.encode(kept)
            write(self._path, hashlib.sha256(data).digest() + data, durable=False)


def columns_path(results: Path, bench: Bench) -> Path:
    """Where the columns of a board stand in the results folder."""
    board = hashlib.sha256(f"{bench.fingerprint} {bench.split}".encode()).hexdigest()
    return results / f"columns-{board[:16]}"


def _read(path: Path) -> dict[str, dict[str, _Column]]:
    try:
        data = path.read_bytes()
        kept = msgspec.msgpack.decode(data[DIGEST:], type=dict[str, dict[str, _Column]])
    except (OSError, msgspec.DecodeError):  # none: columns are read from the outcomes
        return {}
    return kept if hashlib.sha256(data[DIGEST:]).digest() == data[:DIGEST] else {}


def _stamp(path: Path) -> FileStamp | None:
    try:
        found = path.stat()
    except OSError:  # whoever reads it says why
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino
