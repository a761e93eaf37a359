"""A run shared between processes, each with a journal of its own; merged in file order."""

from __future__ import annotations

import contextlib
import multiprocessing
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple, NoReturn

from baselines.provenance.threads import computing_with
from baselines.running.journal import Journal, usage_in
from baselines.running.own_code import OwnCodeError, with_traceback
from baselines.running.run_config import RunConfig, RunContext
from baselines.running.runner import Progress, Run, Shard, start
from harness.benchmark import Benchmark
from harness.errors import EnvironmentFailure, IvcrError, WrongUsageError
from harness.files import sibling
from harness.records import Prediction


class JournalStore:
    """The journals of one run, in the folder OUT.run beside its submission OUT, or in `folder`.

    Those in `folder` are of a run that nobody goes on with: it keeps no traceback either.
    """

    def __init__(self, out: Path, folder: Path | None = None) -> None:
        """Nothing is made yet. Raises WrongUsageError if nothing can stand beside `out`."""
        self.folder = sibling(out, ".run") if folder is None else folder
        self._resumable = folder is None

    def journal(self, shard: Shard, run: Run) -> Journal:
        """The journal of one shard, held by this process until it is closed."""
        return Journal(self._path(shard), run.key(shard.of))

    def usage(self, processes: int) -> Counter[str]:
        """The usage of all shards, once all of them are answered."""
        total: Counter[str] = Counter()
        for shard in shards(processes):
            total.update(usage_in(self._path(shard)))
        return total

    @contextmanager
    def keep_traceback(self, shard: Shard) -> Iterator[None]:
        """Write the traceback of an error in a baseline's own code beside the journals.

        Raises WrongUsageError, with the place of the traceback and the next step.
        """
        try:
            yield
        except OwnCodeError as error:
            if not self._resumable:
                raise
            raise with_traceback(
                error,
                self._path(shard).with_suffix(".traceback.txt"),
                "the same command goes on from the answers so far; to start anew, with changed "
                f"code, remove {self.folder}",
            ) from error

    def remove(self) -> None:
        """Remove the folder, once the submission is written."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.folder)

    def _path(self, shard: Shard) -> Path:
        return self.folder / f"{shard.number + 1}-of-{shard.of}.jsonl"


class ShardTask(NamedTuple):
    """One shard of a run, as any process can carry it out: plain values, which can be sent."""

    config: RunConfig
    benchmark: Path
    store: JournalStore
    shard: Shard
    cache: Path | None

    def carry_out(self, progress: Progress) -> None:
        """Prepare the baseline and answer what the shard lacks; raises what these raise."""
        with computing_with(self.config.threads):
            with self.store.keep_traceback(self.shard):
                run = start(self.config, Benchmark(self.benchmark), RunContext(self.cache))
            answer_shard(run, self.store, self.shard, progress)


def shards(processes: int) -> list[Shard]:
    """The shards of so many processes."""
    return [Shard(number, processes) for number in range(processes)]


def answer_shard(run: Run, store: JournalStore, shard: Shard, progress: Progress) -> None:
    """Answer what a shard lacks; its journal then has its answers."""
    with (
        store.keep_traceback(shard),
        contextlib.closing(store.journal(shard, run)) as journal,
    ):
        for _ in run.dialogues(shard, journal, progress):
            pass


def answer_all(run: Run, tasks: Sequence[ShardTask], progress: Progress) -> None:
    """Carry out the tasks of a run: the first here, the others in processes of their own.

    run: the prepared run. Raises EnvironmentFailure if a process ends before its shard is answered;
    what was answered stays.
    """
    # Spawned, not forked: a baseline may have started threads.
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=_work, args=(task,), daemon=True) for task in tasks[1:]]

    def checked(done: int, total: int) -> None:
        progress(done, total)
        _check(others)

    try:
        for other in others:
            other.start()
        answer_shard(run, tasks[0].store, tasks[0].shard, checked)
        for other in others:
            other.join()
        _check(others)
    finally:
        for other in others:
            if other.is_alive():
                other.terminate()


def merge_shards(run: Run, store: JournalStore, processes: int) -> Iterator[Prediction]:
    """All predictions in file order, from the journals of all shards."""
    with ExitStack() as files:
        waiting = [
            run.dialogues(shard, files.enter_context(contextlib.closing(store.journal(shard, run))))
            for shard in shards(processes)
        ]
        for position in range(len(run.split.dialogues())):
            yield from next(waiting[position % processes])


def _check(others: Sequence[BaseProcess]) -> None:
    for number, other in enumerate(others, start=2):
        if other.exitcode:
            # What it printed itself has the reason.
            was_usage = other.exitcode == WrongUsageError.exit_code
            raise (WrongUsageError if was_usage else EnvironmentFailure)(
                f"process {number} of {len(others) + 1} ended with {other.exitcode} before its "
                "turns were answered; the same command goes on where it stopped"
            )


def _work(task: ShardTask) -> NoReturn:
    """The whole life of a process: prepare, answer a shard, end."""
    # An interrupt reaches all processes of a terminal; the first one ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        task.carry_out(_while_parent_lives)
    except IvcrError as error:
        sys.stderr.write(f"ivcr: process {task.shard.number + 1} of {task.shard.of}: {error}\n")
        sys.exit(error.exit_code)
    sys.exit(0)


def _while_parent_lives(done: int, total: int) -> None:
    """End if the process that started this one is gone: another may need the journal."""
    parent = multiprocessing.parent_process()
    if parent is None or not parent.is_alive():
        sys.exit(1)
