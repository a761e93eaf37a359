"""Writes a folder of features: shards one after the other, each video's rows read once.

The same rows, times and description give the same bytes. The folder takes its place when all of it
is written; a killed process leaves nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec
import numpy as np

from baselines.features.feature_folder import HEADER, FeatureHeader, FeatureShard, Times
from baselines.features.tensor_files import write_header
from baselines.video.feature_cache import SEAL, Rows
from harness.errors import WrongUsageError
from harness.files import canonical, open_replacement, readable, write
from harness.replacement import replaced_folder

SHARD_BYTES = 1 << 30  # of rows in a file, if no single video has more
RowsOf = Callable[[str], Rows]


def require_new(out: Path) -> None:
    """Raises WrongUsageError if there is something at `out`, before anything is computed."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise WrongUsageError(
            f"{out}: expected a new folder, found something there; remove it, or name another --out"
        )


def write_features(
    out: Path, header: FeatureHeader, times: Mapping[str, Times], rows_of: RowsOf
) -> FeatureHeader:
    """Write the folder `out`, which must be new, in the order of the videos' ids.

    header: without counts and shards, which are filled in and returned. times: by video id, (n,) in
    ms. rows_of: a video's rows, (n, width), asked for once each. Raises EnvironmentFailure if the
    disk fails, ValueError if a video has not as many rows as times.
    """
    kind, shards = np.dtype(header.dtype), []
    with replaced_folder(out, must_be_new=True, parents=True) as folder:
        for number, ids in enumerate(_shards(times, header.width * kind.itemsize), start=1):
            path = folder / f"features-{number:05}.safetensors"
            with open_replacement(path, modified=SEAL) as stream:
                hashed = _Hashed(stream)
                _write_shard(hashed, ids, times, rows_of, (header.width, kind))
            rows = sum(len(times[video_id]) for video_id in ids)
            shards.append(FeatureShard(path.name, hashed.sha256, len(ids), rows))
        done = msgspec.structs.replace(
            header,
            videos=len(times),
            rows=sum(shard.rows for shard in shards),
            shards=tuple(shards),
        )
        write(folder / HEADER, readable(msgspec.to_builtins(done)))
    return done


class _Hashed:
    """A stream whose SHA-256 is known when all is written."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._total = stream, hashlib.sha256()

    def write(self, data: bytes | memoryview) -> int:
        self._total.update(data)
        return self._stream.write(data)

    @property
    def sha256(self) -> str:
        return self._total.hexdigest()


def _shards(times: Mapping[str, Times], row_bytes: int) -> Iterator[list[str]]:
    """The ids of the videos of each file, in order."""
    ids: list[str] = []
    size = 0
    for video_id in sorted(times):
        length = len(times[video_id]) * row_bytes
        if ids and size + length > SHARD_BYTES:
            yield ids
            ids, size = [], 0
        ids.append(video_id)
        size += length
    if ids:
        yield ids


def _write_shard(
    stream: Any,
    ids: Sequence[str],
    times: Mapping[str, Times],
    rows_of: RowsOf,
    row: tuple[int, np.dtype[Any]],
) -> None:
    ends = np.cumsum([len(times[video_id]) for video_id in ids], dtype="<i8")
    width, kind = row
    tensors = {
        "ends": (ends.dtype, ends.shape),
        "times": (np.dtype("<i4"), (int(ends[-1]),)),
        "rows": (kind.newbyteorder("<"), (int(ends[-1]), width)),
    }
    write_header(stream, tensors, {"videos": canonical(list(ids)).decode()})
    stream.write(ends.tobytes())
    for video_id in ids:
        stream.write(times[video_id].astype("<i4").tobytes())
    for video_id in ids:
        rows = np.ascontiguousarray(rows_of(video_id), kind.newbyteorder("<"))
        if rows.shape != (len(times[video_id]), width):
            raise ValueError(
                f"{video_id}: expected {len(times[video_id])} rows of {width}, got {rows.shape}"
            )
        stream.write(rows.reshape(-1).view(np.uint8).data)
