"""Scoring several submissions for their makers: each to a file of its own, in several processes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from harness.benchmark import Benchmark
from harness.errors import SubmissionError
from harness.files import make_folder
from harness.protocols.scores import OFFICIAL_SCORES, score_result_to_file
from harness.scoring import SplitScorer, score_to_files
from harness.validation.reading.place import require_folder
from harness.workers.pool import in_order, in_processes, workers_for


class ScoringOrder(NamedTuple):
    """How several submissions are scored. `out`: the folder of their scores; None: each its own."""

    benchmark: Path
    split: str
    official: bool
    partial: bool
    out: Path | None


class ScoredFile(NamedTuple):
    """A submission's scores as they were written: the document, with the slice `all` alone."""

    submission: Path
    document: dict[str, Any]
    place: Path


class NotScored(NamedTuple):
    """A submission that could not be scored, and why."""

    submission: Path
    reason: str


def score_each(
    submissions: Sequence[Path], order: ScoringOrder, *, processes: int | None = None
) -> Iterator[ScoredFile | NotScored]:
    """Score submissions, in their order; one that cannot be scored stops no other.

    Scores go to scores.json (`official`: scores.official.json) in each submission, or in the folder
    of its name in `out`: the path below what all submissions have in common. `processes`: by
    default one a core for more than a few. Raises EnvironmentFailure, before any is scored, if a
    path is no submission or the benchmark cannot be used, and whenever a file cannot be written.
    """
    for path in submissions:
        if not (order.official and path.is_file()):
            require_folder(path)
    Benchmark(order.benchmark).checked()
    places = own_places(submissions)
    tasks = [
        _Task(number, path, order, order.out / place if order.out else None)
        for number, (path, place) in enumerate(zip(submissions, places, strict=True))
    ]
    workers = workers_for(len(tasks), processes)
    if workers == 1:
        _benchmark.cache_clear()  # the folder may be another one since the last call
        _scorer.cache_clear()
        yield from (_carry_out(task)[1] for task in tasks)
    else:
        yield from in_order(in_processes(_carry_out, tasks, workers, _lost))


def own_places(paths: Sequence[Path]) -> list[Path]:
    """A relative path for each of several different paths: below the folder common to all."""
    whole = [os.path.realpath(path) for path in paths]
    common = os.path.commonpath([str(Path(path).parent) for path in whole])
    return [Path(os.path.relpath(path, common)) for path in whole]


class _Task(NamedTuple):
    number: int
    submission: Path
    order: ScoringOrder
    out: Path | None


@cache
def _benchmark(folder: Path) -> Benchmark:
    return Benchmark(folder)


@cache
def _scorer(folder: Path, split: str) -> SplitScorer:
    return SplitScorer(_benchmark(folder), split)


def _carry_out(task: _Task) -> tuple[int, ScoredFile | NotScored]:
    try:
        document, place = _officially(task) if task.order.official else _by_our_protocol(task)
    except SubmissionError as error:
        return task.number, NotScored(task.submission, str(error))
    shown = {**document, "metrics": {"all": document["metrics"]["all"]}}
    return task.number, ScoredFile(task.submission, shown, place)


def _by_our_protocol(task: _Task) -> tuple[dict[str, Any], Path]:
    order = task.order
    return score_to_files(
        task.submission,
        _benchmark(order.benchmark),
        order.split,
        out=_place(task.out, "scores.json"),
        partial=order.partial,
        scorer=_scorer(order.benchmark, order.split),
    )


def _officially(task: _Task) -> tuple[dict[str, Any], Path]:
    out = _place(task.out, OFFICIAL_SCORES)
    order = task.order
    return score_result_to_file(task.submission, _benchmark(order.benchmark), order.split, out)


def _place(folder: Path | None, name: str) -> Path | None:
    if folder is None:
        return None
    make_folder(folder)
    return folder / name


def _lost(task: _Task) -> tuple[int, ScoredFile | NotScored]:
    reason = f"{task.submission}: the process that scored it ended; it may need more memory"
    return task.number, NotScored(task.submission, reason)
