"""Decodes many videos in worker processes, in order and with a bounded look-ahead."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from baselines.video.containers import BadVideoError
from baselines.video.sampling import Frames, Sampler, sample

IN_PROCESS_LIMIT = 16  # this many videos are decoded sooner than worker processes start
LOOKAHEAD = 2  # videos that a worker may be ahead of the consumer
DECODER_DIED = "brought its decoder down"


def decode_videos(
    paths: Sequence[Path], sampler: Sampler, workers: int | None = None
) -> Iterator[Frames | str]:
    """For each video its frames, or the reason to refuse it; in order, equal for any `workers`.

    workers: processes (None: one for each core). One worker, or few videos, are decoded in this
    process. A file that makes a worker crash is refused like any other that cannot be decoded.
    """
    workers = workers or os.cpu_count() or 1
    if workers == 1 or len(paths) <= IN_PROCESS_LIMIT:
        yield from (frames_or_reason(path, sampler) for path in paths)
        return
    while paths:
        done = 0
        try:
            for result in _decode_in_pool(paths, sampler, workers):
                done += 1
                yield result
        except BrokenProcessPool:
            # Any video in progress may be the cause: each is decoded alone.
            suspects = paths[done : done + LOOKAHEAD * workers + 1]
            yield from (_decode_alone(path, sampler) for path in suspects)
            done += len(suspects)
        paths = paths[done:]


def frames_or_reason(path: Path, sampler: Sampler) -> Frames | str:
    """The frames of one video, or the reason to refuse it."""
    try:
        return sample(path, sampler)
    except BadVideoError as error:
        return error.reason


def _decode_in_pool(
    paths: Sequence[Path], sampler: Sampler, workers: int
) -> Iterator[Frames | str]:
    waiting: deque[Future[Frames | str]] = deque()
    # spawn: a forked child could inherit the locks of the caller's threads
    pool = ProcessPoolExecutor(min(workers, len(paths)), mp_context=get_context("spawn"))
    try:
        for path in paths:
            waiting.append(pool.submit(frames_or_reason, path, sampler))
            if len(waiting) > LOOKAHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _decode_alone(path: Path, sampler: Sampler) -> Frames | str:
    try:
        return next(_decode_in_pool([path], sampler, 1))
    except BrokenProcessPool:
        return DECODER_DIED
