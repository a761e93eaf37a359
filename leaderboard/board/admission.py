"""What a challenge's ledger admits to a board: which version of which run, and under what name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from harness.challenge.challenge_file import Challenge, read_challenge
from harness.challenge.corrections import parse_correction, read_correction
from harness.challenge.feedback import feedback_in_force
from harness.challenge.ledger import read_ledger
from harness.challenge.state import ChallengeState, RunState, replay
from harness.errors import SubmissionError
from harness.records import Card
from harness.teams.team_file import Team, read_team
from harness.untrusted import is_absent
from leaderboard.board.records import (
    BoardCorrection,
    BoardEvent,
    ChallengeAbout,
    LedgerMark,
    Pending,
    Terms,
    Withdrawal,
)
from leaderboard.results.description import Bench

IDENTIFYING = ("contact", "code", "paper")  # fields of a card that tell who an anonymous team is
TAKE_IN = "`ivcr intake` takes it in"


class Admitted(NamedTuple):
    """A run that the ledger accepted, by the hash of the version that it accepted."""

    submission_sha256: str


class Admission:
    """What a ledger says of the runs of one split; never what the clock says."""

    def __init__(self, challenge: Challenge, state: ChallengeState, bench: Bench) -> None:
        self._challenge, self._state, self._bench = challenge, state, bench
        self._splits = {phase.name: phase.split for phase in challenge.phases}

    @property
    def mark(self) -> LedgerMark:
        """The ledger's head and the time of its last event, for every page."""
        return LedgerMark(self._state.head, self._state.last_event)

    @property
    def terms(self) -> Terms | None:
        """The terms of participation, None where there are none."""
        text, version = self._challenge.terms, self._challenge.terms_version
        return None if text is None or version is None else Terms(text, version)

    @property
    def about(self) -> ChallengeAbout:
        """What the challenge says of itself."""
        found = self._challenge
        return ChallengeAbout(
            found.title,
            found.description,
            found.organizers,
            found.contact,
            tuple(found.links.items()),
            found.citation,
            found.licence,
            found.headline,
        )

    def of(self, key: str) -> Admitted | Pending | None:
        """What becomes of the run of a key; None: it belongs to another split, or was withdrawn.

        Raises SubmissionError, with the next step, for one that the ledger did not accept.
        """
        run = self._state.runs.get(key)
        if run is None:
            raise SubmissionError(f"not taken in yet; {TAKE_IN}")
        version = self._state.accepted().get(key)
        if version is None:
            _require_withdrawn(run)
            return None
        if self._split_of(version.phase) not in (None, self._bench.split):
            return None
        if version.fingerprint != self._bench.fingerprint:
            raise SubmissionError("accepted for another benchmark than this one")
        if version.gold_sha256 not in (None, self._bench.gold_sha256):
            raise SubmissionError(
                "scored with other labels than these; `ivcr intake --rescore` scores it again"
            )
        if self._figures_wait(version.phase):
            return Pending(key, version.phase or "")
        return Admitted(version.submission_sha256)

    def withdrawals(self) -> tuple[Withdrawal, ...]:
        """The runs of this split that were withdrawn, by key."""
        return tuple(
            Withdrawal(key, run.changed_at, run.why or "")
            for key, run in sorted(self._state.runs.items())
            if run.status == "withdrawn" and self._is_of_split(run)
        )

    def corrections(self, submissions: Path) -> tuple[BoardCorrection, ...]:
        """What was scored again on this split, the first first.

        Raises EnvironmentFailure if a file that the ledger names is not there as it was written.
        """
        events = sorted(
            {
                (at, why)
                for run in self._state.runs.values()
                for version in run.versions()
                for at, why in version.rescored
            }
        )
        found = []
        for at, reason in events:
            why, sha256 = parse_correction(reason)
            runs = read_correction(submissions, sha256).runs if sha256 else ()
            here = tuple(run for run in runs if run.split == self._bench.split)
            if here or not sha256:
                found.append(BoardCorrection(at, why, here))
        return tuple(found)

    def events(self) -> tuple[BoardEvent, ...]:
        """What happened to the runs of this split, the first first."""
        found = [
            event
            for key, run in self._state.runs.items()
            if self._is_of_split(run)
            for event in _events_of(key, run)
        ]
        return tuple(sorted(found, key=lambda event: (event.at, event.key)))

    def _is_of_split(self, run: RunState) -> bool:
        version = run.version
        return version is not None and self._split_of(version.phase) in (None, self._bench.split)

    def _split_of(self, phase: str | None) -> str | None:
        return self._splits.get(phase or "")

    def _figures_wait(self, phase: str | None) -> bool:
        """Whether a phase tells less than exact figures, and the ledger has not closed it.

        One that challenge.toml does not name any more may have told nothing.
        """
        declared = next((each for each in self._challenge.phases if each.name == phase), None)
        feedback = "none" if declared is None else declared.feedback
        if feedback_in_force(feedback, self._bench.labels) == "exact":
            return False
        times = self._state.phases.get(phase or "")
        return times is None or times.closed_at is None


def _events_of(key: str, run: RunState) -> Iterator[BoardEvent]:
    """What happened to a run, in the order of the ledger's lines."""
    gone, there = list(run.withdrawals), False
    for version in run.versions():
        while gone and gone[0].seq < version.seq:
            withdrawal, there = gone.pop(0), False
            yield BoardEvent(withdrawal.at, "withdrawn", key, withdrawal.why)
        yield BoardEvent(version.accepted_at, "replaced" if there else "accepted", key)
        there = True
        for at, reason in version.rescored:
            yield BoardEvent(at, "rescored", key, parse_correction(reason)[0])
    for withdrawal in gone:
        yield BoardEvent(withdrawal.at, "withdrawn", key, withdrawal.why)


def _require_withdrawn(run: RunState) -> None:
    if run.status != "withdrawn":
        why = run.refused.why if run.refused is not None and run.refused.why else run.status
        raise SubmissionError(f"the ledger has no accepted version of it ({why}); {TAKE_IN}")


def read_admission(submissions: Path, bench: Bench) -> Admission | None:
    """The admission of a challenge; None where there is no challenge.toml: all runs are shown.

    Raises WrongUsageError if challenge.toml, EnvironmentFailure if the ledger is not sound.
    """
    challenge = read_challenge(submissions)
    if challenge is None:
        return None
    ledger = read_ledger(submissions)
    return Admission(challenge, replay(ledger.lines, ledger.head), bench)


class TeamNames:
    """How the teams of a submissions folder are called; each team.toml is read once."""

    def __init__(self, submissions: Path) -> None:
        self._submissions = submissions
        self._teams: dict[str, Team | SubmissionError] = {}

    def shown(self, key: str, card: Card) -> Card:
        """The card as a board shows it: with the name of the folder's team.

        Where there is no team.toml, the card's own. Of an anonymous team nothing is shown that
        tells who it is. Raises SubmissionError if team.toml is not valid.
        """
        team = self._team(key)
        if team is None:
            return card
        unsaid = dict.fromkeys(IDENTIFYING) if team.anonymous else {}
        return msgspec.structs.replace(card, team=team.name, **unsaid)

    def anonymous(self, key: str) -> bool:
        """Whether the team of a run is anonymous. Raises SubmissionError likewise."""
        team = self._team(key)
        return team is not None and team.anonymous

    def hidden(self, key: str) -> bool:
        """Whether the team of a run is anonymous; not where its team.toml is the very error."""
        try:
            return self.anonymous(key)
        except SubmissionError:
            return False

    def digest(self, key: str) -> str:
        """What `shown` depends on beside the card. Raises SubmissionError likewise."""
        team = self._team(key)
        return "" if team is None else repr((team.name, team.anonymous))

    def _team(self, key: str) -> Team | None:
        folder = self._submissions / key.split("/")[0]
        if is_absent(folder / "team.toml"):
            return None
        if folder.name not in self._teams:
            try:
                self._teams[folder.name] = read_team(folder)
            except SubmissionError:
                # On a page neither a place of this machine may stand nor a name out of the file.
                self._teams[folder.name] = SubmissionError(
                    f"{folder.name}/team.toml: not valid; `ivcr intake` says why"
                )
        found = self._teams[folder.name]
        if isinstance(found, SubmissionError):
            raise found
        return found
