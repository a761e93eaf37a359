"""A thread that brings exams into the challenge: openings, ends, and the runs of finished ones.

What is left to do stands in the database, so a server that was killed goes on where it stopped.
"""

from __future__ import annotations

import logging
import threading

from harness.exam.finishing import ExamRecords
from harness.exam.refusals import ServerClosingError
from harness.exam.service import ExamService
from harness.exam.storage import store
from harness.exam.storage.database import Database
from harness.exam.storage.store import StoredExam

_LOG = logging.getLogger(__name__)
PAUSE = 0.5  # seconds between two looks
AFTER_FAULT = 30.0  # seconds until an exam is tried again that failed


class RecordKeeper:
    """Looks for exams that the ledger does not have whole."""

    def __init__(self, service: ExamService, database: Database, records: ExamRecords) -> None:
        """Nothing is done before `start` or `look`."""
        self._service, self._database, self._records = service, database, records
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="exam-records", daemon=True)

    def start(self) -> None:
        """Begin to look, again and again."""
        self._thread.start()

    def close(self) -> None:
        """End after what is being done."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> int:
        """Close what has expired and record what is not recorded; how many exams could not be.

        Those are logged, and stay to be recorded. Raises ServerClosingError once the service is
        closed.
        """
        now = self._service.now
        self._service.write(lambda connection: store.let_expire(connection, now)).result()
        with self._database.reading() as connection:
            waiting = store.unrecorded(connection)
        failed = 0
        for exam in waiting:
            try:
                self._record(exam)
            except ServerClosingError:
                raise
            except Exception:  # whatever an exam's answers do, the others are recorded
                _LOG.exception("exam %s of %s could not be recorded", exam.id, exam.team)
                failed += 1
        return failed

    def _record(self, exam: StoredExam) -> None:
        if exam.recorded < store.OPENED:
            self._records.record_opening(exam)
        if exam.state == "finished":
            self._records.record_run(self._service.finished_exam(exam.team, exam.id))
        elif exam.state != "open":
            self._records.record_end(exam)
        recorded = store.OPENED if exam.state == "open" else store.CLOSED
        self._service.write(
            lambda connection: store.set_recorded(connection, exam, recorded)
        ).result()
        _LOG.info("exam %s of %s: %s, recorded", exam.id, exam.team, exam.state)

    def _run(self) -> None:
        pause = 0.0
        while not self._ended.wait(pause):
            try:
                pause = AFTER_FAULT if self.look() else PAUSE
            except ServerClosingError:
                return
            except Exception:  # a thread that ends would leave all later exams unrecorded
                _LOG.exception("the database could not be read or written; it is tried again")
                pause = AFTER_FAULT
