"""Decoding many videos in worker processes, in order and with a bounded look-ahead."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from baselines.video.sampling import BadVideoError, Frames, Sampler, sample

FEW = 16  # videos that are decoded sooner than worker processes start
AHEAD = 2  # videos a worker may be ahead of what is consumed
DIED = "brought its decoder down"


def decoded(
    paths: Sequence[Path], sampler: Sampler, workers: int | None = None
) -> Iterator[Frames | str]:
    """For each video its frames, or why it is refused; in order, the same for any `workers`.

    workers: processes (None: one a core). One worker, or few videos, are decoded in this process.
    A file that brings a worker down is refused like any other that cannot be decoded.
    """
    workers = workers or os.cpu_count() or 1
    if workers == 1 or len(paths) <= FEW:
        yield from (attempt(path, sampler) for path in paths)
        return
    while paths:
        done = 0
        try:
            for result in _pooled(paths, sampler, workers):
                done += 1
                yield result
        except BrokenProcessPool:
            # Any of those under way may have done it: each is tried alone.
            suspects = paths[done : done + AHEAD * workers + 1]
            yield from (_alone(path, sampler) for path in suspects)
            done += len(suspects)
        paths = paths[done:]


def attempt(path: Path, sampler: Sampler) -> Frames | str:
    """The frames of one video, or why it is refused."""
    try:
        return sample(path, sampler)
    except BadVideoError as error:
        return error.reason


def _pooled(paths: Sequence[Path], sampler: Sampler, workers: int) -> Iterator[Frames | str]:
    waiting: deque[Future[Frames | str]] = deque()
    # spawn: a forked child could inherit the locks of a caller's threads
    pool = ProcessPoolExecutor(min(workers, len(paths)), mp_context=get_context("spawn"))
    try:
        for path in paths:
            waiting.append(pool.submit(attempt, path, sampler))
            if len(waiting) > AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _alone(path: Path, sampler: Sampler) -> Frames | str:
    try:
        return next(_pooled([path], sampler, 1))
    except BrokenProcessPool:
        return DIED
