"""One thread that writes: requests that wait are committed together, with one sync of the disk.

A request is told that it succeeded after the commit. One that is refused leaves nothing behind. If
a commit fails, its requests are tried again one by one, so that none fails for another's fault.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from harness.exam.refusals import ExamRefusal, StorageFullError
from harness.exam.storage.database import Database

T = TypeVar("T")
TOGETHER = 256  # requests of one commit


class _Request(NamedTuple):
    carry_out: Callable[[Connection], Any]
    future: Future[Any]


class GroupCommit:
    """Writes of many threads, in the order in which they came."""

    def __init__(self, database: Database) -> None:
        """Start the thread."""
        self._database = database
        self._waiting: queue.Queue[_Request | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="exam-writer", daemon=True)
        self._thread.start()

    def submit(self, carry_out: Callable[[Connection], T]) -> Future[T]:
        """Have a function of a transaction carried out; its result is there after the commit.

        The function checks first and writes after, and raises ExamRefusal before it has written.
        """
        request = _Request(carry_out, Future())
        self._waiting.put(request)
        return request.future

    def close(self) -> None:
        """Carry out what waits, and end."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch, last = [first], False
            while len(batch) < TOGETHER:
                try:
                    more = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    last = True
                    break
                batch.append(more)
            self._carry_out(batch)
            if last:
                return

    def _carry_out(self, batch: list[_Request]) -> None:
        try:
            results = self._committed(batch)
        except Exception as error:
            if len(batch) > 1:
                for request in batch:
                    self._carry_out([request])
            else:
                batch[0].future.set_exception(_public_error(error))
            return
        for request, result in zip(batch, results, strict=True):
            if isinstance(result, ExamRefusal):
                request.future.set_exception(result)
            else:
                request.future.set_result(result)

    def _committed(self, batch: list[_Request]) -> list[Any]:
        results: list[Any] = []
        with self._database.writing() as connection:
            for request in batch:
                try:
                    results.append(request.carry_out(connection))
                except ExamRefusal as refusal:
                    results.append(refusal)
        return results


def _public_error(error: Exception) -> Exception:
    if isinstance(error, SQLAlchemyError):
        return StorageFullError(
            "the answer could not be written to the database, and nothing was stored; send it again"
        )
    return error
