"""Replies that were paid for, kept in one SQLite file from run to run, by what was asked.

Only replies to requests that a model answers the same each time (temperature 0) belong here. Each
is on the disk before it is used, so that a killed run pays for none of them again. Several
processes may use the file at once.
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
    """Replies by key; `folder` None: in memory, for one run."""

    def __init__(self, folder: Path | None) -> None:
        """Open the file, or make it. Raises EnvironmentFailure if it cannot be used."""
        self._file = ":memory:" if folder is None else str(folder / FILE)
        with self._told():
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
            # One thread uses it; closing may fall to another, wherever garbage is collected.
            self._base = sqlite3.connect(
                self._file, timeout=WAIT, isolation_level=None, check_same_thread=False
            )
            weakref.finalize(self, self._base.close)
            self._base.execute("PRAGMA synchronous = FULL")
            self._base.execute(
                "CREATE TABLE IF NOT EXISTS replies "
                "(key TEXT PRIMARY KEY, model TEXT NOT NULL, reply BLOB NOT NULL)"
            )

    def count(self, model: str) -> int:
        """How many replies of a model are kept."""
        with self._told():
            (found,) = self._base.execute(
                "SELECT count(*) FROM replies WHERE model = ?", (model,)
            ).fetchone()
        return int(found)

    def get(self, key: str) -> Reply | None:
        """The reply of that key, if it is kept and sound."""
        with self._told():
            row = self._base.execute("SELECT reply FROM replies WHERE key = ?", (key,)).fetchone()
        try:
            return None if row is None else msgspec.json.decode(row[0], type=Reply)
        except msgspec.DecodeError:
            return None

    def put(self, key: str, model: str, reply: Reply) -> None:
        """Keep a reply; it is on the disk when this returns."""
        with self._told():
            self._base.execute(
                "INSERT OR REPLACE INTO replies VALUES (?, ?, ?)", (key, model, canonical(reply))
            )

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise EnvironmentFailure(
                f"{self._file}: replies cannot be kept there: {error}; "
                "name another folder for the cache"
            ) from error
