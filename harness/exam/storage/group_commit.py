"""One thread that writes: requests that wait are committed together, with one sync of the disk.

A request is told that it succeeded after the commit. One that is refused leaves nothing behind. If
a commit fails, its requests are tried again one by one, so that none fails for another's fault; if
it cannot even begin, all of them are told at once. Whoever asks after `close` is told so.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from harness.exam.refusals import ExamRefusal, ServerClosingError, StorageFullError
from harness.exam.storage.database import Database

T = TypeVar("T")
TOGETHER = 256  # requests of one commit
_LOG = logging.getLogger(__name__)


class _Request(NamedTuple):
    carry_out: Callable[[Connection], Any]
    future: Future[Any]


class GroupCommit:
    """Writes of many threads, in the order in which they came."""

    def __init__(self, database: Database) -> None:
        """Start the thread."""
        self._database = database
        self._waiting: queue.Queue[_Request | None] = queue.Queue()
        self._closing, self._closed = threading.Lock(), False
        self._thread = threading.Thread(target=self._run, name="exam-writer", daemon=True)
        self._thread.start()

    def submit(self, carry_out: Callable[[Connection], T]) -> Future[T]:
        """Have a function of a transaction carried out; its result is there after the commit.

        The function checks first and writes after, and raises ExamRefusal before it has written.
        Raises ServerClosingError after `close`.
        """
        request = _Request(carry_out, Future())
        with self._closing:
            if self._closed:
                raise ServerClosingError("the server is being stopped; send the request again")
            self._waiting.put(request)
        return request.future

    def close(self) -> None:
        """Carry out what waits, and end; again: nothing."""
        with self._closing:
            if not self._closed:
                self._closed = True
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
            # One whose asker has gone is not started; from here on none can be given up.
            self._carry_out([each for each in batch if each.future.set_running_or_notify_cancel()])
            if last:
                return

    def _carry_out(self, batch: list[_Request]) -> None:
        results: list[Any] = []
        started = False
        try:
            with self._database.writing() as connection:
                started = True
                for request in batch:
                    try:
                        results.append(request.carry_out(connection))
                    except ExamRefusal as refusal:
                        results.append(refusal)
        except Exception as error:
            if started and len(batch) > 1:
                for request in batch:
                    self._carry_out([request])
                return
            if isinstance(error, SQLAlchemyError):  # its first line alone holds no answer
                _LOG.error("%d requests not written: %s", len(batch), str(error).splitlines()[0])
            results = [_public_error(error) for _ in batch]
        for request, result in zip(batch, results, strict=True):
            if isinstance(result, Exception):
                request.future.set_exception(result)
            else:
                request.future.set_result(result)


def _public_error(error: Exception) -> Exception:
    if isinstance(error, SQLAlchemyError):
        return StorageFullError(
            "the answer could not be written to the database, and nothing was stored; send it again"
        )
    return error
