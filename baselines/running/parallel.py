"""A run shared between processes, each with a journal of its own; put together in file order."""

from __future__ import annotations

import contextlib
import multiprocessing
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NoReturn

from baselines.running.journal import Journal, spent_in
from baselines.running.run_config import RunConfig, RunContext
from baselines.running.runner import Progress, Run, Shard, start
from harness.benchmark import Benchmark
from harness.errors import EnvironmentFailure, IvcrError, WrongUsageError
from harness.records import Prediction


class JournalStore:
    """The journals of one run, in the folder OUT.run beside its submission OUT."""

    def __init__(self, out: Path) -> None:
        """Nothing is made yet. Raises WrongUsageError if nothing can stand beside `out`."""
        place = out.resolve() if out.name in ("", "..") else out
        if not place.name:
            raise WrongUsageError(f"{out}: is no place for a submission; name a folder inside it")
        self.folder = place.with_name(f"{place.name}.run")

    def journal(self, share: Shard, run: Run) -> Journal:
        """The journal of one share, held by this process until it is closed."""
        return Journal(self._path(share.number, share.of), run.key(share.of))

    def usage(self, processes: int) -> Counter[str]:
        """The usage of all shards, once all of them are answered."""
        total: Counter[str] = Counter()
        for number in range(processes):
            total.update(spent_in(self._path(number, processes)))
        return total

    def _path(self, number: int, of: int) -> Path:
        return self.folder / f"{number + 1}-of-{of}.jsonl"

    def remove(self) -> None:
        """Forget all: the submission stands."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.folder)


def answer_shard(run: Run, kept: JournalStore, share: Shard, progress: Progress) -> None:
    """Answer what a share lacks; its answers are in its journal then."""
    with contextlib.closing(kept.journal(share, run)) as journal:
        for _ in run.dialogues(share, journal, progress):
            pass


def merge_shards(run: Run, kept: JournalStore, processes: int) -> Iterator[Prediction]:
    """All predictions in file order, from the journals of all shares."""
    with ExitStack() as files:
        shares = [Shard(number, processes) for number in range(processes)]
        waiting = [
            run.dialogues(share, files.enter_context(contextlib.closing(kept.journal(share, run))))
            for share in shares
        ]
        for position in range(len(run.split.dialogues())):
            yield from next(waiting[position % processes])


def answer_all(
    plan: RunConfig, run: Run, kept: JournalStore, processes: int, benchmark: Benchmark,
    around: RunContext, progress: Progress,
) -> None:  # fmt: skip
    """Answer all shares, the first here and the others in processes of their own.

    Raises EnvironmentFailure if one of them ends before its share is done; what was answered stays.
    """
    # Spawned, not forked: a baseline may have started threads.
    context = multiprocessing.get_context("spawn")
    others = [
        context.Process(
            target=_work,
            args=(plan, benchmark.folder, kept, Shard(number, processes), around.cache),
            daemon=True,
        )
        for number in range(1, processes)
    ]

    def watched(done: int, total: int) -> None:
        progress(done, total)
        _check(others)

    try:
        for other in others:
            other.start()
        answer_shard(run, kept, Shard(0, processes), watched)
        for other in others:
            other.join()
        _check(others)
    finally:
        for other in others:
            if other.is_alive():
                other.terminate()


def _check(others: Sequence[BaseProcess]) -> None:
    for number, other in enumerate(others, start=2):
        if other.exitcode:
            raise EnvironmentFailure(
                f"process {number} of {len(others) + 1} ended with {other.exitcode} before its "
                "turns were answered; the same command goes on where it stopped"
            )


def _work(
    plan: RunConfig, folder: Path, kept: JournalStore, share: Shard, cache: Path | None
) -> NoReturn:
    """A process' whole life: prepare, answer a share, end."""
    # An interrupt reaches all processes of a terminal; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        run = start(plan, Benchmark(folder), RunContext(cache))
        answer_shard(run, kept, share, _while_parent_lives)
    except IvcrError as error:
        sys.stderr.write(f"ivcr: process {share.number + 1} of {share.of}: {error}\n")
        sys.exit(error.exit_code)
    sys.exit(0)


def _while_parent_lives(done: int, total: int) -> None:
    """End where the process that started this one is gone: another may want the journal."""
    parent = multiprocessing.parent_process()
    if parent is None or not parent.is_alive():
        sys.exit(1)
