"""Making receipts: decisions with what the feedback of their phases allows to tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from harness.benchmark import Benchmark
from harness.challenge.challenge_file import Challenge, Feedback, Phase
from harness.challenge.feedback import RELEASED_METRICS, feedback_in_force
from harness.challenge.intake.decisions import Decision
from harness.challenge.intake.ladder_release import LadderRelease
from harness.challenge.intake.phases import Quota
from harness.challenge.intake.receipts import Receipt, Spent
from harness.challenge.intake.telling import BoardRanks, Ladder, Ranks, scored_with, tell
from harness.challenge.ledger_lines import time_text
from harness.challenge.state import ChallengeState, Version
from harness.publication.headlines import FIND_VIDEO
from harness.results import ResultsFolder, StoredResult, result_key
from harness.submission import CARD
from harness.validation import Report

FAULT = (
    "It could not be scored for a reason that is ours. It keeps its place, and the next intake "
    "scores it; there is nothing to be done."
)


class ReceiptMaker:
    """Makes the receipts of one intake, upon the ledger as it was before."""

    def __init__(
        self,
        submissions: Path,
        results: Path,
        benchmark: Benchmark,
        challenge: Challenge,
        state: ChallengeState,
        quota: Quota,
        now: datetime,
        *,
        ranks: BoardRanks | None,
        ladder: Ladder | None,
    ) -> None:
        self._submissions, self._results = submissions, ResultsFolder(results)
        self._benchmark = benchmark
        self._challenge, self._state, self._quota = challenge, state, quota
        self._at, self._ranks = time_text(now), ranks
        self._ladder = ladder or LadderRelease(challenge, benchmark)
        track = challenge.headline.track if challenge.headline else "video"
        self._metric = RELEASED_METRICS.get(track, FIND_VIDEO)

    def receipts(
        self, decisions: Sequence[Decision], reports: Mapping[str, Report]
    ) -> Iterator[Receipt]:
        """One for each decision, in their order; `reports`: by TEAM/RUN, of invalid ones."""
        before, after = self._boards(decisions)
        scored_now: dict[tuple[str, str], list[StoredResult]] = defaultdict(list)
        for decision in decisions:
            receipt = self._bare(decision, reports.get(decision.arrival.key))
            stored = decision.scored and self._results.find(decision.scored.key)
            if (phase := decision.arrival.phase) is None or stored is None:
                yield receipt
                continue
            team = decision.arrival.team
            kept = self._earlier(team, phase)
            earlier = None if kept is None else [*kept, *scored_now[team, phase.name]]
            scored_now[team, phase.name].append(stored)
            receipt = self._with_figures(receipt, phase, stored, earlier)
            yield self._with_ranks(receipt, phase, decision, before, after)

    def _bare(self, decision: Decision, report: Report | None) -> Receipt:
        team, _, run = decision.arrival.key.partition("/")
        phase, refusal = decision.arrival.phase, decision.refusal
        return Receipt(
            at=self._at,
            team=team,
            run=run,
            submission_sha256=decision.sha256,
            verdict=decision.verdict,
            ground=refusal.ground if refusal else None,
            why=refusal.text if refusal else None,
            phase=phase.name if phase else None,
            feedback=self._feedback(phase) if phase else None,
            spent=self._spent(team, phase) if phase else None,
            note=FAULT if decision.verdict == "waits" else None,
            problems=report.problems if report else (),
            totals=report.totals if report else {},
        )

    def _spent(self, team: str, phase: Phase) -> Spent:
        used, today = self._quota.used(team, phase.name), self._quota.today(team, phase.name)
        return Spent(used, phase.quota, today, phase.daily)

    def _with_figures(
        self,
        receipt: Receipt,
        phase: Phase,
        new: StoredResult,
        earlier: Sequence[StoredResult] | None,
    ) -> Receipt:
        labels = self._benchmark.labels(phase.split)
        disclosed = tell(
            phase, new, earlier, labels=labels, metric=self._metric, ladder=self._ladder
        )
        return replace(receipt, figures=disclosed.figures, note=disclosed.note)

    def _with_ranks(
        self,
        receipt: Receipt,
        phase: Phase,
        decision: Decision,
        before: Mapping[str, Mapping[str, Ranks]],
        after: Mapping[str, Mapping[str, Ranks]],
    ) -> Receipt:
        """With ranks, which tell of figures, where these are told exactly."""
        if self._feedback(phase) != "exact":
            return receipt
        key = decision.arrival.key
        return replace(
            receipt,
            before=before.get(phase.name, {}).get(key),
            after=after.get(phase.name, {}).get(key),
        )

    def _feedback(self, phase: Phase) -> Feedback:
        return feedback_in_force(phase.feedback, self._benchmark.labels(phase.split))

    def _earlier(self, team: str, phase: Phase) -> list[StoredResult] | None:
        """The results of the team's scored versions in a phase, in their order, as last scored.

        None if one is not kept any more.
        """
        versions = [
            version
            for run in self._state.of_team(team).values()
            for version in run.versions()
            if version.phase == phase.name and version.scored_at
        ]
        ordered = sorted(versions, key=lambda version: version.seq)
        found = [self._results.find(self._last_key(version, phase)) for version in ordered]
        kept = [stored for stored in found if stored is not None]
        return kept if len(kept) == len(found) else None

    def _last_key(self, version: Version, phase: Phase) -> str:
        sha256 = version.submission_sha256
        return result_key(sha256, self._benchmark, phase.split, scored_with(version))

    def _key(self, version: Version, phase: Phase) -> str:
        return result_key(version.submission_sha256, self._benchmark, phase.split)

    def _boards(
        self, decisions: Sequence[Decision]
    ) -> tuple[dict[str, Mapping[str, Ranks]], dict[str, Mapping[str, Ranks]]]:
        """By phase, the ranks of its board without and with what was scored now."""
        before: dict[str, Mapping[str, Ranks]] = {}
        after: dict[str, Mapping[str, Ranks]] = {}
        new: dict[str, dict[str, str]] = defaultdict(dict)
        for each in decisions:
            if each.scored and (phase := each.arrival.phase) and self._feedback(phase) == "exact":
                new[phase.name][each.arrival.key] = each.scored.key
        for name, runs in new.items():
            if self._ranks is not None:
                phase = self._challenge.phase(name)
                old = self._scored_runs(phase)
                before[name] = self._ranks(phase, old)
                after[name] = self._ranks(phase, old | runs)
        return before, after

    def _scored_runs(self, phase: Phase) -> dict[str, str]:
        """By TEAM/RUN the result keys of the runs that a board of the phase shows.

        Those are left out whose folder is gone, or was last refused: it holds another version.
        """
        return {
            key: result
            for key, version in self._state.accepted().items()
            if version.phase == phase.name
            and version.scored_at
            and self._state.runs[key].refused is None
            and (self._submissions / key / CARD).is_file()
            and self._results.holds(result := self._key(version, phase))
        }
