"""Several submissions at once: which paths are meant, and a check of each against one split."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from harness.benchmark import Benchmark
from harness.errors import EnvironmentFailure
from harness.files import is_leftover
from harness.submission import CARD, predictions_in
from harness.validation.checking import check
from harness.validation.public import PublicSplit, read_public
from harness.validation.reading.place import require_folder
from harness.validation.report import Report
from harness.workers.pool import in_order, in_processes, workers_for

# What else lies in a folder of submissions, and so in the list that a shell makes of `*`.
BESIDE = ("challenge.toml", "ledger.jsonl", "team.toml")


class SubmissionPaths(NamedTuple):
    """The submissions that several paths mean, in their order, and those that are passed over."""

    folders: tuple[Path, ...]
    others: tuple[Path, ...]
    repeated: tuple[Path, ...]


class CheckedSubmission(NamedTuple):
    """The report on a submission. `kind`: its card's, None if it has none that can be read."""

    folder: Path
    report: Report
    kind: str | None


def submissions_among(paths: Sequence[Path]) -> SubmissionPaths:
    """What a list of paths, such as a shell makes of `submissions/*/*`, means.

    Passed over are files of challenge and teams, leftovers of systems and editors, journals of
    unfinished runs, and whatever is there twice under whatever name. One path is always meant.
    """
    if len(paths) == 1:
        return SubmissionPaths(tuple(paths), (), ())
    meant: dict[str, Path] = {}
    others, repeated = list[Path](), list[Path]()
    for path in paths:
        place = os.path.realpath(path)
        if is_leftover(path.name) or path.name in BESIDE or _is_journal(path):
            others.append(path)
        elif place in meant:
            repeated.append(path)
        else:
            meant[place] = path
    return SubmissionPaths(tuple(meant.values()), tuple(others), tuple(repeated))


def _is_journal(path: Path) -> bool:
    return path.suffix == ".run" and not (os.path.lexists(path / CARD) or predictions_in(path))


def check_each(
    folders: Sequence[Path], benchmark: Path, split: str, *, processes: int | None = None
) -> Iterator[CheckedSubmission]:
    """The report on each submission, in the order of `folders`; the split is read once a process.

    `processes`: by default one a core for more than a few. Raises EnvironmentFailure, before any is
    checked, if a path is no folder of a submission, or the benchmark cannot be used.
    """
    for folder in folders:
        require_folder(folder)
    Benchmark(benchmark).checked()
    tasks = [_Task(number, folder, benchmark, split) for number, folder in enumerate(folders)]
    workers = workers_for(len(tasks), processes)
    if workers == 1:
        _public.cache_clear()  # the folder may be another one since the last call
        yield from (_carry_out(task)[1] for task in tasks)
    else:
        yield from in_order(in_processes(_carry_out, tasks, workers, _lost))


class _Task(NamedTuple):
    number: int
    folder: Path
    benchmark: Path
    split: str


@cache
def _public(benchmark: Path, split: str) -> tuple[Benchmark, PublicSplit]:
    where = Benchmark(benchmark)
    return where, read_public(where, split)


def _carry_out(task: _Task) -> tuple[int, CheckedSubmission]:
    benchmark, public = _public(task.benchmark, task.split)
    found = check(task.folder, benchmark, task.split, keep=False, public=public)
    kind = None if found.card is None else found.card.kind
    return task.number, CheckedSubmission(task.folder, found.report, kind)


def _lost(task: _Task) -> tuple[int, CheckedSubmission]:
    raise EnvironmentFailure(
        f"{task.folder}: the process that checked it ended, twice; it may need more memory: give "
        "--processes a smaller number"
    )
