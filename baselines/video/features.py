"""Features of a benchmark's videos, one row a frame: decoded, encoded, kept, mapped from disk.

What cannot be read is skipped as a whole and reported, by this rule: a video without a path, whose
path leaves the benchmark's folder, whose file is missing, or whose file is corrupt (it cannot be
decoded from its first frame to its last). What is kept is keyed by the file's SHA-256, the sampler,
the encoder and the decoder's version, so a changed file or library never meets old features.
"""

from __future__ import annotations

import hashlib
import shutil
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, NamedTuple, Protocol

import msgspec
import numpy as np

from baselines.video.decoding import decoded
from baselines.video.feature_cache import Entry, Rows, Store
from baselines.video.files import Hashes, hashed, located
from baselines.video.sampling import SCALING, Frames, Sampler, library
from harness.files import shown
from harness.records import Video

Note = Callable[[str], None]
EVERY = 60  # seconds between notes of how far it is


class Encoder(Protocol):
    """Turns frames into rows; `key` names its weights and preprocessing, for the cache."""

    @property
    def key(self) -> str:
        """What the rows depend on beside the frames: the same key, the same rows."""

    def encode(self, frames: Frames) -> Rows:
        """One row for each frame of one video.  # (n, ...)"""


class _Pixels:
    key = "pixels"

    def encode(self, frames: Frames) -> Rows:
        return frames.pixels


PIXELS: Encoder = _Pixels()


class Kept(NamedTuple):
    """Where the rows of a video lie, and what is known of them without reading them."""

    path: Path
    entry: Entry


class Features(Mapping[str, Rows]):
    """Rows by video id, mapped from disk: (frames, ...), read-only; videos skipped are absent.

    times: by video id the times of the frames, (frames,) in ms. skipped: by video id the reason.
    decoder: what decoded, which frames were taken, and hashes over all times and all pixels.
    """

    def __init__(
        self, kept: Mapping[str, Kept], skipped: Mapping[str, str], sampler: Sampler
    ) -> None:
        self._paths = {video_id: path for video_id, (path, _) in kept.items()}
        self._mapped: dict[str, Rows] = {}
        self.times = {video_id: entry.times for video_id, (_, entry) in kept.items()}
        self.skipped = dict(skipped)
        self.decoder = _fingerprint(kept, sampler)

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
        """For a data loader's processes: where the rows lie, not what they hold."""
        return self.__dict__ | {"_mapped": {}}


def extract(
    videos: Iterable[Video],
    folder: Path,
    sampler: Sampler,
    encoder: Encoder = PIXELS,
    *,
    cache: Path | None,
    workers: int | None = None,
    note: Note,
) -> Features:
    """The features of `videos`, whose paths start at `folder`, made or taken from `cache`.

    cache None: kept as long as the result lives. workers: processes that decode (None: one a
    core); the result does not depend on it. `note` is told how many videos and frames, how fast,
    and what was skipped. Raises EnvironmentFailure if the cache cannot be written.
    """
    if cache is not None:
        return _extracted(videos, folder, sampler, encoder, cache, workers, note)
    home = Path(mkdtemp(prefix="ivcr-features-"))
    try:
        features = _extracted(videos, folder, sampler, encoder, home, workers, note)
    except BaseException:
        shutil.rmtree(home, ignore_errors=True)
        raise
    weakref.finalize(features, shutil.rmtree, home, ignore_errors=True)
    return features


def _extracted(
    videos: Iterable[Video],
    folder: Path,
    sampler: Sampler,
    encoder: Encoder,
    cache: Path,
    workers: int | None,
    note: Note,
) -> Features:
    store = Store(cache, _made(sampler, encoder))
    files, skipped = located({video.video_id: video for video in videos}, folder)
    digests = hashed(files, Hashes(cache / "videos.json"), skipped)
    kept = {digest: entry for digest in digests.values() if (entry := store.read(digest))}
    jobs = {digest: files[name] for name, digest in digests.items() if digest not in kept}
    work = _Work(store, sampler, encoder, workers, note)
    refused = work.carry_out(jobs, kept)
    skipped |= {name: refused[digest] for name, digest in digests.items() if digest in refused}
    found = {
        name: Kept(store.path(digest), kept[digest])
        for name, digest in digests.items()
        if digest in kept
    }
    features = Features(found, dict(sorted(skipped.items())), sampler)
    note(_report(features, work))
    return features


class _Work:
    """Decoding and encoding what is not kept yet, and how long it took."""

    def __init__(
        self, store: Store, sampler: Sampler, encoder: Encoder, workers: int | None, note: Note
    ) -> None:
        self._store, self._sampler, self._encoder = store, sampler, encoder
        self._workers, self._note = workers, note
        self.videos = self.frames = 0
        self.seconds = self.waited = 0.0

    def carry_out(self, jobs: Mapping[str, Path], kept: dict[str, Entry]) -> dict[str, str]:
        """Make what is missing, by the videos' hashes, into `kept`; returns why others are not."""
        refused: dict[str, str] = {}
        started = told = time.perf_counter()
        results = decoded(list(jobs.values()), self._sampler, self._workers)
        for digest in jobs:
            asked = time.perf_counter()
            result = next(results)
            self.waited += time.perf_counter() - asked
            if isinstance(result, str):
                refused[digest] = f"corrupt: {result}"
            else:
                kept[digest] = self._encoded(digest, result)
            if time.perf_counter() - told > EVERY:
                told = time.perf_counter()
                self._note(f"features: {self.videos:,} of {len(jobs):,} videos")
        self.seconds = time.perf_counter() - started
        return refused

    def _encoded(self, digest: str, frames: Frames) -> Entry:
        rows = self._encoder.encode(frames)
        if len(rows) != len(frames.times):
            raise ValueError(f"expected {len(frames.times)} rows, a frame each, got {len(rows)}")
        entry = Entry(frames.times, hashlib.sha256(frames.pixels.data).digest())
        self._store.write(digest, rows, entry)
        self.videos += 1
        self.frames += len(rows)
        return entry


def _made(sampler: Sampler, encoder: Encoder) -> dict[str, Any]:
    """All that features depend on beside the video."""
    return {
        "format": 1,
        "library": library(),
        "scaling": int(SCALING),
        "sampler": msgspec.to_builtins(sampler),
        "encoder": encoder.key,
    }


def _fingerprint(kept: Mapping[str, Kept], sampler: Sampler) -> dict[str, Any]:
    """What decoded, which frames, and hashes over all videos in order of their ids."""
    times, pixels = hashlib.sha256(), hashlib.sha256()
    for name in sorted(kept):
        entry = kept[name].entry
        for total, part in ((times, entry.times.astype("<i4").tobytes()), (pixels, entry.pixels)):
            total.update(f"{name}\n{len(part)}\n".encode())
            total.update(part)
    return {
        "library": library(),
        "sampler": msgspec.to_builtins(sampler),
        "times_sha256": times.hexdigest(),
        "pixels_sha256": pixels.hexdigest(),
    }


def _report(features: Features, work: _Work) -> str:
    """One line: how much, how fast, what was skipped."""
    frames = sum(map(len, features.times.values()))
    parts = [f"features: {len(features):,} videos, {frames:,} frames"]
    if work.videos:
        speed, share = work.frames / work.seconds, work.waited / work.seconds
        if work.frames < frames:
            parts.append(f"{work.frames:,} of them new")
        parts.append(f"{speed:,.0f} frames/s, {share:.0%} of the time waiting on decode")
    else:
        parts.append("all from the cache")
    line = ", ".join(parts).replace("%", " %")
    if not features.skipped:
        return line
    kinds = Counter(reason.partition(":")[0] for reason in features.skipped.values())
    counted = ", ".join(f"{number:,} {kind}" for kind, number in sorted(kinds.items()))
    first, reason = next(iter(features.skipped.items()))
    named = f"first {shown(first)}: {reason}"
    return f"{line}; {len(features.skipped):,} skipped ({counted}; {named})"
