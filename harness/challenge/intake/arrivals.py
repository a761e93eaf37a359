"""What is new below a submissions folder, and what the rules say of it before it is validated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from harness.challenge.challenge_file import Challenge, Phase
from harness.challenge.intake.phases import OpenPhases
from harness.challenge.reasons import Ground, parse_refused
from harness.challenge.state import ChallengeState, RunState
from harness.errors import EnvironmentFailure, SubmissionError
from harness.records import Card
from harness.results import submission_sha256
from harness.submission import CARD, template_keys
from harness.teams.submission_folders import folder_name_problem, folders_in, is_folder_name
from harness.teams.team_file import Team, read_team, team_problem
from harness.teams.team_names import NameProblem, name_problems
from harness.untrusted import is_absent
from harness.validation.problem_log import ProblemLog
from harness.validation.reading.card_file import read_card


class RunRefusal(NamedTuple):
    """Why a run is not taken in: the ground, and the reason as the ledger has it."""

    ground: Ground
    text: str


class Arrival(NamedTuple):
    """A run that is new, or waits for its scores.

    `sha256`: of the submission, None if it cannot be read. `phase`: None if it is refused, or is
    for the validation to refuse. `waits`: it was accepted already.
    """

    key: str
    folder: Path
    sha256: str | None
    phase: Phase | None
    refusal: RunRefusal | None = None
    waits: bool = False

    @property
    def team(self) -> str:
        """The team's folder."""
        return self.key.partition("/")[0]


class Arrivals(NamedTuple):
    """What is new, in the order of keys, and notes for the organizers."""

    runs: tuple[Arrival, ...]
    notes: tuple[str, ...]


class _Teams(NamedTuple):
    """The teams by folder, those that cannot be read with the reason, and problems of names."""

    known: Mapping[str, Team]
    unfit: Mapping[str, str]
    names: tuple[NameProblem, ...]


def find_arrivals(
    submissions: Path, challenge: Challenge, state: ChallengeState, open_phases: OpenPhases
) -> Arrivals:
    """The runs whose submission the ledger does not have, with what the rules say of them."""
    folders = folders_in(submissions)
    teams = _read_teams(folders)
    notes = [f"team {problem.team}: {problem.text}" for problem in teams.names]
    notes += [f"team {name}: {reason}" for name, reason in sorted(teams.unfit.items())]
    rules = _Rules(challenge, state, open_phases, teams)
    found = []
    for team in folders:
        try:
            runs = folders_in(team)
        except EnvironmentFailure as error:
            notes.append(str(error))
            continue
        for folder in runs:
            if folder.suffix == ".run" and is_absent(folder / CARD):
                continue  # the journal of an unfinished run
            if not (is_folder_name(team.name) and is_folder_name(folder.name)):
                notes.append(f"{folder}: a name that the ledger cannot hold; rename it")
            elif (arrival := rules.arrival(f"{team.name}/{folder.name}", folder)) is not None:
                found.append(arrival)
    return Arrivals(tuple(sorted(found)), tuple(notes))


def _read_teams(folders: list[Path]) -> _Teams:
    known, unfit = {}, {}
    for folder in folders:
        try:
            known[folder.name] = read_team(folder)
        except SubmissionError as error:
            unfit[folder.name] = str(error)
    return _Teams(known, unfit, tuple(name_problems(known.values())))


class _Rules:
    def __init__(
        self, challenge: Challenge, state: ChallengeState, open_phases: OpenPhases, teams: _Teams
    ) -> None:
        self._challenge, self._state, self._open, self._teams = challenge, state, open_phases, teams
        self._places = {version.submission_sha256: key for key, version in state.accepted().items()}

    def arrival(self, key: str, folder: Path) -> Arrival | None:
        """The run, None if there is nothing to be done about it."""
        card_file = read_card(folder, ProblemLog(), None)
        if card_file.table.get("kind") == "reported":
            return None  # typed figures are the organizers' own affair
        try:
            sha256 = submission_sha256(folder, self._open.turns)
        except SubmissionError:
            sha256 = None
        run = self._state.runs.get(key)
        if run is not None and sha256 is not None:
            known = _known(run, sha256, self._open.fingerprint)
            if known is not None:
                if known == "refused":
                    self._places.setdefault(sha256, key)
                return self._waiting(key, folder, sha256, run) if known == "accepted" else None
        first = next(self._refusals(key, folder, sha256, card_file.card), None)
        if first is None and sha256 is not None:
            self._places.setdefault(sha256, key)  # a copy of it that arrives together with it
        phase = None
        if first is None and card_file.card is not None:
            phase = self._open.phase_of(card_file.card, folder)
        return Arrival(key, folder, sha256, phase, first)

    def _waiting(self, key: str, folder: Path, sha256: str, run: RunState) -> Arrival | None:
        version = run.version
        names = {phase.name: phase for phase in self._challenge.phases}
        phase = names.get((version and version.phase) or "")
        return Arrival(key, folder, sha256, phase, waits=True) if phase else None

    def _refusals(
        self, key: str, folder: Path, sha256: str | None, card: Card | None
    ) -> Iterator[RunRefusal]:
        """All that the rules have against a run, the first first."""
        name = key.partition("/")[0]
        team, run = self._teams.known.get(name), self._state.runs.get(key)
        if team is None:
            yield RunRefusal("team", folder_name_problem(name) or "team.toml cannot be read")
            return
        yield from self._name_refusals(name)
        if run is not None and run.status == "withdrawn":
            yield RunRefusal("team", "this run was withdrawn; give a new one another name")
        if sha256 is not None and (other := self._places.get(sha256, key)) != key:
            yield RunRefusal("team", f"the same submission as {other}")
        if card is None:
            return  # validation says what is wrong with it
        if problem := team_problem(team, card.team, self._challenge.terms_version):
            yield RunRefusal(*problem)
        if keys := template_keys({"team": card.team, "system": card.system}):
            yield RunRefusal("team", f"{' and '.join(keys)} of its card still as in the template")
        if self._open.phase_of(card, folder) is None:
            yield RunRefusal("phase", self._open.closed_reason(card, folder))

    def _name_refusals(self, team: str) -> Iterator[RunRefusal]:
        """Names that deceive; a double is refused to whoever has no accepted run yet."""
        for problem in self._teams.names:
            if problem.team == team and problem.kind == "hidden":
                yield RunRefusal("team", "the team's name has characters that do not show")
            if problem.team == team and problem.kind == "double" and not self._is_known(team):
                yield RunRefusal(
                    "team", f"the team's name looks like that of {problem.other}; choose another"
                )

    def _is_known(self, team: str) -> bool:
        return any(run.version is not None for run in self._state.of_team(team).values())


def _known(run: RunState, sha256: str, fingerprint: str) -> str | None:
    """What the ledger says of this very submission, as far as it is final; None: judge it."""
    version, refused = run.version, run.refused
    if version is not None and version.submission_sha256 == sha256:
        return None if run.status == "replaced" else run.status
    if refused is None or parse_refused(refused.why) != "content":
        return None
    same = (refused.submission_sha256, refused.fingerprint) == (sha256, fingerprint)
    return "refused" if same else None
