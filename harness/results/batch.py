"""Scoring many submissions: what the results folder lacks, in several processes.

Each result is kept as soon as it is computed, so whatever ends the work loses none that is done.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from harness.benchmark import Benchmark
from harness.errors import EnvironmentFailure, SubmissionError
from harness.results.key import result_key, submission_sha256
from harness.results.store import ResultsFolder
from harness.scoring import SplitScorer
from harness.scoring.document import first_problem
from harness.validation import check
from harness.workers.pool import in_processes, workers_for

Progress = Callable[[int, int], None]


class Scored(NamedTuple):
    """A submission whose result is in the results folder; hashes in hex."""

    folder: Path
    key: str
    submission_sha256: str
    scores_sha256: str


class Invalid(NamedTuple):
    """A submission that may not be scored, and its first problem."""

    folder: Path
    reason: str


class ScoringFault(NamedTuple):
    """A submission that could not be scored for a reason that is not its own."""

    folder: Path
    reason: str


Outcome = Scored | Invalid | ScoringFault


def score_all(
    folders: Sequence[Path],
    benchmark: Path,
    split: str,
    results: Path,
    *,
    processes: int | None = None,
    progress: Progress = lambda done, total: None,
) -> Iterator[Outcome]:
    """What becomes of each submission, in the order in which they are done.

    What `results`, a results folder, holds is not computed again. `processes`: by default one a
    core. A process that dies takes no other submission with it. Raises EnvironmentFailure if the
    benchmark or the results folder cannot be used.
    """
    ResultsFolder(results)
    number = workers_for(len(folders), processes)
    tasks = [_Task(folder, benchmark, split, results) for folder in folders]
    found = _here(tasks) if number == 1 else in_processes(_carry_out, tasks, number, _lost)
    for done, outcome in enumerate(found, start=1):
        progress(done, len(folders))
        yield outcome


class _Worker:
    """What a process needs for its submissions; the split is read at the first that is scored."""

    def __init__(self, benchmark: Path, split: str, results: Path) -> None:
        self._scorer = SplitScorer(Benchmark(benchmark), split)
        self._results = ResultsFolder(results)

    def outcome(self, folder: Path) -> Outcome:
        """Look a submission up, or score it and keep the result."""
        try:
            return self._found(folder) or self._scored(folder)
        except SubmissionError as error:
            return Invalid(folder, str(error))
        except EnvironmentFailure:
            raise
        except OSError as error:
            return ScoringFault(folder, f"cannot be read: {error.strerror or error}")
        except Exception as error:  # a fault of ours, whatever it is: it is told, and costs nobody
            where = traceback.extract_tb(error.__traceback__)[-1]
            text = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
            return ScoringFault(folder, text)

    def _found(self, folder: Path) -> Scored | None:
        try:
            sha256 = submission_sha256(folder, len(self._scorer.public.tasks))
        except SubmissionError:  # validation says more
            return None
        key = self._key(sha256)
        stored = self._results.find(key)
        return stored and Scored(folder, key, sha256, stored.sha256)

    def _scored(self, folder: Path) -> Outcome:
        scorer = self._scorer
        checked = check(folder, scorer.benchmark, scorer.split, public=scorer.public)
        if problem := first_problem(checked):
            number = f"{checked.report.errors:,} problems"
            step = "`ivcr validate` lists them all"
            return Invalid(folder, f"{problem}; not valid ({number}): {step}")
        result = scorer.score_checked(folder, checked)
        sha256 = result.document["submission"]["sha256"]
        key = self._key(sha256)
        stored = self._results.keep(key, result, checked.report.abstentions)
        return Scored(folder, key, sha256, stored.sha256)

    def _key(self, sha256: str) -> str:
        return result_key(sha256, self._scorer.benchmark, self._scorer.split)


class _Task(NamedTuple):
    """One submission, and what its worker needs."""

    folder: Path
    benchmark: Path
    split: str
    results: Path


_worker = cache(_Worker)  # of a process that ends with the batch


def _carry_out(task: _Task) -> Outcome:
    return _worker(task.benchmark, task.split, task.results).outcome(task.folder)


def _here(tasks: Sequence[_Task]) -> Iterator[Outcome]:
    if tasks:
        worker = _Worker(*tasks[0][1:])
        yield from (worker.outcome(task.folder) for task in tasks)


def _lost(task: _Task) -> Outcome:
    return ScoringFault(task.folder, "the process that scored it ended; it may need more memory")
