"""The floors of a submission's kind: a figure without its floor says nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct

from harness.errors import EnvironmentFailure
from harness.files import is_leftover
from harness.metrics import METRICS
from harness.untrusted import UnfitFileError, json_document, read_small

LARGEST = 1 << 22  # bytes of scores.json


class Floor(NamedTuple):
    """A baseline that reads no query, and its figure."""

    name: str
    value: float


class _Cell(Struct):
    value: float | None


class _Scores(Struct):
    benchmark: dict[str, str]
    submission: dict[str, str]
    metrics: dict[str, dict[str, _Cell]]


def best_floors(folder: Path, document: Mapping[str, Any]) -> dict[str, Floor]:
    """The best floor in each metric's slice `all`, of the kind of a document of scores.json.

    `folder` holds <name>/<history>/scores.json. Of one kind: the same benchmark, gold and split,
    history and use of candidates; among equals the first by name. Empty where there is none. Raises
    EnvironmentFailure if one cannot be read.
    """
    best: dict[str, Floor] = {}
    for name, cells in _of_the_kind(folder, document):
        for metric, cell in cells.items():
            if cell.value is None or metric not in METRICS:
                continue
            higher = METRICS[metric].better == "higher"
            known = best.get(metric)
            if known is None or (cell.value > known.value if higher else cell.value < known.value):
                best[metric] = Floor(name, cell.value)
    return best


def _of_the_kind(
    folder: Path, document: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, _Cell]]]:
    history = document["submission"]["history"]
    for path in sorted(folder.glob(f"*/{history}/scores.json")):
        if is_leftover(path.parts[-3]):
            continue
        scores = _read(path)
        if (
            scores.benchmark == document["benchmark"]
            and scores.submission.get("history") == history
            and scores.submission.get("candidates") == document["submission"]["candidates"]
        ):
            yield path.parts[-3], scores.metrics.get("all", {})


def _read(path: Path) -> _Scores:
    try:
        return json_document(read_small(path, LARGEST), _Scores)
    except UnfitFileError as error:
        raise EnvironmentFailure(
            f"{path}: expected a floor's scores: {error}; "
            "make them again with `ivcr baseline run --floors --benchmark BENCHMARK`"
        ) from error
