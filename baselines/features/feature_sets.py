"""Features that a baseline reads: one folder, or several whose rows stand side by side.

One folder gives its rows as they are. Of several the first gives the times; the others give their
row at the nearest time (of two equally near ones the earlier), and each row is scaled to length 1
before rows are put side by side, so that none outweighs the others: as in Lei et al., QVHighlights
(NeurIPS 2021, https://github.com/jayleicn/moment_detr, section on features).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from baselines.base import MissingInputError
from baselines.features.feature_folder import FeatureFolder, Times
from baselines.ranking import unit
from baselines.video.feature_cache import Rows
from harness.benchmark import Benchmark
from harness.errors import WrongUsageError
from harness.files import canonical, shown

Note = Callable[[str], None]


class FeatureSet(Mapping[str, Rows]):
    """Rows by video id, (frames, width), float32, read-only; videos without features are absent.

    times: by video id, (frames,), in ms from the first frame, the middle of what each row shows.
    width: of a row. key: a hash of the contents, in the order of the folders, and of what was
    rearranged. details: what run.json says of them, plain values.
    """

    def __init__(
        self,
        folders: Sequence[FeatureFolder],
        video_ids: Iterable[str],
        *,
        rows_from: Mapping[str, str] | None = None,
        order_seed: int | None = None,
        key: str = "",
    ) -> None:
        """video_ids: of videos that all folders have. The rest: see permuted and shuffled."""
        self._folders = tuple(folders)
        self._ids = dict.fromkeys(video_ids)
        self._rows_from: dict[str, str] = dict(rows_from or {})
        self._order_seed = order_seed
        self.times: Mapping[str, Times] = {
            video_id: self._folders[0].times(video_id) for video_id in self._ids
        }
        self.width = sum(folder.header.width for folder in self._folders)
        self.key = key or _key_of([folder.header.key for folder in self._folders])

    @property
    def details(self) -> dict[str, Any]:
        """What run.json says of the features: no path of this machine."""
        parts = [_described(folder) for folder in self._folders]
        return {"folders": parts, "key": self.key, "videos": len(self), "width": self.width}

    def __getitem__(self, video_id: str) -> Rows:
        if video_id not in self._ids:
            raise KeyError(video_id)
        source = self._source(video_id)
        rows = self._side_by_side(source)
        if source != video_id:
            rows = rows[_same_places(len(self.times[video_id]), len(rows))]
        if self._order_seed is not None:
            rows = rows[_generator(self._order_seed, video_id).permutation(len(rows))]
        rows.flags.writeable = False
        return rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def permuted(self, seed: int) -> FeatureSet:
        """A control: each video has the rows of another one, at the same places of its length.

        Times and numbers of rows stay, so that what is found lies inside the video.
        """
        ids = sorted(self)
        order = [ids[at] for at in np.random.default_rng(seed).permutation(len(ids))]
        sources = [self._source(video_id) for video_id in order]
        rows_from = dict(zip(order, [*sources[1:], *sources[:1]], strict=True))
        return self._rearranged("permuted", seed, rows_from, self._order_seed)

    def shuffled(self, seed: int) -> FeatureSet:
        """A control: the rows of each video in a random order, its times as before.

        The order is a function of seed and video id.
        """
        return self._rearranged("shuffled", seed, self._rows_from, seed)

    def _rearranged(
        self, how: str, seed: int, rows_from: Mapping[str, str], order_seed: int | None
    ) -> FeatureSet:
        key = _key_of([self.key, how, str(seed)])
        return FeatureSet(self._folders, self, rows_from=rows_from, order_seed=order_seed, key=key)

    def _source(self, video_id: str) -> str:
        """The video whose rows it has."""
        return self._rows_from.get(video_id, video_id)

    def _side_by_side(self, video_id: str) -> Rows:
        """The rows of all folders at the times of the first.  # (frames, width)"""
        first, *others = self._folders
        if not others:
            return first[video_id][:]
        times = first.times(video_id)
        parts = [unit(first[video_id])]
        for other in others:
            parts.append(unit(other[video_id][nearest(other.times(video_id), times)]))
        return np.concatenate(parts, axis=1)


def open_features(
    folders: Sequence[str], video_ids: Iterable[str], benchmark: Path, note: Note
) -> FeatureSet:
    """The features of those of `video_ids` that all `folders` have.

    benchmark: the benchmark's folder (`View.folder`). note: gets a line on how many videos there
    are, one on those that a folder lacks, one on a folder that was made for another benchmark.
    Raises WrongUsageError if no folder is named, EnvironmentFailure if one is absent or damaged,
    MissingInputError if they have none of the videos.
    """
    if not folders:
        raise WrongUsageError("expected a folder of features, found none; --set features=DIR")
    parts = [FeatureFolder(Path(folder)) for folder in folders]
    wanted = list(dict.fromkeys(video_ids))
    for line in _warnings(parts, wanted, benchmark):
        note(line)
    ids = [name for name in wanted if all(name in part for part in parts)]
    if not ids:
        known = next((name for part in parts for name in part), "")
        raise MissingInputError(
            f"{', '.join(folders)}: features of none of the {len(wanted):,} videos (of the "
            f"benchmark, such as {shown(wanted[0]) if wanted else 'none'}; of the features, such "
            f"as {shown(known)}); name folders that were made for this benchmark"
        )
    found = FeatureSet(parts, ids)
    rows = sum(map(len, found.times.values()))
    names = ", ".join(shown(part.header.name) for part in parts)
    note(f"features {names}: {len(ids):,} videos, {rows:,} rows of {found.width:,}")
    return found


def nearest(times: Times, wanted: Times) -> NDArray[np.intp]:
    """For each of `wanted`, (n,), the position in ascending `times`, (m,), of the nearest.

    Of two that are equally near it is the earlier.
    """
    after = np.searchsorted(times, wanted).clip(1, max(1, len(times) - 1))
    after = np.minimum(after, len(times) - 1)
    before = np.maximum(after - 1, 0)
    is_later = times[after].astype(np.int64) - wanted < wanted - times[before].astype(np.int64)
    return np.asarray(np.where(is_later, after, before), np.intp)


def _same_places(wanted: int, present: int) -> NDArray[np.intp]:
    """For each of `wanted` rows the one of `present` rows at the same share of the length."""
    return (np.arange(wanted) * 2 + 1) * present // (2 * wanted)


def _generator(seed: int, video_id: str) -> np.random.Generator:
    digest = hashlib.sha256(f"{seed}\n{video_id}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


def _key_of(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else hashlib.sha256(canonical(list(parts))).hexdigest()


def _described(folder: FeatureFolder) -> dict[str, Any]:
    """A folder in run.json."""
    header = folder.header
    encoder = {"encoder": header.encoder} if header.encoder else {}
    sources = {"sources": msgspec.to_builtins(header.sources)} if header.sources else {}
    plain = {"name": header.name, "kind": header.kind, "key": header.key, "width": header.width}
    return plain | encoder | sources


def _warnings(
    parts: Sequence[FeatureFolder], wanted: Sequence[str], benchmark: Path
) -> Iterator[str]:
    """Lines on folders of another benchmark, and on videos that one lacks."""
    fingerprint = Benchmark(benchmark).header.fingerprint
    for part in parts:
        if part.header.fingerprint != fingerprint:
            yield (
                f"{part.path}: was made for {shown(part.header.benchmark)} with the fingerprint "
                f"{part.header.fingerprint[:12]}, not for this benchmark; videos of the same ids "
                "are taken from it"
            )
    for part in parts:
        if missing := [name for name in wanted if name not in part]:
            yield (
                f"{part.path}: lacks {len(missing):,} of {len(wanted):,} videos (first "
                f"{shown(missing[0])}); a run does without them"
            )
