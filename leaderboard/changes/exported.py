"""The tables of a built site as its exports hold them, from files of an unknown author."""

from __future__ import annotations

import csv
import io
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from harness.errors import EnvironmentFailure, SubmissionError
from harness.files import shown
from harness.untrusted import UnfitFileError, json_document, read_small

MOST_BYTES = 1 << 26
CSV, JSON = "leaderboard.csv", "leaderboard.json"
WITHDRAWN = "withdrawn.csv"
COST = "cost: "
WITHDRAWN_COLUMNS = ("key", "at", "why")
COLUMNS = ("track", "history", "candidates", "rank", "team", "system", "metric", "value")
AGAIN = "build the site again with `ivcr leaderboard build`"


NAMES = ("team", "system", "variant", "control")
Line = dict[str, str]


class _Cell(Struct, frozen=True):
    value: float | None
    low: float | None = None
    high: float | None = None


class _Row(Struct, frozen=True):
    team: str
    system: str
    history: str
    candidates: str
    metrics: dict[str, _Cell]
    variant: str | None = None
    control: str | None = None


class _Board(Struct, frozen=True):
    """leaderboard.json, as far as a comparison needs it."""

    rows: tuple[_Row, ...]


class ExportedFigure(NamedTuple):
    """A figure and its bounds; None where undefined."""

    value: float | None
    low: float | None
    high: float | None


class ExportedRow(NamedTuple):
    """A row of a table. `key`: its folders if the export has them, else made of its names.

    `span`: the best and the worst rank.
    """

    key: str
    team: str
    system: str
    rank: int | None
    span: tuple[int, int] | None
    figures: dict[str, ExportedFigure]


class ExportedSite(NamedTuple):
    """Rows by table and key. `keyed`: whether the keys are those of folders.

    `withdrawn`: by key, when and why a run was withdrawn.
    """

    tables: dict[str, dict[str, ExportedRow]]
    keyed: bool
    withdrawn: dict[str, str]


def read_site(place: Path, *, figures_alone: bool = False, by_names: bool = False) -> ExportedSite:
    """The tables of a site's folder, of its leaderboard.csv or of its leaderboard.json.

    The last holds neither ranks nor folders, and is what is read of a folder if `figures_alone`.
    `by_names`: take no notice of folders. Raises EnvironmentFailure if `place` is absent,
    SubmissionError if it is no such export.
    """
    path = place / (JSON if figures_alone else CSV) if place.is_dir() else place
    if not path.is_file():
        raise EnvironmentFailure(
            f"{place}: expected a built site, its {CSV} or its {JSON}, found none; {AGAIN}"
        )
    with _named(path):
        data = read_small(path, MOST_BYTES)
        if path.suffix == ".json":
            return ExportedSite(_grouped(_json_lines(data), keyed=False), False, {})
        lines = [line for line in _csv_lines(data, COLUMNS) if not _is_cost(line)]
        keyed = not by_names and all(line.get("key") for line in lines)
        return ExportedSite(_grouped(lines, keyed), keyed, _withdrawn(place))


def _withdrawn(site: Path) -> dict[str, str]:
    path = site / WITHDRAWN
    if not site.is_dir() or not os.path.lexists(path):
        return {}
    with _named(path):
        lines = _csv_lines(read_small(path, MOST_BYTES), WITHDRAWN_COLUMNS)
        return {line["key"]: f"{line['at']}: {line['why']}" for line in lines}


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Raise SubmissionError with the file's name, where it is no export."""
    try:
        yield
    except (UnfitFileError, UnicodeDecodeError, csv.Error, ValueError) as error:
        reason = error.text if isinstance(error, UnfitFileError) else shown(str(error), 200)[1:-1]
        raise SubmissionError(f"{path}: expected an export of a site: {reason}; {AGAIN}") from error


def _is_cost(line: Line) -> bool:
    return line["metric"].startswith(COST)


def _csv_lines(data: bytes, columns: tuple[str, ...]) -> Iterator[Line]:
    reader = csv.DictReader(io.StringIO(data.decode("utf-8"), newline=""), strict=True)
    absent = [name for name in columns if name not in (reader.fieldnames or ())]
    if absent:
        raise ValueError(f"without the columns {', '.join(absent)}")
    for line in reader:
        if None in line or None in line.values():
            raise ValueError(f"line {reader.line_num} has another number of cells than the first")
        yield line


def _json_lines(data: bytes) -> Iterator[Line]:
    """The rows of leaderboard.json as lines of the CSV export."""
    for row in json_document(data, _Board).rows:
        for metric, cell in row.metrics.items():
            figure = {name: _text(getattr(cell, name)) for name in ("value", "low", "high")}
            names = {name: getattr(row, name) or "" for name in (*NAMES, "history", "candidates")}
            yield {**names, **figure, "track": "all", "metric": metric, "rank": ""}


def _text(value: float | None) -> str:
    return "" if value is None else repr(value)


def _grouped(lines: Iterable[Line], keyed: bool) -> dict[str, dict[str, ExportedRow]]:
    """Lines of one row stand together in an export, its first metric first."""
    tables: dict[str, dict[str, ExportedRow]] = {}
    repeats: Counter[tuple[str, str]] = Counter()
    row: ExportedRow | None = None
    before: object = None
    for line in lines:
        table = "-".join(line[name] for name in ("track", "history", "candidates"))
        names = "/".join(line.get(name) or "" for name in NAMES)
        mark = (table, line["key"] if keyed else names)
        if row is None or mark != before or line["metric"] in row.figures:
            repeats[mark] += 1
            if keyed and repeats[mark] > 1:
                raise ValueError(f"table {table} has two rows of {mark[1]}")
            key = mark[1] if repeats[mark] == 1 else f"{mark[1]} #{repeats[mark]}"
            row = tables.setdefault(table, {})[key] = _row(key, line)
            before = mark
        figure = (_number(line.get(name)) for name in ("value", "low", "high"))
        row.figures[line["metric"]] = ExportedFigure(*figure)
    return tables


def _row(key: str, line: Line) -> ExportedRow:
    best, worst = (_rank(line.get(name)) for name in ("best_rank", "worst_rank"))
    return ExportedRow(
        key,
        line["team"],
        line["system"],
        _rank(line["rank"]),
        None if best is None or worst is None else (best, worst),
        {},
    )


def _number(text: str | None) -> float | None:
    if not text:
        return None
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the figure {text}")
    return number


def _rank(text: str | None) -> int | None:
    return int(text) if text else None
