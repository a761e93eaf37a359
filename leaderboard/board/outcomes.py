"""Reading scores.outcomes.npz: a metric turn by turn, from a file by an unknown author."""

from __future__ import annotations

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from harness.errors import SubmissionError
from leaderboard.board.records import Scores

NAME = "scores.outcomes.npz"
LARGEST = 1 << 28  # bytes of one array
HEADER = 1 << 12  # bytes in which the head of an array ends
SLACK = 1e-8  # scores.json has ten digits
BROKEN = (OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile, zlib.error, EOFError)

CURVE = re.compile(r"S@([1-9][0-9]?)")
T = TypeVar("T")
Floats = NDArray[np.float64]


class TurnValues(NamedTuple):
    """A mean turn by turn: its figure is the sum of `values` over the sum of `weights`."""

    values: Floats  # (turns,)
    weights: Floats  # (turns,)


def turn_values(folder: Path, scores: Scores, metric: str) -> TurnValues | None:
    """A metric's values and weights on the slice `all`, None if there is no outcomes file.

    Raises SubmissionError if the file is not what `ivcr score` writes, belongs to other scores than
    `scores`, or sums to another figure.
    """

    def column(archive: zipfile.ZipFile) -> TurnValues:
        values, weights = _rows(archive, metric)
        return TurnValues(values.copy(), weights.copy())

    found = _read(folder, scores, column)
    if found is not None:
        _same_figure(found, scores, metric)
    return found


def at_risk(folder: Path, scores: Scores) -> list[int] | None:
    """How many dialogues are at risk at each retrieval turn, from 1; None without the file.

    They are those behind the longest S@t of the scores. Raises SubmissionError as `turn_values`
    does, and if their curve is not that of the scores.
    """
    last = max(int(name[2:]) for name in scores.metrics["all"] if CURVE.fullmatch(name))
    found = _read(folder, scores, lambda archive: _rows(archive, f"S@{last}").sum(axis=1))
    if found is None:
        return None
    risk, failed = np.split(found, 2)
    left = np.cumprod(1 - failed / np.maximum(risk, 1))
    for t, share in enumerate(left, start=1):
        cell = scores.metrics["all"].get(f"S@{t}")
        if cell is not None and cell.value is not None and abs(cell.value - share) > SLACK:
            raise SubmissionError(f"{NAME}: gives another S@{t} than scores.json has")
    return [int(number) for number in risk]


def _read(folder: Path, scores: Scores, take: Callable[[zipfile.ZipFile], T]) -> T | None:
    """What `take` takes of a run's outcomes, None if there are none."""
    path = folder / NAME
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    try:
        if not stat.S_ISREG(mode):
            raise ValueError("expected a regular file")
        with zipfile.ZipFile(path) as archive:
            _same_run(archive, scores)
            return take(archive)
    except (*BROKEN, NotImplementedError) as error:
        raise SubmissionError(f"{NAME}: {error}; make it again with `ivcr score`") from error


def _rows(archive: zipfile.ZipFile, metric: str) -> Floats:
    """The rows of a metric, (an even number, turns)."""
    place = _array(archive, "metrics").tolist().index(metric)
    start, rows = (int(_array(archive, name)[place]) for name in ("start", "rows"))
    table = _array(archive, "table")
    expected = 2 * int(metric[2:]) if CURVE.fullmatch(metric) else len(TurnValues._fields)
    if rows != expected or table.ndim != 2 or not 0 <= start <= len(table) - rows:
        raise ValueError(f"expected {expected} rows of {metric}")
    if table.dtype != np.float64 or not np.isfinite(table[start : start + rows]).all():
        raise ValueError(f"expected finite numbers of {metric}")
    return table[start : start + rows]


def _same_run(archive: zipfile.ZipFile, scores: Scores) -> None:
    of = scores.benchmark
    for name, expected in (
        ("fingerprint", of.fingerprint),
        ("gold_sha256", of.gold_sha256),
        ("split", of.split),
        ("sha256", scores.submission.sha256),
    ):
        if _array(archive, name).item() != expected:
            raise ValueError(f"its {name} is not that of scores.json")


def _same_figure(found: TurnValues, scores: Scores, metric: str) -> None:
    cell, below = scores.metrics["all"].get(metric), found.weights.sum()
    figure = None if cell is None else cell.value
    if figure is None or below <= 0 or abs(found.values.sum() / below - figure) > SLACK:
        raise SubmissionError(f"{NAME}: sums to another {metric} than scores.json has")


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """One array, none of whose declared sizes is believed; no pickled objects."""
    info = archive.getinfo(f"{name}.npy")
    if info.file_size > LARGEST:
        raise ValueError(f"{name} has more than {LARGEST:,} bytes")
    data = archive.read(info)
    shape, fortran, kind, start = _header(data[:HEADER].partition(b"\n")[0])
    # Before an array of the declared shape is made: it may declare more than memory holds.
    if kind.hasobject or np.prod(shape, dtype=float) * kind.itemsize != len(data) - start:
        raise ValueError(f"{name} is not as long as it says")
    array = np.frombuffer(data, dtype=kind, offset=start)
    return array.reshape(shape, order="F" if fortran else "C")


@lru_cache(maxsize=1024)
def _header(head: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Shape, order and type of an array, and where its data begin; most files have equal heads."""
    stream = io.BytesIO(head + b"\n")
    if npy.read_magic(stream) != (1, 0):
        raise ValueError("expected an array as `ivcr score` writes it")
    shape, fortran, kind = npy.read_array_header_1_0(stream)
    return shape, fortran, kind, stream.tell()
