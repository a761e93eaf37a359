"""Corrections: every accepted run is scored again with the present labels and scorer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from harness.benchmark import Benchmark
from harness.challenge.challenge_file import Phase, require_challenge
from harness.challenge.corrections import Correction, correction_reason, write_correction
from harness.challenge.intake.arrivals import Arrival
from harness.challenge.intake.comparing import OldAndNew
from harness.challenge.intake.scoring_phases import PhaseScorer
from harness.challenge.intake.taking_in import TRIES, IntakeSettings, require_places
from harness.challenge.intake.telling import scored_with
from harness.challenge.ledger import read_ledger, writing
from harness.challenge.ledger_lines import LedgerEvent, LedgerLine
from harness.challenge.reasons import require_reason
from harness.challenge.state import ChallengeState, Version, replay
from harness.errors import EnvironmentFailure
from harness.results import Scored, ScoredWith


class RescoringReport(NamedTuple):
    """What was scored again: the ledger's new lines, and notes on runs that could not be.

    `unchanged`: how many runs had been scored with these labels and this scorer already.
    """

    lines: tuple[LedgerLine, ...]
    unchanged: int
    notes: tuple[str, ...]


def rescore(settings: IntakeSettings, why: str, *, now: datetime | None = None) -> RescoringReport:
    """Score every accepted run again, and write a line for each whose scores may have moved.

    A run keeps its old scores where its folder has changed or its submission does not fit the
    present benchmark, which is noted. Raises WrongUsageError for an unfit reason, and else what
    `intake` raises, WrongUsageError and EnvironmentFailure.
    """
    reason = require_reason(why)
    require_places(settings)
    time = now or datetime.now(UTC)
    benchmark = Benchmark(settings.benchmark)
    phases = {phase.name: phase for phase in require_challenge(settings.submissions).phases}
    for _ in range(TRIES):
        ledger = read_ledger(settings.submissions)
        state = replay(ledger.lines, ledger.head)
        work = _Rescoring(settings, benchmark, phases, state)
        scored = work.scored()
        lines: tuple[LedgerLine, ...] = ()
        if not settings.dry_run:
            events = work.events(scored, reason)
            with writing(settings.submissions, time) as writer:
                if writer.read(ledger.position).lines:
                    continue
                lines = writer.append(events)
        return RescoringReport(lines, work.unchanged, tuple(work.notes))
    raise EnvironmentFailure(f"{settings.submissions}: others write the ledger all the time")


class _Rescoring:
    def __init__(
        self,
        settings: IntakeSettings,
        benchmark: Benchmark,
        phases: dict[str, Phase],
        state: ChallengeState,
    ) -> None:
        self._settings, self._benchmark, self._phases = settings, benchmark, phases
        self._state = state
        self.notes: list[str] = []
        self.unchanged = 0

    def scored(self) -> list[tuple[Arrival, Scored]]:
        """The runs that were scored again, in the order of keys."""
        runs = list(self._runs())
        scorer = PhaseScorer(
            self._benchmark,
            self._settings.results,
            otherwise="test",
            processes=self._settings.processes,
            progress=self._settings.progress,
        )
        outcomes, found = scorer.score(runs), []
        for run in runs:
            outcome = outcomes[run.folder]
            if not isinstance(outcome, Scored):
                self.notes.append(f"{run.key}: keeps its old scores: {outcome.reason}")
            elif outcome.submission_sha256 != run.sha256:
                self.notes.append(f"{run.key}: keeps its old scores: its folder has changed")
            else:
                found.append((run, outcome))
        return found

    def events(self, scored: Sequence[tuple[Arrival, Scored]], reason: str) -> list[LedgerEvent]:
        """Their lines `rescored`, once the file with old and new figures is written."""
        if not scored:
            return []
        compared = OldAndNew(self._benchmark, self._settings, self._state)
        correction = Correction(1, reason, compared.corrected(scored))
        sha256 = write_correction(self._settings.submissions, correction)
        why = correction_reason(reason, sha256)
        return [self._event(run, outcome, why) for run, outcome in scored]

    def _runs(self) -> Iterator[Arrival]:
        """The scored runs that may have other scores now."""
        for key, version in sorted(self._state.accepted().items()):
            phase = self._phases.get(version.phase or "")
            folder: Path = self._settings.submissions / key
            if phase is None:
                self.notes.append(f"{key}: challenge.toml has no phase {version.phase}")
            elif version.scored_at is None:
                continue  # the next intake scores it
            elif self._is_present(version, phase):
                self.unchanged += 1
            elif not folder.is_dir():
                self.notes.append(f"{key}: keeps its old scores: its folder is gone")
            else:
                yield Arrival(key, folder, version.submission_sha256, phase)

    def _is_present(self, version: Version, phase: Phase) -> bool:
        """Whether a version was scored with the present benchmark and scorer."""
        return scored_with(version) == ScoredWith.now(self._benchmark, phase.split)

    def _event(self, run: Arrival, scored: Scored, reason: str) -> LedgerEvent:
        team, _, name = run.key.partition("/")
        now = ScoredWith.now(self._benchmark, run.phase.split if run.phase else "")
        return LedgerEvent(
            event="rescored",
            team=team,
            run=name,
            submission_sha256=scored.submission_sha256,
            scores_sha256=scored.scores_sha256,
            fingerprint=now.fingerprint,
            gold_sha256=now.gold_sha256,
            scorer=now.scorer,
            why=reason,
        )
