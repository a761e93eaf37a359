"""Training batches that can be resumed at any step, by any number of processes.

Batch k depends only on the seed and on k. So a run that is resumed at step k reads the same batches
as an uninterrupted one, and several processes together read what one process would have read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from harness.errors import WrongUsageError

Row = TypeVar("Row")
Batch = TypeVar("Batch")


class StepBatches(IterableDataset[Batch], Generic[Row, Batch]):
    """Endless batches for `training.fit`.

    `draw(step, generator)` gives the rows of the whole batch of that step (from 0) and makes all
    random choices; `collate` makes a batch of rows, without random choices. Of several processes
    each collates its own consecutive share, so that `gather` restores the order of the rows. Both
    functions are also called in a loader's worker processes, if there are any.
    """

    def __init__(
        self,
        draw: Callable[[int, np.random.Generator], Sequence[Row]],
        collate: Callable[[Sequence[Row]], Batch],
        *,
        seed: int,
    ) -> None:
        """Keep how batches are made; no batch is made yet."""
        self._draw, self._collate, self._seed = draw, collate, seed
        self.begin(0)

    def begin(self, step: int, process: int = 0, processes: int = 1) -> None:
        """Start at `step`, with the share of process number `process` of so many."""
        self._step, self._process, self._processes = step, process, processes

    def loader(self, workers: int = 0) -> DataLoader[Batch]:
        """A loader of these batches, with so many worker processes (0: none)."""
        return DataLoader(self, batch_size=None, num_workers=workers)

    def __iter__(self) -> Iterator[Batch]:
        """This process' batches, from the step given to `begin`."""
        worker = get_worker_info()
        first, stride = (0, 1) if worker is None else (worker.id, worker.num_workers)
        step = self._step + first
        while True:
            rows = self._draw(step, np.random.default_rng((self._seed, step)))
            yield self._collate(self._share(rows))
            step += stride

    def _share(self, rows: Sequence[Row]) -> Sequence[Row]:
        if len(rows) % self._processes:
            raise WrongUsageError(
                f"a batch of {len(rows)} cannot be divided equally among {self._processes} "
                "processes; take --devices and --nodes whose product divides it, or another batch "
                "size"
            )
        size = len(rows) // self._processes
        return rows[self._process * size : (self._process + 1) * size]


class TimedLoader:
    """A loader that measures how long its reader waited, and stops after `last` steps."""

    def __init__(self, loader: DataLoader[Any], begin: Callable[[], int], last: int) -> None:
        """`begin` starts the data set and returns its first step."""
        self._loader, self._begin, self._last = loader, begin, last
        self.wait_seconds = 0.0

    def __iter__(self) -> Iterator[Any]:
        """The loader's batches."""
        first = self._begin()
        batches = iter(self._loader)
        for _ in range(first, self._last):
            start = time.perf_counter()
            batch = next(batches)
            self.wait_seconds += time.perf_counter() - start
            yield batch


class _Gather(torch.autograd.Function):
    """All processes' rows; backward adds all processes' gradients of this process' rows."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.size = len(rows)
        parts = [torch.empty_like(rows) for _ in range(torch.distributed.get_world_size())]
        torch.distributed.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        total = grads[0].contiguous().clone()
        torch.distributed.all_reduce(total)
        start = torch.distributed.get_rank() * ctx.size
        return total[start : start + ctx.size]


def pad_alike(rows: Tensor) -> Tensor:
    """Rows of parts, (rows, parts, d), padded with zeros to the most parts of all processes."""
    if not torch.distributed.is_initialized() or torch.distributed.get_world_size() == 1:
        return rows
    most = torch.tensor(rows.shape[1], device=rows.device)
    torch.distributed.all_reduce(most, torch.distributed.ReduceOp.MAX)
    return torch.nn.functional.pad(rows, (0, 0, 0, int(most) - rows.shape[1]))


def gather(rows: Tensor) -> Tensor:
    """The rows of all processes, (rows, ...), in the order of the whole batch.

    Returns shape (processes * rows, ...). For losses that compare each row with all others: every
    process then computes the same loss of the whole batch. Gradients flow back to the process of
    each row, and their mean over processes is the gradient that one process would have. All
    processes must have the same number of rows, and of parts of a row (`pad_alike`).
    """
    if not torch.distributed.is_initialized() or torch.distributed.get_world_size() == 1:
        return rows
    return _Gather.apply(rows)  # type: ignore[no-any-return,no-untyped-call]
