"""Columns that earlier builds read out of outcomes files, so that an unchanged file is not opened.

They lie beside the site like the ledger, one file a table, and are believed as the ledger is: by
the stamp of the files that they were read from.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import numpy as np

from harness.files import open_replacement
from leaderboard.board.outcomes import BROKEN, Turns
from leaderboard.board.records import Entry


class Remembered:
    """The columns of one table's headline, by run."""

    def __init__(self, folder: Path | None, table: str, metric: str) -> None:
        """`folder` is that of all tables; None remembers nothing."""
        self._path = None if folder is None else folder / f"{table}.npz"
        self._metric = metric
        self._known = {} if self._path is None else _read(self._path)
        self._used: dict[str, Turns] = {}

    def get(self, run: Entry) -> Turns | None:
        """The column of a run whose files are as they were."""
        found = self._known.get(self._key(run)) if run.stamp else None
        if found is not None:
            self._used[self._key(run)] = found
        return found

    def put(self, run: Entry, column: Turns) -> None:
        """Remember the column of a run."""
        if run.stamp:
            self._used[self._key(run)] = column

    def keep(self) -> None:
        """Write what was asked for or put, if it is other than what was read."""
        if self._path is None or self._used.keys() == self._known.keys():
            return
        first = next(iter(self._used.values()))
        same = {k: c for k, c in self._used.items() if np.array_equal(c.weights, first.weights)}
        self._path.parent.mkdir(exist_ok=True)
        with open_replacement(self._path) as stream:
            np.savez(
                stream,
                keys=np.array(list(same)),
                values=np.array([column.values for column in same.values()]),
                weights=first.weights,
            )

    def _key(self, run: Entry) -> str:
        return hashlib.sha256(repr((self._metric, run.key, run.stamp)).encode()).hexdigest()


def _read(path: Path) -> dict[str, Turns]:
    try:
        with np.load(path) as arrays:
            keys, values, weights = (arrays[name] for name in ("keys", "values", "weights"))
    # None yet, or cut short: the outcomes files are read again.
    except (*BROKEN, zipfile.BadZipFile):
        return {}
    return {key: Turns(row, weights) for key, row in zip(keys.tolist(), values, strict=True)}
