"""Features of a benchmark's videos beside a bare PyAV loop, with one worker and with two.

    python -m tests.bench.decoding BENCHMARK [--size N] [--rate N] [--videos N]

The bare loop opens each video once and decodes and scales as many frames in one thread (bilinear,
PyAV's default), without time stamps, checks, hashes or a file written: the least any reader does.
Then features are extracted to an empty cache, extracted again, which finds them all there, and read
from it. Runs take turns; medians, but frames a second of the fastest run. "Sampled" counts frames
kept, "decoded" all frames of the videos. Processor time can be compared on a machine with other
work to do, passed time cannot.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF
from typing import NamedTuple

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from baselines.video.features import Features, extract_features
from baselines.video.sampling import Sampler, library
from harness.benchmark import Benchmark

RUNS = 3


def bare(paths: list[Path], sampler: Sampler) -> tuple[int, int]:
    """Frames decoded and frames kept, every nth of them as `rate` asks."""
    decoded = kept = 0
    for path in paths:
        scaler = VideoReformatter()
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            stream.thread_count = 1
            step = max(1, round(float(stream.average_rate or 25) / sampler.rate))
            for number, frame in enumerate(container.decode(stream)):
                decoded += 1
                if number % step == step // 2:
                    side = sampler.size
                    scaler.reformat(frame, side, side, "rgb24", threads=1).to_ndarray()
                    kept += 1
    return decoded, kept


class Run(NamedTuple):
    """Seconds that passed, and seconds of processor time, workers' included."""

    passed: float
    processor: float


def timed(work: Callable[[], object]) -> Run:
    """One run; the workers' time counts once they have ended, which extraction waits for."""

    def clocks() -> Run:
        own, workers = (resource.getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN))
        spent = own.ru_utime + own.ru_stime + workers.ru_utime + workers.ru_stime
        return Run(time.perf_counter(), spent)

    before = clocks()
    work()
    after = clocks()
    return Run(after.passed - before.passed, after.processor - before.processor)


def touch(found: Features) -> None:
    """Read every pixel."""
    for rows in found.values():
        np.max(rows)


def main() -> None:
    """Print frames a second, and ratios to the bare loop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("benchmark", type=Path)
    parser.add_argument("--size", type=int, default=48)
    parser.add_argument("--rate", type=float, default=4.0)
    parser.add_argument("--videos", type=int, help="Only so many.")
    given = parser.parse_args()
    benchmark, sampler = Benchmark(given.benchmark), Sampler(given.rate, given.size)
    videos = list(benchmark.videos.values())[: given.videos]
    paths = [benchmark.folder / str(video.path) for video in videos]
    rows: dict[str, list[Run]] = defaultdict(list)
    for _ in range(RUNS):
        rows["bare loop"].append(timed(lambda: bare(paths, sampler)))
        with tempfile.TemporaryDirectory() as home:

            def extracted(workers: int, home: str = home) -> Features:
                options = {"cache": Path(home, str(workers)), "workers": workers, "note": str}
                return extract_features(videos, benchmark.folder, sampler, **options)

            rows["1 worker"].append(timed(lambda: extracted(1)))
            rows["2 workers"].append(timed(lambda: extracted(2)))
            rows["again"].append(timed(lambda: extracted(2)))
            rows["pixels read"].append(timed(partial(touch, extracted(2))))
    decoded, kept = bare(paths, sampler)
    print(f"{library()}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(
        f"{len(paths):,} videos, {decoded:,} frames decoded, {kept:,} sampled at {sampler.size} px"
    )
    bare_spent = np.median([run.processor for run in rows["bare loop"]])
    for name, runs in rows.items():
        passed, spent = np.median(runs, axis=0)
        print(
            f"{name:12} {passed:6.2f} s, fastest {min(runs).passed:6.2f} s: "
            f"{decoded / min(runs).passed:9,.0f} decoded/s, "
            f"{kept / min(runs).passed:9,.0f} sampled/s; "
            f"{spent:6.2f} s of processor, {spent / bare_spent:5.2f} of the bare loop"
        )


if __name__ == "__main__":
    main()
