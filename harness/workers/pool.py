"""Tasks carried out by several processes, of which one that dies takes no other task with it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from harness.workers.spawning import prepare_process, spawned

_LOG = logging.getLogger(__name__)
FEW = 4  # so few tasks are not worth the start of processes
WAITING = 4  # tasks a process that are handed out at once
T = TypeVar("T")
R = TypeVar("R")


def workers_for(tasks: int, processes: int | None) -> int:
    """How many processes `tasks` are worth: those asked for, else one a core for more than FEW."""
    if processes is None:
        processes = 1 if tasks <= FEW else os.cpu_count() or 1
    return max(1, min(processes, tasks))


def in_order(numbered: Iterator[tuple[int, T]]) -> Iterator[T]:
    """Results in the order of their numbers, each as soon as all before it are there."""
    waiting: dict[int, T] = {}
    following = 0
    for number, result in numbered:
        waiting[number] = result
        while following in waiting:
            yield waiting.pop(following)
            following += 1


def in_processes(
    carry_out: Callable[[T], R], tasks: Sequence[T], processes: int, lost: Callable[[T], R]
) -> Iterator[R]:
    """The results of `carry_out`, a module's function, in the order in which they are done.

    What a dying process was at is tried once more, each task by itself; `lost` gives the result of
    one that ends its process again. Tasks and results are pickled. What `carry_out` raises ends the
    work and is raised here.
    """
    left, suspects = list(reversed(tasks)), list[T]()
    _LOG.debug("%d tasks in %d processes, which write no lines here", len(tasks), processes)
    while left:
        with _pool(processes) as pool:
            running: dict[Future[R], T] = {}
            try:
                while left or running:
                    while left and len(running) < processes * WAITING:
                        task = left.pop()
                        running[pool.submit(carry_out, task)] = task
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        result = future.result()
                        del running[future]
                        yield result
            except BrokenProcessPool:
                suspects += running.values()
            finally:
                for future in running:
                    future.cancel()
    for task in suspects:
        yield _alone(carry_out, task, lost)


def _alone(carry_out: Callable[[T], R], task: T, lost: Callable[[T], R]) -> R:
    with _pool(1) as pool:
        try:
            return pool.submit(carry_out, task).result()
        except BrokenProcessPool:
            return lost(task)


def _pool(processes: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(processes, mp_context=spawned(), initializer=prepare_process)
