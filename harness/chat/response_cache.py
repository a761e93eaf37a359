"""Replies of earlier runs, by the request, in one SQLite file.

It is for requests that a model answers the same each time (temperature 0). A reply is on the disk
before it is used, so a killed run pays for none of them again. Several processes may use the file
at once.
"""

from __future__ import annotations

import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from harness.chat.messages import Reply
from harness.errors import EnvironmentFailure
from harness.files import canonical

FILE = "replies.sqlite"
WAIT = 60.0  # seconds for another process to finish writing


class ResponseCache:
    """Replies by key. folder: of the file (None: in memory, for one run)."""

    def __init__(self, folder: Path | None) -> None:
        """Open the file, or create it. Raises EnvironmentFailure if it cannot be used."""
        self._file = ":memory:" if folder is None else str(folder / FILE)
        with self._database_errors():
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
            # One thread uses it; garbage collection may close it in another.
            self._database = sqlite3.connect(
                self._file, timeout=WAIT, isolation_level=None, check_same_thread=False
            )
            weakref.finalize(self, self._database.close)
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS replies "
                "(key TEXT PRIMARY KEY, model TEXT NOT NULL, reply BLOB NOT NULL)"
            )

    def count(self, model: str) -> int:
        """The number of a model's replies in the file."""
        with self._database_errors():
            (count,) = self._database.execute(
                "SELECT count(*) FROM replies WHERE model = ?", (model,)
            ).fetchone()
        return int(count)

    def get(self, key: str) -> Reply | None:
        """The reply of a key; None if there is none or its bytes are damaged."""
        with self._database_errors():
            row = self._database.execute(
                "SELECT reply FROM replies WHERE key = ?", (key,)
            ).fetchone()
        try:
            return None if row is None else msgspec.json.decode(row[0], type=Reply)
        except msgspec.DecodeError:
            return None

    def put(self, key: str, model: str, reply: Reply) -> None:
        """Store a reply; it is on the disk when this returns."""
        with self._database_errors():
            self._database.execute(
                "INSERT OR REPLACE INTO replies VALUES (?, ?, ?)", (key, model, canonical(reply))
            )

    @contextmanager
    def _database_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise EnvironmentFailure(
                f"{self._file}: replies cannot be kept there: {error}; "
                "name another folder for the cache"
            ) from error
