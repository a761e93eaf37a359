"""Old and new figures and ranks of runs that were scored again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from harness.benchmark import Benchmark
from harness.challenge.challenge_file import Phase
from harness.challenge.corrections import CorrectedFigure, CorrectedRanks, CorrectedRun
from harness.challenge.intake.arrivals import Arrival
from harness.challenge.intake.taking_in import IntakeSettings
from harness.challenge.intake.telling import Ranks, headline_figures, scored_with
from harness.challenge.state import ChallengeState
from harness.publication.headlines import HEADLINES
from harness.results import ResultsFolder, Scored, result_key

RanksOfPhase = Mapping[str, Mapping[str, Ranks]]  # by phase and TEAM/RUN


class OldAndNew:
    """Old results beside new ones. Of hidden labels nothing is compared.

    The difference of two figures of one submission tells the label that was mended.
    """

    def __init__(
        self, benchmark: Benchmark, settings: IntakeSettings, state: ChallengeState
    ) -> None:
        self._benchmark, self._ranks, self._state = benchmark, settings.ranks, state
        self._results = ResultsFolder(settings.results)

    def corrected(self, scored: Sequence[tuple[Arrival, Scored]]) -> tuple[CorrectedRun, ...]:
        """Each of the runs with what moved, in their order."""
        old = {run.key: self._old_key(run) for run, _ in scored}
        before = self._of_phases(scored, old)
        after = self._of_phases(scored, {run.key: found.key for run, found in scored})
        return tuple(
            self._run(run, old[run.key], found.key, before, after) for run, found in scored
        )

    def _run(
        self, run: Arrival, old: str, new: str, before: RanksOfPhase, after: RanksOfPhase
    ) -> CorrectedRun:
        phase = _phase(run)
        if self._hidden(phase):
            return CorrectedRun(run.key, phase.split)
        ranks = [_span(each.get(phase.name, {}).get(run.key)) for each in (before, after)]
        figures = self._figures(old, new)
        return CorrectedRun(run.key, phase.split, figures, CorrectedRanks(*ranks))

    def _figures(self, old_key: str, new_key: str) -> tuple[CorrectedFigure, ...]:
        """The headline figures that are other ones now; of a result that is gone there are none."""
        stored = [self._results.find(key) for key in (old_key, new_key)]
        figures = [{} if each is None else headline_figures(each) for each in stored]
        found = []
        for name in HEADLINES:
            old_value, new_value = (each[name].value if name in each else None for each in figures)
            if old_value != new_value:
                found.append(CorrectedFigure(name, old_value, new_value))
        return tuple(found)

    def _of_phases(
        self, scored: Sequence[tuple[Arrival, Scored]], keys: Mapping[str, str]
    ) -> RanksOfPhase:
        """The ranks on a board of these results, where labels are public and all are kept."""
        runs: dict[str, dict[str, str]] = defaultdict(dict)
        phases = {_phase(run).name: _phase(run) for run, _ in scored}
        for run, _ in scored:
            runs[_phase(run).name][run.key] = keys[run.key]
        return {
            name: self._ranks(phases[name], found)
            for name, found in runs.items()
            if self._ranks is not None
            and not self._hidden(phases[name])
            and all(map(self._results.holds, found.values()))
        }

    def _old_key(self, run: Arrival) -> str:
        version = self._state.accepted()[run.key]
        split, sha256 = _phase(run).split, version.submission_sha256
        return result_key(sha256, self._benchmark, split, scored_with(version))

    def _hidden(self, phase: Phase) -> bool:
        return self._benchmark.labels(phase.split) == "hidden"


def _phase(run: Arrival) -> Phase:
    assert run.phase is not None  # noqa: S101 - only runs of a phase are scored again
    return run.phase


def _span(ranks: Ranks | None) -> tuple[int, int, int] | None:
    return None if ranks is None else (ranks.best, ranks.worst, ranks.of)
