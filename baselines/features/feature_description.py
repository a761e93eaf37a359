"""A folder of features in words: what it is, how wide, how dense, which videos it covers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from baselines.features.feature_folder import FeatureFolder
from baselines.features.import_report import length_lines, listed
from harness.benchmark import Benchmark
from harness.files import shown
from harness.records import SPLITS


def description(folder: FeatureFolder, benchmark: Benchmark | None) -> Iterator[str]:
    """Lines on a folder, and on the videos of a benchmark that it covers."""
    header = folder.header
    yield f"{shown(header.name)}, {header.kind}, key {header.key[:12]}"
    yield f"made for {shown(header.benchmark)}, fingerprint {header.fingerprint[:12]}"
    if header.encoder:
        yield f"encoder {shown(header.encoder, 160)}, {header.parameters or 0:,} weights"
    for source in header.sources[:3]:
        yield f"from {shown(source.file)}, SHA-256 {source.sha256[:12]}"
    if len(header.sources) > 3:
        yield f"and from {len(header.sources) - 3:,} more files"
    files = "one file" if len(header.shards) == 1 else f"{len(header.shards):,} files"
    yield (
        f"{header.videos:,} videos, {header.rows:,} rows of {header.width:,} numbers "
        f"({header.dtype}), in {files}"
    )
    yield _density(folder)
    if header.skipped:
        yield f"{len(header.skipped):,} videos were skipped: {listed(header.skipped)}"
    if benchmark is not None:
        yield from _coverage(folder, benchmark)


def _density(folder: FeatureFolder) -> str:
    """How far apart rows are, from the times themselves."""
    steps = [np.diff(folder.times(video_id)) for video_id in folder]
    gaps = np.concatenate([*steps, np.zeros(0, np.int32)])
    if not len(gaps):
        return "one row a video"
    low, middle, high = (float(each) / 1000 for each in np.quantile(gaps, [0, 0.5, 1]))
    if f"{low:.3g}" == f"{high:.3g}":
        return f"rows are {middle:.3g} s apart"
    return f"rows are {middle:.3g} s apart (median; from {low:.3g} to {high:.3g} s)"


def _coverage(folder: FeatureFolder, benchmark: Benchmark) -> Iterator[str]:
    header = benchmark.header
    if header.fingerprint != folder.header.fingerprint:
        yield f"this benchmark is another: {shown(header.name)}, {header.fingerprint[:12]}"
    missing = [video_id for video_id in benchmark.videos if video_id not in folder]
    found = len(benchmark.videos) - len(missing)
    yield f"{found:,} of {len(benchmark.videos):,} videos of {shown(header.name)} are covered" + (
        f"; not: {listed(missing)}" if missing else ""
    )
    for name in sorted(header.splits, key=SPLITS.index):
        corpus = benchmark.split(name).corpus
        covered = sum(video_id in folder for video_id in corpus)
        yield f"{name:>5}: {covered:,} of {len(corpus):,} videos of the corpus"
    known = {name: folder.times(name) for name in folder if name in benchmark.videos}
    yield from length_lines(known, folder.header.rate, benchmark.videos)
