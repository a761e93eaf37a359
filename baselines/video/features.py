"""Features of a benchmark's videos, one row a frame: decoded, encoded, cached, mapped from disk.

A video that cannot be read is skipped as a whole and reported: one without a path, whose path
leaves the videos' folder, whose file is missing, or whose file is corrupt (it cannot be decoded
from its first frame to its last). Cached features are keyed by the file's SHA-256, the sampler, the
encoder and the decoder's version, so that a changed file or library never gets old features.
"""

from __future__ import annotations

import hashlib
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec
import numpy as np

from baselines.progress_notes import ProgressNotes
from baselines.video.decoding import decode_videos
from baselines.video.feature_cache import FeatureRecord, FeatureStore, Rows
from baselines.video.sampling import SCALING, Frames, Sampler, library
from baselines.video.video_files import HashIndex, hash_files, locate_files
from harness.benchmark import LEAVES, VIDEOS_ROOT
from harness.files import shown
from harness.records import Video
from harness.replacement import temporary_folder

Note = Callable[[str], None]
TOLERANCE = 1000  # ms by which a duration may differ from the frames
# What helps against reasons to skip a video, by their kind.
HINTS = {
    "no path": "for those without a path: `ivcr data import --videos META` with a `path` for the "
    "very ids of the dialogues",
    LEAVES: "for those elsewhere: `ivcr data import --videos-root DIR`, or the line DIR in "
    f"{VIDEOS_ROOT} of the benchmark's folder",
}


class Encoder(Protocol):
    """Turns frames into rows; `key` names its weights and preprocessing, for the cache."""

    @property
    def key(self) -> str:
        """What the rows depend on beside the frames: the same key, the same rows."""

    def encode(self, frames: Frames) -> Rows:
        """One row for each frame of one video: (n, ...)."""


class _Pixels:
    key = "pixels"

    def encode(self, frames: Frames) -> Rows:
        return frames.pixels


PIXELS: Encoder = _Pixels()


class FeatureFile(NamedTuple):
    """The file with the rows of a video, and what is known of them without reading them."""

    path: Path
    record: FeatureRecord


class Features(Mapping[str, Rows]):
    """Rows by video id, mapped from disk: (frames, ...), read-only; skipped videos are absent.

    times: by video id the times of the frames, (frames,) in ms. skipped: by video id the reason.
    decoder: the decoder, the sampler, and hashes over all times and all pixels.
    """

    def __init__(
        self, files: Mapping[str, FeatureFile], skipped: Mapping[str, str], sampler: Sampler
    ) -> None:
        """files, skipped: by video id."""
        self._paths = {video_id: path for video_id, (path, _) in files.items()}
        self._mapped: dict[str, Rows] = {}
        self.times = {video_id: record.times for video_id, (_, record) in files.items()}
        self.skipped = dict(skipped)
        self.decoder = _fingerprint(files, sampler)

    def __getitem__(self, video_id: str) -> Rows:
        if video_id not in self._mapped:
            rows = np.load(self._paths[video_id], mmap_mode="r", allow_pickle=False)
            self._mapped[video_id] = rows
        return self._mapped[video_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __getstate__(self) -> dict[str, Any]:
        """For a data loader's processes: the paths of the rows, not the rows."""
        return self.__dict__ | {"_mapped": {}}


def extract_features(
    videos: Iterable[Video],
    folder: Path,
    sampler: Sampler,
    encoder: Encoder = PIXELS,
    *,
    cache: Path | None,
    workers: int | None = None,
    note: Note,
) -> Features:
    """Compute the features of `videos`, whose paths start at `folder`, or read them from `cache`.

    cache None: they are stored as long as the result lives. workers: processes that decode (None:
    one for each core); the result does not depend on it. note: gets one line: how many videos and
    frames, how fast, what was skipped. Raises EnvironmentFailure if the cache cannot be written.
    """
    if cache is not None:
        return _extract_into(cache, videos, folder, sampler, encoder, workers, note)
    with ExitStack() as closing:
        home = closing.enter_context(temporary_folder())
        features = _extract_into(home, videos, folder, sampler, encoder, workers, note)
        weakref.finalize(features, closing.pop_all().close)
    return features


def _extract_into(
    cache: Path,
    videos: Iterable[Video],
    folder: Path,
    sampler: Sampler,
    encoder: Encoder,
    workers: int | None,
    note: Note,
) -> Features:
    store = FeatureStore(cache, _recipe(sampler, encoder))
    known = {video.video_id: video for video in videos}
    paths, skipped = locate_files(known, folder)
    digests = hash_files(paths, HashIndex(cache / "videos.json"), skipped)
    records = {digest: record for digest in digests.values() if (record := store.read(digest))}
    jobs = {digest: paths[name] for name, digest in digests.items() if digest not in records}
    extraction = _Extraction(store, sampler, encoder, workers, note)
    refused = extraction.run(jobs, records)
    skipped |= {name: refused[digest] for name, digest in digests.items() if digest in refused}
    files = {
        name: FeatureFile(store.path(digest), records[digest])
        for name, digest in digests.items()
        if digest in records
    }
    features = Features(files, dict(sorted(skipped.items())), sampler)
    note(_report(features, extraction))
    for line in _contradictions(features, known):
        note(line)
    return features


class _Extraction:
    """Decodes and encodes the videos that are not cached, and measures the time."""

    def __init__(
        self,
        store: FeatureStore,
        sampler: Sampler,
        encoder: Encoder,
        workers: int | None,
        note: Note,
    ) -> None:
        self._store, self._sampler, self._encoder = store, sampler, encoder
        self._workers, self._note = workers, note
        self.videos = self.frames = 0
        self.seconds = self.decode_seconds = 0.0

    def run(self, jobs: Mapping[str, Path], records: dict[str, FeatureRecord]) -> dict[str, str]:
        """Add the jobs' features, by the videos' hashes, to `records`; returns the refusals."""
        refused: dict[str, str] = {}
        start = time.perf_counter()
        notes = ProgressNotes(self._note, "features", "videos")
        results = decode_videos(list(jobs.values()), self._sampler, self._workers)
        for digest in jobs:
            before = time.perf_counter()
            result = next(results)
            self.decode_seconds += time.perf_counter() - before
            if isinstance(result, str):
                refused[digest] = f"corrupt: {result}"
            else:
                records[digest] = self._encode(digest, result)
            notes.update(self.videos + len(refused), len(jobs))
        self.seconds = time.perf_counter() - start
        return refused

    def _encode(self, digest: str, frames: Frames) -> FeatureRecord:
        rows = self._encoder.encode(frames)
        if len(rows) != len(frames.times):
            raise ValueError(f"expected {len(frames.times)} rows, a frame each, got {len(rows)}")
        record = FeatureRecord(frames.times, hashlib.sha256(frames.pixels.data).digest())
        self._store.write(digest, rows, record)
        self.videos += 1
        self.frames += len(rows)
        return record


def _recipe(sampler: Sampler, encoder: Encoder) -> dict[str, Any]:
    """Everything that features depend on beside the video."""
    return {
        "format": 2,  # 1: videos with frames that the decoder marks as corrupt were taken
        "library": library(),
        "scaling": int(SCALING),
        "sampler": msgspec.to_builtins(sampler),
        "encoder": encoder.key,
    }


def _fingerprint(files: Mapping[str, FeatureFile], sampler: Sampler) -> dict[str, Any]:
    """The decoder, the sampler, and hashes over all videos in order of their ids."""
    times, pixels = hashlib.sha256(), hashlib.sha256()
    for name in sorted(files):
        record = files[name].record
        for total, part in ((times, record.times.astype("<i4").tobytes()), (pixels, record.pixels)):
            total.update(f"{name}\n{len(part)}\n".encode())
            total.update(part)
    return {
        "library": library(),
        "sampler": msgspec.to_builtins(sampler),
        "times_sha256": times.hexdigest(),
        "pixels_sha256": pixels.hexdigest(),
    }


def _report(features: Features, extraction: _Extraction) -> str:
    """One line: how much, how fast, what was skipped."""
    frames = sum(map(len, features.times.values()))
    parts = [f"features: {len(features):,} videos, {frames:,} frames"]
    if extraction.videos:
        speed = extraction.frames / extraction.seconds
        share = extraction.decode_seconds / extraction.seconds
        if extraction.frames < frames:
            parts.append(f"{extraction.frames:,} of them new")
        parts.append(f"{speed:,.0f} frames/s, {share:.0%} of the time waiting on decode")
    else:
        parts.append("all from the cache")
    line = ", ".join(parts).replace("%", " %")
    return line + _skip_report(features.skipped) if features.skipped else line


def _skip_report(skipped: Mapping[str, str]) -> str:
    """How many videos were skipped, by reason, and the first of them."""
    kinds = Counter(reason.partition(":")[0] for reason in skipped.values())
    counts = ", ".join(f"{number:,} {kind}" for kind, number in sorted(kinds.items()))
    first, reason = next(iter(skipped.items()))
    hints = "".join(f"; {hint}" for kind, hint in HINTS.items() if kind in kinds)
    return f"; {len(skipped):,} skipped ({counts}; first {shown(first)}: {reason}){hints}"


def _contradictions(features: Features, videos: Mapping[str, Video]) -> Iterator[str]:
    """A line on the videos whose frames end elsewhere than the benchmark says, if there are any."""
    found = []
    for video_id, times in features.times.items():
        declared, decoded = videos[video_id].duration, int(times[0]) + int(times[-1])
        # The end is known to half a step of the sampler, which is the first time.
        if declared is not None and abs(declared - decoded) > TOLERANCE + times[0]:
            found.append((video_id, declared / 1000, decoded / 1000))
    if found:
        first, declared_seconds, seconds = found[0]
        yield (
            f"durations: {len(found):,} of {len(features):,} videos do not last as long as the "
            f"benchmark says, by more than a second (first {shown(first)}: "
            f"{declared_seconds:,.1f} s by META, {seconds:,.1f} s by its frames); give META's "
            "durations in seconds, of these very files, and import again"
        )
