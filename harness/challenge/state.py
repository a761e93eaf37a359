"""What a ledger says of runs, phases, labels and teams: a function of its lines, and of no clock.

A build shows a run if its folder's submission has the SHA-256 of the last accepted version here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Literal

from msgspec import Struct, field

from harness.challenge.ledger_lines import START, LedgerLine
from harness.challenge.reasons import NEW_VERSION, parse_commitment, parse_phase, parse_renamed

Status = Literal["accepted", "scored", "refused", "replaced", "withdrawn"]


class Version(Struct, kw_only=True):
    """A submission that was accepted as a run; times as the ledger has them.

    `seq`: the number of the line that accepted it. `late`: the organizers' reason to admit it out
    of time. What is about scores is None until it is scored; `rescored` lists the times and reasons
    of later scorings.
    """

    submission_sha256: str
    seq: int
    phase: str | None
    accepted_at: str
    late: str | None = None
    fingerprint: str | None = None
    gold_sha256: str | None = None
    scores_sha256: str | None = None
    scorer: str | None = None
    scored_at: str | None = None
    rescored: list[tuple[str, str]] = field(default_factory=list)

    @property
    def day(self) -> date:
        """The day, of UTC, against whose number of submissions it counts."""
        return date.fromisoformat(self.accepted_at[:10])


class RefusedVersion(Struct, frozen=True):
    """The last submission that was refused as a run."""

    submission_sha256: str | None
    fingerprint: str | None
    at: str
    why: str | None


class RunWithdrawal(Struct):
    """A run was withdrawn: its line of the ledger, the time and the reason."""

    seq: int
    at: str
    why: str


class RunState(Struct, kw_only=True):
    """A run: its last accepted version, those before, and what became of it.

    `status` is `refused` only as long as no version was accepted: a refused new version leaves the
    accepted one as it was. `changed_at`, `why`: of the last event that changed the status.
    `withdrawals`: all of them, also those after which the run was accepted again.
    """

    status: Status
    changed_at: str
    why: str | None = None
    version: Version | None = None
    earlier: list[Version] = field(default_factory=list)
    refused: RefusedVersion | None = None
    withdrawals: list[RunWithdrawal] = field(default_factory=list)

    def versions(self) -> Iterable[Version]:
        """All accepted versions, the last one last."""
        return (*self.earlier, *([self.version] if self.version else []))

    def counting(self) -> Iterator[Version]:
        """The versions that count against a quota (see ChallengeState.counted)."""
        for version in self.versions():
            waits = version is self.version and self.status == "accepted"
            if version.late is None and (version.scored_at or waits):
                yield version


class PhaseTimes(Struct):
    """When a phase was opened and closed, None where it was not."""

    opened_at: str | None = None
    closed_at: str | None = None


class LabelCommitment(Struct):
    """A commitment to hidden labels: what it says, when it was made, when it was opened."""

    why: str | None
    fingerprint: str | None
    gold_sha256: str | None
    at: str
    opened_at: str | None = None


class ChallengeState(Struct, kw_only=True):
    """All that a ledger says. `runs`: by TEAM/RUN; `exams`: by TEAM/RUN, their last event.

    `last_event`: the time of the last line, None before the first; `head`: its SHA-256 (as
    `replay` was told). `revealed`: teams, by the folder's name. `renamed`: by a former TEAM or
    TEAM/RUN, the name that it was given instead of TEAM or RUN.
    """

    runs: dict[str, RunState] = field(default_factory=dict)
    phases: dict[str, PhaseTimes] = field(default_factory=dict)
    labels: list[LabelCommitment] = field(default_factory=list)
    revealed: set[str] = field(default_factory=set)
    exams: dict[str, LedgerLine] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    last_event: str | None = None
    head: str = START

    def of_team(self, team: str) -> dict[str, RunState]:
        """The runs of a team, by key."""
        return {key: run for key, run in self.runs.items() if key.startswith(team + "/")}

    def accepted(self) -> dict[str, Version]:
        """By key, the version that a build shows; withdrawn runs and replaced ones have none."""
        return {
            key: run.version
            for key, run in self.runs.items()
            if run.version is not None and run.status in ("accepted", "scored")
        }

    def counted(self, team: str, phase: str, day: date | None = None) -> int:
        """How many submissions count against a team's quota in a phase, or on one day of it.

        Scored ones do, also after they were withdrawn or replaced, and those that wait for their
        scores. Refused ones do not, nor those that were never scored, nor those that the organizers
        admitted out of time.
        """
        return sum(
            version.phase == phase and day in (None, version.day)
            for run in self.of_team(team).values()
            for version in run.counting()
        )

    def follow(self, lines: Iterable[LedgerLine], head: str) -> None:
        """Take further lines in; `head`: the SHA-256 of the last of them."""
        for line in lines:
            _apply(self, line)
            self.last_event = line.at
        self.head = head


def replay(lines: Iterable[LedgerLine], head: str) -> ChallengeState:
    """The state after all lines of a ledger; `head`: as `Ledger.head` has it."""
    state = ChallengeState()
    state.follow(lines, head)
    return state


def _apply(state: ChallengeState, line: LedgerLine) -> None:
    match line.event:
        case "phase-opened" | "phase-closed":
            _phase(state, line)
        case "labels-committed" | "labels-opened":
            _labels(state, line)
        case "revealed" if line.team:
            state.revealed.add(line.team)
        case "withdrawn":
            for key in [line.key] if line.key else list(state.of_team(line.team or "")):
                _withdraw(_run(state, key, line), line)
        case "replaced" if (new := parse_renamed(line.why)) and line.team:
            _rename(state, line.team, line.run, new)
        case "replaced" if line.key and line.why == NEW_VERSION:
            _change(_run(state, line.key, line), "replaced", line)
        case "accepted" | "refused" | "scored" | "rescored" if line.key:
            _VERSION_EVENTS[line.event](_run(state, line.key, line), line)
        case "exam-opened" | "exam-finished" | "exam-expired" | "exam-voided" if line.key:
            state.exams[line.key] = line


def _run(state: ChallengeState, key: str, line: LedgerLine) -> RunState:
    return state.runs.setdefault(key, RunState(status="refused", changed_at=line.at))


def _change(run: RunState, status: Status, line: LedgerLine) -> None:
    run.status, run.changed_at, run.why = status, line.at, line.why


def _withdraw(run: RunState, line: LedgerLine) -> None:
    if run.status != "withdrawn":
        run.withdrawals.append(RunWithdrawal(line.seq, line.at, line.why or ""))
    _change(run, "withdrawn", line)


def _accept(run: RunState, line: LedgerLine) -> None:
    where = parse_phase(line.why)
    if run.version is not None:
        run.earlier.append(run.version)
    run.version = Version(
        submission_sha256=line.submission_sha256 or "",
        seq=line.seq,
        phase=where and where.phase,
        accepted_at=line.at,
        late=where and where.late,
        fingerprint=line.fingerprint,
        gold_sha256=line.gold_sha256,
    )
    run.refused = None
    _change(run, "accepted", line)


def _refuse(run: RunState, line: LedgerLine) -> None:
    run.refused = RefusedVersion(line.submission_sha256, line.fingerprint, line.at, line.why)
    version = run.version
    if version is not None and version.submission_sha256 == line.submission_sha256:
        # Accepted, and then found to be invalid: the version before stands again.
        run.version = run.earlier.pop() if run.earlier else None
        if run.version is not None:
            _change(run, "scored" if run.version.scored_at else "accepted", line)
    if run.version is None:
        _change(run, "refused", line)


def _score(run: RunState, line: LedgerLine) -> None:
    version = run.version
    if version is None or version.submission_sha256 != line.submission_sha256:
        return
    if line.event == "rescored":
        version.rescored.append((line.at, line.why or ""))
    version.scored_at = version.scored_at or line.at
    version.scores_sha256, version.scorer = line.scores_sha256, line.scorer
    version.fingerprint, version.gold_sha256 = line.fingerprint, line.gold_sha256
    if run.status == "accepted":
        _change(run, "scored", line)


_VERSION_EVENTS = {"accepted": _accept, "refused": _refuse, "scored": _score, "rescored": _score}


def _phase(state: ChallengeState, line: LedgerLine) -> None:
    if (where := parse_phase(line.why)) is None:
        return
    times = state.phases.setdefault(where.phase, PhaseTimes())
    if line.event == "phase-opened":
        times.opened_at = times.opened_at or line.at
    else:
        times.closed_at = times.closed_at or line.at


def _labels(state: ChallengeState, line: LedgerLine) -> None:
    if line.event == "labels-committed":
        found = LabelCommitment(line.why, line.fingerprint, line.gold_sha256, line.at)
        state.labels.append(found)
        return
    for known in reversed(state.labels):
        if known.opened_at is None and _opens(line, known):
            known.opened_at = line.at
            return


def _opens(line: LedgerLine, known: LabelCommitment) -> bool:
    if (made := parse_commitment(line.why)) is not None:
        return (known.fingerprint, parse_commitment(known.why)) == (line.fingerprint, made)
    return (known.fingerprint, known.gold_sha256) == (line.fingerprint, line.gold_sha256)


def _rename(state: ChallengeState, team: str, run: str | None, new: str) -> None:
    """Give a run, or all of a team, its new key, in the place of the old one."""
    old, to = (f"{team}/{run}", f"{team}/{new}") if run else (f"{team}/", f"{new}/")

    def named(key: str) -> str:
        if run:
            return to if key == old else key
        return to + key.removeprefix(old) if key.startswith(old) else key

    state.renamed[f"{team}/{run}" if run else team] = new
    state.renamed.pop(to if run else new, None)
    state.runs = {named(key): value for key, value in state.runs.items()}
    state.exams = {named(key): value for key, value in state.exams.items()}
    if not run and team in state.revealed:
        state.revealed.remove(team)
        state.revealed.add(new)
