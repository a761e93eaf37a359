"""The results of a board's runs: looked up in the results folder, or computed now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.benchmark import Benchmark
from harness.errors import EnvironmentFailure
from harness.results import ResultsFolder, Scored, ScoringFault, score_all, scorer_line

Progress = Callable[[int, int], None]


class NotComputed(NamedTuple):
    """Why a run has no result; `fault`: for a reason that is not its own."""

    reason: str
    fault: bool


class RunResult(NamedTuple):
    """What was computed of one run: its key, scores.json, and how many turns it leaves empty."""

    key: str
    scores: bytes
    abstentions: int


class BoardResults:
    """The results of one board's runs."""

    def __init__(
        self,
        benchmark: Benchmark,
        split: str,
        folder: Path,
        *,
        processes: int | None = None,
        progress: Progress = lambda done, total: None,
    ) -> None:
        """`folder`: the results folder, made where absent; `processes`: by default one a core.

        Raises WrongUsageError if `folder` holds something else.
        """
        self.scorer = scorer_line()
        self._benchmark, self._split = benchmark.folder, split
        self._folder = ResultsFolder(folder)
        self._processes, self._progress = processes, progress

    def compute(self, folders: Sequence[Path]) -> Mapping[Path, str | NotComputed]:
        """By folder of a submission the key of its result, or why there is none."""
        found = score_all(
            folders,
            self._benchmark,
            self._split,
            self._folder.folder,
            processes=self._processes,
            progress=self._progress,
        )
        return {
            each.folder: each.key
            if isinstance(each, Scored)
            else NotComputed(each.reason, isinstance(each, ScoringFault))
            for each in found
        }

    def read(self, key: str) -> RunResult:
        """The result of a key. Raises EnvironmentFailure if it is gone."""
        if (found := self._folder.find(key)) is None:
            raise EnvironmentFailure(
                f"{self._folder.place(key)}: expected the result that was computed, found none; "
                "build again"
            )
        return RunResult(key, found.scores, found.abstentions)

    def holds(self, key: str) -> bool:
        """Whether there is a result of a key."""
        return self._folder.holds(key)

    def place(self, key: str) -> Path:
        """The folder with a result's outcomes."""
        return self._folder.place(key)
