"""Reading scores.outcomes.npz: a metric turn by turn, from a file by an unknown author."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from harness.errors import SubmissionError
from harness.untrusted import UnfitFileError
from harness.untrusted.array_archive import LARGEST, ArrayArchive, open_arrays
from leaderboard.board.records import Scores

NAME = "scores.outcomes.npz"
ROWS = 1000  # of the table of all metrics
SLACK = 1e-8  # scores.json has ten digits
# Of ten digits the last may differ, where sums are in another order.
RELATIVE, ABSOLUTE = 1e-9, 1e-12

# Of the arrays that a board reads: NumPy's kind of their entries, and how many dimensions.
FORMS = {
    "metrics": ("U", 1),
    "table": ("f", 2),
    "start": ("i", 1),
    "rows": ("i", 1),
    **dict.fromkeys(("fingerprint", "gold_sha256", "split", "sha256"), ("U", 0)),
}
CURVE = re.compile(r"S@([1-9][0-9]?)")
T = TypeVar("T")
Floats = NDArray[np.float64]


class TurnValues(NamedTuple):
    """A mean turn by turn: its figure is the sum of `values` over the sum of `weights`."""

    values: Floats  # (turns,)
    weights: Floats  # (turns,)


def turn_values(
    folder: Path, scores: Scores, metric: str, *, rounding: float = 0.0
) -> TurnValues | None:
    """A metric's values and weights on the slice `all`, None if there is no outcomes file.

    `rounding`: the most by which the figures of `scores` were moved, where they are rounded.

    Raises SubmissionError if the file is not what `ivcr score` writes, belongs to other scores than
    `scores`, or sums to another figure.
    """

    found = _read(folder, scores, lambda archive: TurnValues(*_rows(archive, metric)))
    if found is not None:
        require_figure(found, scores, metric, rounding=rounding)
    return found


def require_figure(found: TurnValues, scores: Scores, metric: str, *, rounding: float) -> None:
    """Raises SubmissionError unless `found` sums to the figure of `scores` on the slice `all`."""
    cell, below = scores.metrics["all"].get(metric), found.weights.sum()
    figure = None if cell is None else cell.value
    off = SLACK + rounding
    if figure is None or below <= 0 or abs(found.values.sum() / below - figure) > off:
        raise SubmissionError(f"{NAME}: sums to another {metric} than scores.json has")


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


def check_outcomes(folder: Path, turns: int) -> None:
    """Check what a run's outcomes say of themselves; nothing large is unpacked.

    Raises SubmissionError if they are no arrays, or the table is not of a split of so many turns. A
    run may have no outcomes.
    """

    _open(folder, lambda archive: _check_heads(archive, turns))


def unequal_outcomes(folder: Path, fresh: Path) -> list[str]:
    """What differs between the outcomes in two folders, a line for each array, or metric of one.

    Empty if nothing does, or if one of them has none. Raises SubmissionError if a file is no such.
    """
    found = _open(folder, lambda one: _open(fresh, lambda other: list(_unequal(one, other))))
    return found or []


def _unequal(one: ArrayArchive, other: ArrayArchive) -> Iterator[str]:
    for name in sorted({*one.names, *other.names}):
        if name not in one.names or name not in other.names:
            yield f"{NAME}: {name} is in one of the two alone"
        elif one.head(name)[:2] != other.head(name)[:2]:
            yield f"{NAME}: {name} has another type or shape, scored again"
        else:
            same = _same_entries(one.array(name, LARGEST), other.array(name, LARGEST))
            if same.ndim == 2:
                rows = np.flatnonzero(~same.all(axis=1))
                for metric in _metrics_of(other, name, rows):
                    yield f"{metric}: its outcomes turn by turn differ ({name}), scored again"
            elif not same.all():
                yield f"{NAME}: {name} differs, scored again"


def _same_entries(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.bool_]:
    close = one.dtype.kind == "f"
    same = np.isclose(one, other, rtol=RELATIVE, atol=ABSOLUTE) if close else one == other
    return np.asarray(same, dtype=bool)


def _metrics_of(archive: ArrayArchive, name: str, rows: NDArray[np.int64]) -> list[str]:
    """The metrics to which rows of an array belong: one a row, but for the table."""
    metrics = archive.array("metrics")
    places = rows
    if name == "table":
        places = np.unique(np.searchsorted(archive.array("start"), rows, side="right") - 1)
    return [str(metric) for metric in metrics[places]]


def _read(folder: Path, scores: Scores, take: Callable[[ArrayArchive], T]) -> T | None:
    """What `take` takes of a run's outcomes, None if there are none."""

    def of_the_run(archive: ArrayArchive) -> T:
        _same_run(archive, scores)
        return take(archive)

    return _open(folder, of_the_run)


def _open(folder: Path, take: Callable[[ArrayArchive], T]) -> T | None:
    path = folder / NAME
    if not os.path.lexists(path):
        return None
    try:
        with open_arrays(path) as archive:
            _check_forms(archive)
            return take(archive)
    except UnfitFileError as error:
        raise SubmissionError(f"{NAME}: {error}; make it again with `ivcr score`") from error


def _check_forms(archive: ArrayArchive) -> None:
    """Check the arrays that are there; whoever reads one that is not is told so."""
    lengths = set()
    for name in FORMS.keys() & set(archive.names):
        head = archive.head(name)
        if (head.kind.kind, len(head.shape)) != FORMS[name]:
            raise ValueError(f"{name}: expected an array as `ivcr score` writes it")
        if name in ("metrics", "start", "rows"):
            lengths.add(head.shape)
    if len(lengths) > 1:
        raise ValueError("expected one start and one number of rows for each metric")


def _check_heads(archive: ArrayArchive, turns: int) -> None:
    rows, columns = {name: archive.head(name).shape for name in archive.names}["table"]
    if rows > ROWS or columns != turns:
        raise ValueError(f"expected a table of at most {ROWS:,} rows and {turns:,} columns")


def _rows(archive: ArrayArchive, metric: str) -> Floats:
    """The rows of a metric, (an even number, turns)."""
    place = archive.array("metrics").tolist().index(metric)
    start, rows = (int(archive.array(name)[place]) for name in ("start", "rows"))
    expected = 2 * int(metric[2:]) if CURVE.fullmatch(metric) else len(TurnValues._fields)
    if rows != expected:
        raise ValueError(f"expected {expected} rows of {metric}")
    table = archive.rows("table", start, rows)
    if not np.isfinite(table).all():
        raise ValueError(f"expected finite numbers of {metric}")
    return table


def _same_run(archive: ArrayArchive, scores: Scores) -> None:
    of = scores.benchmark
    for name, expected in (
        ("fingerprint", of.fingerprint),
        ("gold_sha256", of.gold_sha256),
        ("split", of.split),
        ("sha256", scores.submission.sha256),
    ):
        if archive.array(name).item() != expected:
            raise ValueError(f"its {name} is not that of scores.json")
