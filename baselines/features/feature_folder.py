"""A folder of features on disk: what it is, and one that is opened.

`features.json` describes it (FeatureHeader); few large files in the format of safetensors hold the
rows. Each has a text `videos` in its metadata, the ids of its videos as a JSON list, and tensors:
`ends`, (videos,), the number of rows up to the end of each video; `times`, (rows,), in ms from the
video's first frame, the middle of what a row shows; `rows`, (rows, width). Files are mapped, never
loaded whole. A file is hashed again if it was changed since it was written, which its time of
modification shows (as in baselines/video/feature_cache.py).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from baselines.features.tensor_files import TensorPlace, map_tensor, read_header
from baselines.video.feature_cache import SEAL, Rows
from harness.errors import EnvironmentFailure
from harness.files import canonical, shown
from harness.untrusted import UnfitFileError, json_document, read_small

HEADER = "features.json"
MOST_HEADER = 1 << 26  # bytes: the skipped videos are listed in it
NEXT_STEP = "make it again with `ivcr features build` or `ivcr features import`"
Times = NDArray[np.int32]


class FeatureShard(Struct, frozen=True):
    """A file of rows."""

    file: str
    sha256: str
    videos: int
    rows: int


class FeatureSource(Struct, frozen=True):
    """A file that features were imported from."""

    file: str
    sha256: str


class FeatureHeader(Struct, frozen=True, omit_defaults=True):
    """features.json. Where rows come from: `encoder` and `frames` if built, `sources` if imported.

    name: how people call them. dtype: of the rows on disk. rate: rows a second, None if times were
    in the files. skipped: by video id why it has no rows.
    """

    schema: int
    name: str
    kind: Literal["built", "imported"]
    benchmark: str
    fingerprint: str
    width: int
    dtype: Literal["float16", "float32"]
    videos: int
    rows: int
    shards: tuple[FeatureShard, ...]
    encoder: str | None = None
    parameters: int | None = None
    frames: dict[str, Any] | None = None
    sources: tuple[FeatureSource, ...] = ()
    rate: float | None = None
    skipped: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def key(self) -> str:
        """A hash of the contents: rows, times and ids, not of where they come from."""
        content = [self.width, self.dtype, [shard.sha256 for shard in self.shards]]
        return hashlib.sha256(canonical(content)).hexdigest()


class _Place(NamedTuple):
    """Where the rows of a video stand: in which shard, from which row to which."""

    shard: int
    first: int
    last: int


class FeatureFolder(Mapping[str, Rows]):
    """Rows by video id, (frames, width), float32, read-only; `times` gives their times in ms."""

    def __init__(self, path: Path) -> None:
        """Open a folder. Raises EnvironmentFailure if it is absent, damaged or of another kind."""
        self.path = path
        self.header = read_feature_header(path)
        self._places: dict[str, _Place] = {}
        self._times: list[Times] = []
        self._rows: list[TensorPlace] = []
        self._mapped: dict[int, NDArray[Any]] = {}
        for number, shard in enumerate(self.header.shards):
            try:
                self._index(number, shard)
            except (UnfitFileError, msgspec.DecodeError, KeyError, ValueError, OSError) as error:
                raise EnvironmentFailure(
                    f"{path / shard.file}: not as it was written: {error}; {NEXT_STEP}"
                ) from error

    def __getitem__(self, video_id: str) -> Rows:
        place = self._places[video_id]
        rows = self._shard(place.shard)[place.first : place.last].astype(np.float32, copy=False)
        rows.flags.writeable = False
        return rows

    def times(self, video_id: str) -> Times:
        """The times of a video's rows, (frames,), in ms. Raises KeyError if it has none."""
        place = self._places[video_id]
        return self._times[place.shard][place.first : place.last]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __getstate__(self) -> dict[str, Any]:
        """For a data loader's processes, which map the files themselves."""
        return self.__dict__ | {"_mapped": {}}

    def verify(self) -> None:
        """Hash all files again. Raises EnvironmentFailure if one was changed."""
        for shard in self.header.shards:
            if _sha256(self.path / shard.file) != shard.sha256:
                raise EnvironmentFailure(
                    f"{self.path / shard.file}: its contents do not match its hash; {NEXT_STEP}"
                )

    def _shard(self, number: int) -> NDArray[Any]:
        if number not in self._mapped:
            file = self.path / self.header.shards[number].file
            self._mapped[number] = map_tensor(file, self._rows[number])
        return self._mapped[number]

    def _index(self, number: int, shard: FeatureShard) -> None:
        """Take up the videos of a shard. Raises ValueError, KeyError if it is damaged."""
        file = self.path / shard.file
        _check_seal(file, shard.sha256)
        tensors, metadata = read_header(file)
        ids = msgspec.json.decode(metadata["videos"], type=list[str])
        ends = np.array(map_tensor(file, tensors["ends"]))  # (videos,)
        times = np.array(map_tensor(file, tensors["times"]))  # (rows,)
        times.flags.writeable = False
        rows, kind = tensors["rows"], np.dtype(self.header.dtype)
        expected = [
            ((len(ids),), np.dtype("<i8")),
            ((shard.rows,), np.dtype("<i4")),
            ((shard.rows, self.header.width), kind),
        ]
        found = [(each.shape, each.kind) for each in (tensors["ends"], tensors["times"], rows)]
        starts = np.concatenate([np.zeros(1, np.int64), ends])
        if found != expected or len(ids) != shard.videos or (np.diff(starts) < 1).any():
            raise ValueError("its parts do not belong together")
        if starts[-1] != shard.rows or len({*ids, *self._places}) != len(ids) + len(self._places):
            raise ValueError("its parts do not belong together")
        for video_id, first, last in zip(ids, starts[:-1].tolist(), ends.tolist(), strict=True):
            self._places[video_id] = _Place(number, first, last)
        self._times.append(times)
        self._rows.append(rows)


def read_feature_header(folder: Path) -> FeatureHeader:
    """features.json of a folder. Raises EnvironmentFailure if there is none that can be read."""
    path = folder / HEADER
    if not path.is_file():
        raise EnvironmentFailure(
            f"{folder}: expected a folder of features, found no {HEADER}; {NEXT_STEP}"
        )
    try:
        header = msgspec.convert(
            json_document(read_small(path, MOST_HEADER), object), FeatureHeader
        )
    except (UnfitFileError, msgspec.ValidationError) as error:
        raise EnvironmentFailure(f"{path}: {error}; {NEXT_STEP}") from error
    if header.schema != 1 or any(Path(shard.file).name != shard.file for shard in header.shards):
        raise EnvironmentFailure(
            f"{path}: expected schema 1 with files beside it, found {header.schema}, "
            f"{shown(', '.join(shard.file for shard in header.shards))}; update the harness"
        )
    return header


def _check_seal(file: Path, sha256: str) -> None:
    """Hash a file that was changed or copied since it was written. Raises ValueError, OSError."""
    if file.stat().st_mtime_ns == SEAL:
        return
    if _sha256(file) != sha256:
        raise ValueError("its contents do not match its hash")
    with suppress(OSError):  # a read-only folder is hashed each time
        os.utime(file, ns=(SEAL, SEAL))


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
