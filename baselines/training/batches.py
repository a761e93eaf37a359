"""Training batches that can be taken up again at any step, by any number of processes.

Batch k depends on the seed and on k alone. So a run that goes on at step k sees what an
uninterrupted one saw, and several processes see together what one would have seen.
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

    `draw(step, generator)` gives the rows of the whole batch of that step (from 0), with all that
    is random about them; `collate` makes a batch of rows, without drawing anything. Of several
    processes each collates its own consecutive share, so `gathered` restores the order of the
    rows. Both are called in a loader's workers too, where there are any.
    """

    def __init__(
        self,
        draw: Callable[[int, np.random.Generator], Sequence[Row]],
        collate: Callable[[Sequence[Row]], Batch],
        *,
        seed: int,
    ) -> None:
        """Keep how batches are made; nothing is drawn yet."""
        self._draw, self._collate, self._seed = draw, collate, seed
        self.begin(0)

    def begin(self, step: int, process: int = 0, processes: int = 1) -> None:
        """Start at `step`, with the share of `process` of so many."""
        self._step, self._process, self._processes = step, process, processes

    def loader(self, workers: int = 0) -> DataLoader[Batch]:
        """A loader over these batches, made in so many processes of its own (0: in this one)."""
        return DataLoader(self, batch_size=None, num_workers=workers)

    def __iter__(self) -> Iterator[Batch]:
        """This process' batches, from the step that was begun at."""
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
                f"a batch of {len(rows)} cannot be shared by {self._processes} processes alike; "
                "take --devices and --nodes whose product divides it, or another batch size"
            )
        size = len(rows) // self._processes
        return rows[self._process * size : (self._process + 1) * size]


class Timed:
    """A loader that adds up how long its reader waited, and stops after `last` steps."""

    def __init__(self, loader: DataLoader[Any], begin: Callable[[], int], last: int) -> None:
        """`begin` starts the data set and tells at which step."""
        self._loader, self._begin, self._last = loader, begin, last
        self.waited = 0.0

    def __iter__(self) -> Iterator[Any]:
        """The loader's batches."""
        first = self._begin()
        batches = iter(self._loader)
        for _ in range(first, self._last):
            since = time.perf_counter()
            batch = next(batches)
            self.waited += time.perf_counter() - since
            yield batch


class _Gather(torch.autograd.Function):
    """All processes' rows; backward adds up what all processes ask of this one's."""

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


def gathered(rows: Tensor) -> Tensor:
    """The rows of all processes in the order of the whole batch: shape (processes * rows, ...).

    For losses that compare each row with all others. Every process then reckons the same loss of
    the whole batch; gradients flow back to the process that a row came from, and their mean over
    processes is the gradient that one process would have had. All must have as many rows.
    """
    if not torch.distributed.is_initialized() or torch.distributed.get_world_size() == 1:
        return rows
    return _Gather.apply(rows)  # type: ignore[no-any-return,no-untyped-call]
