"""Phases in time: lines that the ledger lacks, the phase of a run, what is left of a quota."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from pathlib import Path

from harness.benchmark import Benchmark
from harness.challenge.challenge_file import Challenge, Phase
from harness.challenge.ledger_lines import LedgerEvent, time_text
from harness.challenge.reasons import phase_reason
from harness.challenge.state import ChallengeState
from harness.errors import WrongUsageError
from harness.files import shown
from harness.records import Card
from harness.teams.submission_folders import CHALLENGE
from harness.validation import read_public
from harness.validation.reading.folder import most_bytes, predictions_file
from harness.validation.reading.source import read_chunks
from harness.validation.rules.rule import Fault

LOOKED_AT = 1000  # lines of the first bytes that tell the split
_DIALOGUE = re.compile(rb'"dialogue_id"\s*:\s*"([^"\\]{1,200})"')


def phase_events(challenge: Challenge, state: ChallengeState, now: datetime) -> list[LedgerEvent]:
    """The openings and closings that the time has come for and the ledger lacks, in their order."""
    due = []
    for phase in challenge.phases:
        known = state.phases.get(phase.name)
        why = phase_reason(phase.name)
        if phase.opens <= now and (known is None or known.opened_at is None):
            due.append((phase.opens, LedgerEvent(event="phase-opened", why=why)))
        if phase.closes <= now and (known is None or known.closed_at is None):
            due.append((phase.closes, LedgerEvent(event="phase-closed", why=why)))
    return [event for _, event in sorted(due, key=lambda each: each[0])]


class OpenPhases:
    """The phases that take files at a time, and the splits of a benchmark that they are about."""

    def __init__(
        self, challenge: Challenge, benchmark: Benchmark, state: ChallengeState, now: datetime
    ) -> None:
        """A phase that the ledger has closed stays closed, as its figures may be shown.

        Raises EnvironmentFailure if the benchmark lacks the split of an open phase, WrongUsageError
        if challenge.toml lacks a phase that is not closed yet: its runs and quotas hang on its
        name.
        """
        _require_known(challenge, state)
        self._challenge, self._benchmark, self._now = challenge, benchmark, now
        self._closed = {name: each.closed_at for name, each in state.phases.items()}
        self.phases = [
            each
            for each in challenge.phases
            if each.kind == "files" and each.is_open(now) and self._closed.get(each.name) is None
        ]
        for phase in self.phases:
            benchmark.split_folder(phase.split)

    @property
    def first_split(self) -> str:
        """The split by which a run is judged that names no phase by its card."""
        return (self.phases or self._challenge.phases)[0].split

    @property
    def fingerprint(self) -> str:
        """That of the benchmark."""
        return self._benchmark.header.fingerprint

    @property
    def turns(self) -> int:
        """The turns of the largest split of the benchmark; they bound what is read of a run."""
        return max(counts.get("turns", 0) for counts in self._benchmark.header.splits.values())

    def phase_of(self, card: Card, folder: Path) -> Phase | None:
        """The open phase for a card's history and the split that the predictions answer.

        None if the phases of that split are not open, also where another one is: the predictions
        are not wrong, they are early or late. Where the answers tell no split, it is the first for
        that history, and validation says what is wrong with them.
        """
        fit = [phase for phase in self.phases if phase.history == card.history]
        if fit and (split := self._split_of(card, folder)) is not None:
            fit = [phase for phase in fit if phase.split == split]
        return fit[0] if fit else None

    def closed_reason(self, card: Card, folder: Path) -> str:
        """Why there is no phase for a run, in the organizers' words."""
        alike = self._phases_for(card)
        about = f"history {card.history}"
        if (split := self._split_of(card, folder)) is not None:
            alike = [phase for phase in alike if phase.split == split]
            about += f" for split {split}"
        named = [f"{phase.name} {self._when(phase)}" for phase in alike]
        return f"no open phase takes files with {about}: {', '.join(named) or 'no phase is for it'}"

    def _phases_for(self, card: Card) -> list[Phase]:
        """The phases for a card's history, open or not."""
        return [
            phase
            for phase in self._challenge.phases
            if phase.kind == "files" and phase.history == card.history
        ]

    def _when(self, phase: Phase) -> str:
        if self._now < phase.opens:
            return f"opens {time_text(phase.opens)}"
        if phase.closes <= self._now:
            return f"closed {time_text(phase.closes)}"
        return f"closed {self._closed[phase.name]}, and stays so"

    def _split_of(self, card: Card, folder: Path) -> str | None:
        """The split whose dialogues the first lines of the predictions name most.

        None where all phases for the card's history are about one split, or no dialogue is known.
        """
        splits = {phase.split for phase in self._phases_for(card)}
        if len(splits) < 2:
            return None
        named = Counter(
            split for name in self._names(folder) if (split := self._dialogues.get(name)) in splits
        )
        return named.most_common(1)[0][0] if named else None

    def _names(self, folder: Path) -> Iterator[str]:
        try:
            path = folder / predictions_file(folder)
            first = next(iter(read_chunks(path, most_bytes(self.turns))), b"")
        except Fault:  # validation says what is wrong
            return
        for found in _DIALOGUE.findall(first)[:LOOKED_AT]:
            yield found.decode("utf-8", "replace")

    @cached_property
    def _dialogues(self) -> dict[str, str]:
        files = {phase.split for phase in self._challenge.phases if phase.kind == "files"}
        return {
            name: split
            for split in sorted(files & set(self._benchmark.header.splits))
            for name in read_public(self._benchmark, split).dialogues
        }


def _require_known(challenge: Challenge, state: ChallengeState) -> None:
    named = {phase.name for phase in challenge.phases}
    for name, times in state.phases.items():
        if name not in named and times.closed_at is None:
            raise WrongUsageError(
                f"{CHALLENGE}: expected the phase {shown(name)}, which the ledger opened at "
                f"{times.opened_at} and has not closed, found none; put it back under this name, "
                "and end it by its `closes`"
            )


class Quota:
    """What is left to teams in phases: the ledger's count, and what was let in since."""

    def __init__(self, state: ChallengeState, now: datetime) -> None:
        day = now.date()
        # Once for all teams: a ledger may have hundreds of thousands of lines.
        counting = [
            (key.partition("/")[0], version.phase or "", version.day == day)
            for key, run in state.runs.items()
            for version in run.counting()
        ]
        self._used = Counter((team, phase) for team, phase, _ in counting)
        self._today = Counter((team, phase) for team, phase, today in counting if today)

    def used(self, team: str, phase: str) -> int:
        """How many submissions of a team count in a phase."""
        return self._used[team, phase]

    def today(self, team: str, phase: str) -> int:
        """How many of them count for today."""
        return self._today[team, phase]

    def take(self, team: str, phase: str) -> None:
        """Count one more, of today."""
        self._used[team, phase] += 1
        self._today[team, phase] += 1

    def left(self, team: str, phase: Phase) -> int | None:
        """How many more a team may have scored now; None: as many as it likes."""
        rests = []
        if phase.quota is not None:
            rests.append(phase.quota - self.used(team, phase.name))
        if phase.daily is not None:
            rests.append(phase.daily - self.today(team, phase.name))
        return max(0, min(rests)) if rests else None

    def spent_reason(self, team: str, phase: Phase) -> str:
        """Why there is nothing left."""
        if phase.quota is not None and self.used(team, phase.name) >= phase.quota:
            return f"all {phase.quota} scored submissions of phase {phase.name} are used"
        return f"all {phase.daily} scored submissions of a day of phase {phase.name} are used"
