"""One intake: phases open and close, what is new is decided, told by receipts, and written.

What is decided is a function of the ledger, the folders and the time that is given. Receipts are
written before the ledger, and the ledger's lines in one order, so whoever was killed in between
starts again and ends with the same ledger; scores that were computed lie in the results folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from harness.benchmark import Benchmark
from harness.challenge.challenge_file import Challenge, require_challenge
from harness.challenge.intake.arrivals import Arrivals, RunRefusal, find_arrivals
from harness.challenge.intake.decisions import Decision, decide
from harness.challenge.intake.phases import OpenPhases, Quota, phase_events
from harness.challenge.intake.receipt_making import ReceiptMaker
from harness.challenge.intake.receipts import Receipt, write_receipt
from harness.challenge.intake.scoring_phases import PhaseScorer
from harness.challenge.intake.telling import BoardRanks, Ladder
from harness.challenge.ledger import Ledger, read_ledger, writing
from harness.challenge.ledger_lines import LedgerEvent, LedgerLine, parse_time
from harness.challenge.reasons import NEW_VERSION, phase_reason, refused_reason
from harness.challenge.state import ChallengeState, replay
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.results.batch import Progress
from harness.results.key import scorer_line
from harness.validation import Report

TRIES = 100  # how often others may write the ledger meanwhile


class IntakeSettings(NamedTuple):
    """Where an intake reads and writes, and what others do for it.

    `results`: the results folder; `receipts`: where receipts go, None: nowhere; `processes`: None:
    one a core; `ranks`: makes rank ranges, None: receipts have none; `ladder`: releases figures of
    phases with the feedback `ladder`, None: as harness.challenge.feedback has it;
    `dry_run`: neither the ledger nor receipts are written.
    """

    submissions: Path
    benchmark: Path
    results: Path
    receipts: Path | None = None
    processes: int | None = None
    ranks: BoardRanks | None = None
    ladder: Ladder | None = None
    dry_run: bool = False
    progress: Progress = lambda done, total: None


class IntakeReport(NamedTuple):
    """What an intake did: decisions in the order of keys, lines of the ledger, notes to read.

    `receipts`: of all decisions but refusals that the ledger had already.
    """

    decisions: tuple[Decision, ...]
    receipts: tuple[Receipt, ...]
    lines: tuple[LedgerLine, ...]
    notes: tuple[str, ...]


def intake(settings: IntakeSettings, *, now: datetime | None = None) -> IntakeReport:
    """Judge and score what is new at the time `now`, by default the clock's.

    Raises WrongUsageError without challenge.toml, or if a place lies below the submissions;
    EnvironmentFailure if the benchmark, the ledger or a disk fails.
    """
    require_places(settings)
    time = now or datetime.now(UTC)
    challenge = require_challenge(settings.submissions)
    benchmark = Benchmark(settings.benchmark)
    for _ in range(TRIES):
        ledger = read_ledger(settings.submissions)
        work = _Work(settings, challenge, benchmark, time, ledger)
        report = work.carry_out()
        if settings.dry_run:
            return report
        for receipt in report.receipts:
            if settings.receipts is not None:
                write_receipt(receipt, settings.receipts)
        with writing(settings.submissions, time) as writer:
            # If others wrote meanwhile, their lines may decide otherwise; the scores are kept.
            if not writer.read(ledger.position).lines:
                return report._replace(lines=writer.append(work.events(report.decisions)))
    raise EnvironmentFailure(f"{settings.submissions}: others write the ledger all the time")


def require_places(settings: IntakeSettings) -> None:
    """Nothing is written below the submissions: others wrote them. Raises WrongUsageError."""
    above = settings.submissions.resolve()
    for option, place in (("results", settings.results), ("receipts", settings.receipts)):
        if place is not None and place.resolve().is_relative_to(above):
            raise WrongUsageError(
                f"--{option} {place}: lies below the submissions; name a place outside"
            )


class _Work:
    """One try at an intake, upon one state of the ledger."""

    def __init__(
        self,
        settings: IntakeSettings,
        challenge: Challenge,
        benchmark: Benchmark,
        now: datetime,
        ledger: Ledger,
    ) -> None:
        self._settings, self._challenge, self._benchmark = settings, challenge, benchmark
        self._state = replay(ledger.lines, ledger.head)
        # A clock that was set back opens no phase again, and gives no day's quota twice.
        last = self._state.last_event
        self._now = now if last is None else max(now, parse_time(last))
        self._open = OpenPhases(challenge, benchmark, self._state, self._now)
        self._reports: dict[str, Report] = {}

    def carry_out(self) -> IntakeReport:
        """Decide, tell by receipts, and write the ledger."""
        arrivals = find_arrivals(
            self._settings.submissions, self._challenge, self._state, self._open
        )
        quota = Quota(self._state, self._now)
        scorer = PhaseScorer(
            self._benchmark,
            self._settings.results,
            otherwise=self._open.first_split,
            processes=self._settings.processes,
            progress=self._settings.progress,
        )
        decisions = decide(arrivals.runs, quota, scorer.score)
        decisions = [self._with_codes(each, scorer) for each in decisions]
        new = [each for each in decisions if not _is_known(self._state, each)]
        maker = ReceiptMaker(
            self._settings.submissions,
            self._settings.results,
            self._benchmark,
            self._challenge,
            self._state,
            quota,
            self._now,
            ranks=self._settings.ranks,
            ladder=self._settings.ladder,
        )
        receipts = maker.receipts(new, self._reports)
        return IntakeReport(tuple(decisions), tuple(receipts), (), _notes(arrivals, decisions))

    def events(self, decisions: Sequence[Decision]) -> Iterator[LedgerEvent]:
        """The lines that the ledger is to get, in their order."""
        yield from phase_events(self._challenge, self._state, self._now)
        for decision in decisions:
            if not _is_known(self._state, decision):
                yield from self._events_of(decision)

    def _events_of(self, decision: Decision) -> Iterator[LedgerEvent]:
        team, _, run = decision.arrival.key.partition("/")
        header = self._benchmark.header
        what = {"team": team, "run": run, "submission_sha256": decision.sha256}
        if decision.refusal is not None:
            yield LedgerEvent(
                event="refused",
                why=refused_reason(*decision.refusal),
                fingerprint=header.fingerprint,
                **what,
            )
            return
        phase = decision.arrival.phase
        assert phase is not None  # noqa: S101 - without a phase a run is refused
        if not decision.arrival.waits:
            before = self._state.accepted().get(decision.arrival.key)
            if before is not None:
                old = {"submission_sha256": before.submission_sha256}
                yield LedgerEvent(event="replaced", why=NEW_VERSION, **what | old)
            why = phase_reason(phase.name)
            yield LedgerEvent(event="accepted", why=why, fingerprint=header.fingerprint, **what)
        if decision.scored is not None:
            yield LedgerEvent(
                event="scored",
                scores_sha256=decision.scored.scores_sha256,
                fingerprint=header.fingerprint,
                gold_sha256=header.gold_sha256[phase.split],
                scorer=scorer_line(),
                **what,
            )

    def _with_codes(self, decision: Decision, scorer: PhaseScorer) -> Decision:
        """The decision, with codes of rules in place of a stranger's words in the ledger."""
        refusal = decision.refusal
        if refusal is None or refusal.ground != "content":
            return decision
        report = self._reports[decision.arrival.key] = scorer.report(decision.arrival)
        codes = sorted({each.code for each in report.problems if each.severity == "error"})
        text = f"errors: {report.errors:,} ({', '.join(codes[:20])})"
        return decision._replace(refusal=RunRefusal("content", text))


def _is_known(state: ChallengeState, decision: Decision) -> bool:
    """Whether the ledger holds it: a refusal that stands, or a run that waits further."""
    if decision.verdict == "waits":
        return decision.arrival.waits
    run = state.runs.get(decision.arrival.key)
    if decision.refusal is None or run is None or run.refused is None:
        return False
    why = refused_reason(*decision.refusal)
    return (run.refused.submission_sha256, run.refused.why) == (decision.sha256, why)


def _notes(arrivals: Arrivals, decisions: Sequence[Decision]) -> tuple[str, ...]:
    faults = [
        f"{each.arrival.key}: could not be scored: {each.fault}" for each in decisions if each.fault
    ]
    return (*arrivals.notes, *faults)
