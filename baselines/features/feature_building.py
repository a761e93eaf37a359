"""Builds features from a benchmark's videos with an encoder of frames.

Each video's rows go to the cache of baselines/video/features.py first, keyed by the contents of its
file, the sampler and the encoder. So a build that was killed does again no more than the videos in
progress; the folder is written from the cache when all videos are done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from baselines.base import MissingInputError
from baselines.encoders.frame_encoders import TRAINED, FrameEncoder, load_frame_encoder
from baselines.features.feature_folder import FeatureHeader
from baselines.features.feature_writing import require_new, write_features
from baselines.features.own_frames import load_own_frames
from baselines.video.features import extract_features
from harness.benchmark import Benchmark

Note = Callable[[str], None]


class BuildOptions(NamedTuple):
    """What is encoded, by what: `encoder` a folder, or a name that was fetched at `revision`.

    rate, most: frames a second, at most so many of a video. splits: those whose corpus is encoded;
    none: all videos. workers: processes that decode (None: one a core).
    """

    encoder: str
    revision: str | None = None
    rate: float = 1.0
    most: int | None = None
    splits: Sequence[str] = ()
    name: str = ""
    workers: int | None = None


def build_features(
    benchmark: Benchmark, out: Path, options: BuildOptions, *, cache: Path | None, note: Note
) -> FeatureHeader:
    """Encode the videos and write the folder `out`.

    cache: where rows are kept from build to build. note: gets lines on the encoder and on what was
    skipped. Raises WrongUsageError if `out` is taken or the encoder is none of frames,
    EnvironmentFailure if it is absent, MissingInputError if no video can be read.
    """
    require_new(out)
    encoder = _load_encoder(options, note)
    videos = [benchmark.videos[video_id] for video_id in _video_ids(benchmark, options.splits)]
    sampler = encoder.sampler(options.rate, options.most)
    features = extract_features(
        videos, benchmark.folder, sampler, encoder,
        cache=cache, workers=options.workers, note=note,
    )  # fmt: skip
    if not features:
        raise MissingInputError(
            f"{benchmark.folder}: none of its {len(videos):,} videos can be read; see the paths in "
            "videos.jsonl (`ivcr data import --videos META` takes them from META)"
        )
    header = FeatureHeader(
        schema=1,
        name=options.name or Path(options.encoder).name,
        kind="built",
        benchmark=benchmark.header.name,
        fingerprint=benchmark.header.fingerprint,
        width=encoder.width,
        dtype="float32",
        videos=0,
        rows=0,
        shards=(),
        encoder=encoder.key,
        parameters=encoder.parameters,
        frames=msgspec.to_builtins(features.decoder),
        skipped=features.skipped,
        rate=float(options.rate),
    )
    return write_features(out, header, features.times, features.__getitem__)


def _load_encoder(options: BuildOptions, note: Note) -> FrameEncoder:
    """The frame network of a folder that this project trained, or an encoder of others."""
    folder = Path(options.encoder)
    if not (folder / TRAINED).is_file():
        return load_frame_encoder(options.encoder, options.revision, note)
    encoder = load_own_frames(folder)
    note(f"{folder}: its own frame network, which reads {encoder.sampler().rate:g} frames a second")
    return encoder


def _video_ids(benchmark: Benchmark, splits: Sequence[str]) -> list[str]:
    """The videos of the splits' corpora, or all. Raises EnvironmentFailure at an unknown split."""
    if not splits:
        return list(benchmark.videos)
    return list(dict.fromkeys(name for split in splits for name in benchmark.split(split).corpus))
