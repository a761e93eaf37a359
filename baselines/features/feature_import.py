"""Takes over features that others computed: an array a video, in npz, safetensors or HDF5.

An array named ID, or ID/features, has the rows of a video, (frames, width), float16, float32 or
float64; an array ID/times beside it the seconds from the video's first frame, (frames,), at which
the middle of each row stands. Without times `rate` says how many rows a second has: row i stands at
(i + 1/2) / rate. A file whose arrays are `features` and `times` alone is of the video that its own
name means. Rows are kept as float16 if all are, else as float32. Every array is read once, and its
numbers are checked before the folder takes its place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.features.array_files import DeclaredArray
from baselines.features.array_formats import ArrayFiles
from baselines.features.feature_folder import FeatureHeader, FeatureSource, Times
from baselines.features.feature_writing import require_new, write_features
from baselines.features.import_report import length_lines, match_lines
from baselines.features.video_names import NameMatches, match_names
from baselines.progress_notes import ProgressNotes
from baselines.video.feature_cache import Rows
from harness.benchmark import Benchmark
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.files import shown

ROWS, TIMES = "features", "times"
FLOATS = (np.dtype("<f2"), np.dtype("<f4"), np.dtype("<f8"))
LATEST = 24 * 3600  # seconds
MEBIBYTE = 1 << 20  # bytes
Note = Callable[[str], None]


class VideoArrays(NamedTuple):
    """Where the rows of a video lie: in which file, by which names; what is declared of them."""

    path: Path
    rows: str
    declared: DeclaredArray
    times: str | None

    @property
    def place(self) -> str:
        """How errors name them."""
        return f"{self.path}: array {shown(self.rows)}"


def import_features(
    files: Sequence[Path],
    benchmark: Benchmark,
    out: Path,
    *,
    rate: float | None = None,
    name: str = "",
    note: Note,
) -> FeatureHeader:
    """Write the folder `out` with the features of the benchmark's videos that `files` hold.

    rate: rows a second (None: times are in the files). name: how people call the features (empty:
    the file's, of several files their folder's). note: gets lines on how ids were matched, what is
    missing, what does not fit the videos' durations, and on progress where it takes seconds. Raises
    EnvironmentFailure, with file and video, at what cannot be taken, WrongUsageError if rate and
    times contradict or `out` is taken.
    """
    require_new(out)
    if rate is not None and not 0 < rate < float("inf"):
        raise WrongUsageError(f"--rate: expected rows a second above 0, found {rate}")
    with closing(ArrayFiles()) as reader:
        arrays: dict[str, VideoArrays] = {}
        opening = ProgressNotes(note, "lists of arrays read", "files")
        for done, path in enumerate(files):
            opening.update(done, len(files))
            _add(arrays, path, reader.arrays(path))
        matches = match_names(arrays, benchmark.videos)
        _require_some(files, benchmark, matches)
        for line in match_lines(matches, benchmark.videos):
            note(line)
        found = {video_id: arrays[of] for video_id, of in sorted(matches.names.items())}
        width, kind = _common_shape(found)
        times = {video_id: _times_of(of, rate, reader) for video_id, of in found.items()}
        for line in length_lines(times, rate, benchmark.videos):
            note(line)
        header = FeatureHeader(
            schema=1,
            name=name or _name_of(files),
            kind="imported",
            benchmark=benchmark.header.name,
            fingerprint=benchmark.header.fingerprint,
            width=width,
            dtype="float16" if kind == np.float16 else "float32",
            videos=0,
            rows=0,
            shards=(),
            sources=_sources(files, note),
            rate=rate,
        )
        places, notes = count(), ProgressNotes(note, "rows taken over", "videos")

        def rows_of(video_id: str) -> Rows:
            notes.update(next(places), len(found))
            return _rows_of(found[video_id], kind, reader)

        return write_features(out, header, times, rows_of)


def _name_of(files: Sequence[Path]) -> str:
    return files[0].stem if len(files) == 1 else files[0].resolve().parent.name


def _add(arrays: dict[str, VideoArrays], path: Path, contents: Mapping[str, DeclaredArray]) -> None:
    """Take up what a file declares, by the names of videos. Raises EnvironmentFailure."""
    for name, declared in contents.items():
        video, last = _split(name)
        if last == TIMES:
            continue
        video = video or path.stem
        beside = f"{video}/{TIMES}" if name != ROWS else TIMES
        of = VideoArrays(path, name, declared, beside if beside in contents else None)
        if declared.kind.newbyteorder("<") not in FLOATS:
            raise EnvironmentFailure(
                f"{of.place}: is of type {declared.kind}; expected float16, float32 or float64"
            )
        if len(declared.shape) != 2 or 0 in declared.shape:
            raise EnvironmentFailure(
                f"{of.place}: has the shape {declared.shape}; expected (frames, width), both at "
                "least 1: take the mean over places and windows first"
            )
        if video in arrays:
            raise EnvironmentFailure(
                f"{of.place}: a second array of {shown(video)}, after {arrays[video].place}; give "
                "one of them"
            )
        arrays[video] = of


def _split(name: str) -> tuple[str, str]:
    """The video that an array's name means, empty for the file's own, and what it holds."""
    before, _, last = name.rpartition("/")
    return (before, last) if last in (ROWS, TIMES) else (name, ROWS)


def _require_some(files: Sequence[Path], benchmark: Benchmark, matches: NameMatches) -> None:
    if not matches.names:
        theirs = next(iter((*matches.unknown, *matches.ambiguous)), None)
        ours = next(iter(benchmark.videos), "")
        raise EnvironmentFailure(
            f"{', '.join(map(str, files[:3]))}: no array is of a video of the benchmark: arrays "
            f"are called such as {shown(theirs) if theirs else 'nothing, there is none'}, videos "
            f"such as {shown(ours)}; name the arrays by the videos' ids"
        )


def _common_shape(found: Mapping[str, VideoArrays]) -> tuple[int, np.dtype[Any]]:
    """The width of all rows and the type to keep them in. Raises EnvironmentFailure."""
    first = next(iter(found.values()))
    width = first.declared.shape[1]
    for of in found.values():
        if of.declared.shape[1] != width:
            raise EnvironmentFailure(
                f"{of.place}: has rows of {of.declared.shape[1]} numbers, {first.place} of "
                f"{width}; expected one width: import features of another kind into a folder of "
                "their own"
            )
    half = all(of.declared.kind.itemsize == 2 for of in found.values())
    return width, np.dtype(np.float16 if half else np.float32)


def _times_of(of: VideoArrays, rate: float | None, reader: ArrayFiles) -> Times:
    """The times of a video's rows, (frames,), in ms. Raises EnvironmentFailure, WrongUsageError."""
    frames = of.declared.shape[0]
    if rate is not None and of.times is not None:
        raise WrongUsageError(
            f"{of.path}: has times of its own (array {shown(of.times)}); leave --rate out"
        )
    if rate is not None:
        seconds = (np.arange(frames) + 0.5) / rate
    elif of.times is not None:
        seconds = _read_times(of, of.times, reader)
    else:
        raise WrongUsageError(
            f"{of.place}: has no times beside it ({shown(of.rows + '/' + TIMES)}); say how many "
            "rows a second has with --rate, such as --rate 1"
        )
    if seconds[-1] > LATEST:
        raise EnvironmentFailure(
            f"{of.place}: its last row would stand at {seconds[-1]:,.0f} s; expected seconds, at "
            f"most {LATEST:,}"
        )
    return np.asarray(np.rint(seconds * 1000), np.int32)


def _read_times(of: VideoArrays, name: str, reader: ArrayFiles) -> NDArray[np.float64]:
    """The seconds of an array of times, (frames,). Raises EnvironmentFailure."""
    declared = reader.arrays(of.path)[name]
    expected = (
        f"expected seconds that ascend from 0 on, one for each of {of.declared.shape[0]} rows"
    )
    if declared.shape != of.declared.shape[:1] or declared.kind.kind not in "fi":
        raise EnvironmentFailure(
            f"{of.path}: array {shown(name)}: has the shape {declared.shape}; {expected}"
        )
    seconds = reader.read(of.path, name).astype(np.float64)
    if not np.isfinite(seconds).all() or seconds[0] < 0 or (np.diff(seconds) < 0).any():
        raise EnvironmentFailure(f"{of.path}: array {shown(name)}: {expected}, found others")
    return seconds


def _rows_of(of: VideoArrays, kind: np.dtype[Any], reader: ArrayFiles) -> Rows:
    """The rows of a video, (frames, width). Raises EnvironmentFailure at NaN and infinity."""
    with np.errstate(over="ignore"):
        rows = reader.read(of.path, of.rows).astype(kind)
    if not (fine := np.isfinite(rows)).all():
        at = int(np.flatnonzero(~fine.all(axis=1))[0])
        raise EnvironmentFailure(
            f"{of.place}: row {at} holds NaN, infinity or a number beyond float32; compute the "
            "features of this video again"
        )
    return rows


def _sources(files: Sequence[Path], note: Note) -> tuple[FeatureSource, ...]:
    """Name and SHA-256 of each file; they are read from end to end."""
    notes = ProgressNotes(note, "files hashed", "MiB")
    total, done, sources = sum(path.stat().st_size for path in files), 0, []
    for path in files:
        digest = hashlib.sha256()
        with path.open("rb") as stream:
            while chunk := stream.read(MEBIBYTE):
                digest.update(chunk)
                done += len(chunk)
                notes.update(done // MEBIBYTE, total // MEBIBYTE)
        sources.append(FeatureSource(path.name, digest.hexdigest()))
    return tuple(sources)
