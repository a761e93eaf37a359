"""Scoring what arrives: each run on the split of its phase; all problems of invalid ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.benchmark import Benchmark
from harness.challenge.intake.arrivals import Arrival
from harness.results import Invalid, Outcome, score_all
from harness.results.batch import Progress
from harness.validation import PublicSplit, Report, check, read_public


class PhaseScorer:
    """Scores arrivals of several phases, in several processes; keeps results as they come."""

    def __init__(
        self,
        benchmark: Benchmark,
        results: Path,
        *,
        otherwise: str,
        processes: int | None,
        progress: Progress,
    ) -> None:
        """`otherwise`: the split for runs of which no phase is known, because they are invalid."""
        self._benchmark, self._results, self._otherwise = benchmark, results, otherwise
        self._processes, self._progress = processes, progress
        self._public: dict[str, PublicSplit] = {}

    def score(self, arrivals: Sequence[Arrival]) -> Mapping[Path, Outcome]:
        """By folder, what became of each. Raises EnvironmentFailure."""
        by_split: dict[str, list[Path]] = defaultdict(list)
        outcomes: dict[Path, Outcome] = {}
        for arrival in arrivals:
            if arrival.phase is None:
                outcomes[arrival.folder] = Invalid(arrival.folder, "no card that can be read")
            else:
                by_split[arrival.phase.split].append(arrival.folder)
        for split, folders in sorted(by_split.items()):
            found = score_all(
                folders,
                self._benchmark.folder,
                split,
                self._results,
                processes=self._processes,
                progress=self._progress,
            )
            outcomes |= {outcome.folder: outcome for outcome in found}
        return outcomes

    def report(self, arrival: Arrival) -> Report:
        """All problems of a run, which the public half of its split shows."""
        split = arrival.phase.split if arrival.phase else self._otherwise
        if split not in self._public:
            self._public[split] = read_public(self._benchmark, split)
        public = self._public[split]
        return check(arrival.folder, self._benchmark, split, keep=False, public=public).report
