"""Folders of features made for tests, as `ivcr features` writes them."""

import numpy as np

from baselines.features.feature_folder import FeatureHeader
from baselines.features.feature_writing import write_features
from harness.benchmark import Benchmark


def row_times(frames, rate=1.0):
    """The middles of rows at `rate` a second, in ms."""
    return np.array([round(1000 * (at + 0.5) / rate) for at in range(frames)], np.int32)


def feature_folder(out, rows, benchmark, *, rate=1.0, dtype="float32", name="toy", times=None):
    """Write rows, by video id (frames, width), as features that were imported at `rate`."""
    header = Benchmark(benchmark).header
    times = times or {video_id: row_times(len(of), rate) for video_id, of in rows.items()}
    width = len(next(iter(rows.values()))[0])
    described = FeatureHeader(
        schema=1, name=name, kind="imported", benchmark=header.name,
        fingerprint=header.fingerprint, width=width, dtype=dtype, videos=0, rows=0, shards=(),
        rate=rate,
    )  # fmt: skip
    write_features(out, described, times, rows.__getitem__)
    return out


def random_rows(frames, width, seed=0):
    """Rows by video id for numbers of frames by video id."""
    draws = np.random.default_rng(seed)
    return {name: draws.normal(size=(of, width)).astype(np.float32) for name, of in frames.items()}
