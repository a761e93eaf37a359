"""Reading submission folders: a valid one becomes an entry, any other is refused by name.

Of a folder its card is shown, and figures that the organizers' own build computed from its
predictions. A scores.json in it is compared with those, and never shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from harness.errors import IvcrError, SubmissionError
from harness.records import Card
from harness.teams.submission_folders import require_submissions, require_teams
from leaderboard.board.admission import TAKE_IN, Admission, Admitted, TeamNames
from leaderboard.board.build_ledger import KnownEntry, stamp
from leaderboard.board.documents import read_card
from leaderboard.board.own_figures import differing_lines
from leaderboard.board.records import (
    BoardContents,
    Differing,
    Entry,
    Pending,
    Refusal,
    ReportedRun,
    Scores,
    Stamp,
)
from leaderboard.board.run_folders import FLOORS, run_folders
from leaderboard.board.withholding import publishable
from leaderboard.results.computed import NotComputed, RunResult
from leaderboard.results.description import Bench, MetricInfo

K = TypeVar("K")
Row = Entry | ReportedRun | Refusal | Pending
UNTOLD = "not valid, or not taken in; `ivcr validate` and its receipt say why"
UNTOLD_FAULT = "could not be scored; `ivcr intake` says why"


class Results(Protocol):
    """What a build computed of its runs (see leaderboard.results.computed.BoardResults)."""

    def compute(self, folders: list[Path]) -> Mapping[Path, str | NotComputed]:
        """By folder of a submission the key of its result, or why there is none."""

    def read(self, key: str) -> RunResult:
        """The result of a key."""

    def holds(self, key: str) -> bool:
        """Whether there is a result of a key."""

    def place(self, key: str) -> Path:
        """The folder with a result's outcomes."""


class _Run(NamedTuple):
    """A run whose result is needed; `team`: what its team's name depends on."""

    key: str
    folder: Path
    card: Card
    files: Stamp
    team: str
    admitted: Admitted | None


class EntryReader:
    """Reads the folders of one board."""

    def __init__(
        self,
        bench: Bench,
        metrics: Mapping[str, MetricInfo],
        results: Results,
        organizers: Collection[str] = (),
        known: Mapping[str, KnownEntry] | None = None,
        admission: Admission | None = None,
    ) -> None:
        """`organizers`: the folders of their own teams.

        `known`: entries of the last build by key; while unchanged they are not read again.
        `admission`: what the ledger of a challenge admits; None: every valid folder is shown.
        """
        self._bench = bench
        self._metrics = metrics
        self._results = results
        self._organizers = organizers
        self._known = known or {}
        self._admission = admission
        self._names = TeamNames(Path())
        self._hidden = bench.labels == "hidden"

    def collect(self, submissions: Path) -> BoardContents:
        """Read <team>/<run>/ folders and the benchmark's floors; score what has no result yet.

        A folder that is not valid becomes a refusal; the others are read all the same. Raises
        EnvironmentFailure if `submissions` is no folder, WrongUsageError if it is of another level
        or a team of the organizers is not there.
        """
        require_submissions(submissions)
        require_teams(self._organizers, submissions)
        self._names = TeamNames(submissions)
        rows: list[Row] = []
        runs: list[_Run] = []
        for key, folder in run_folders(submissions, self._bench.floors):
            first = self._first_look(key, folder)
            if isinstance(first, _Run):
                runs.append(first)
            elif first is not None:
                rows.append(first)
        rows += self._scored(runs)
        rows.sort(key=_place)
        entries = _only(Entry, rows)
        found = BoardContents(
            entries,
            _only(ReportedRun, rows),
            _only(Refusal, rows),
            tuple(Differing(entry.key, entry.differs) for entry in entries if entry.differs),
            _only(Pending, rows),
            self._admission.withdrawals() if self._admission else (),
            self._admission.mark if self._admission else None,
            self._admission.terms if self._admission else None,
            self._admission.corrections(submissions) if self._admission else (),
            self._admission.about if self._admission else None,
            self._admission.events() if self._admission else (),
        )
        accepted = found.accepted_at()
        dated = (entry._replace(accepted=accepted.get(entry.key, "")) for entry in entries)
        return found._replace(entries=tuple(dated))

    def _first_look(self, key: str, folder: Path | SubmissionError) -> Row | _Run | None:
        """A run's row, if no result is needed for it, else its card; None if it has no row."""
        try:
            if isinstance(folder, SubmissionError):
                raise folder
            return self._of_folder(key, folder)
        except IvcrError as error:
            return self._refusal(key, str(error))
        except OSError as error:
            return Refusal(key, f"cannot be read: {error.strerror}")

    def _of_folder(self, key: str, folder: Path) -> Row | _Run | None:
        files, known = stamp(folder), self._known.get(key)
        floor = key.startswith(FLOORS)
        team = "" if floor else self._names.digest(key)
        unchanged = known is not None and (known.stamp, known.team) == (files, team)
        admitted: Admitted | None = None
        if self._admission is not None and not floor:
            if not unchanged and (card := read_card(folder)).kind == "reported":
                return self._reported(key, card)
            found = self._admission.of(key)
            if not isinstance(found, Admitted):
                return found
            admitted = found
        if unchanged and known is not None and self._results.holds(known.result):
            entry = self._entry(key, known.card, known.scores, files)._replace(
                unchanged=True, result=known.result, team=team, differs=known.differs
            )
            _require_admitted(entry.scores, admitted)
            return entry
        card = read_card(folder)
        if card.kind == "reported":
            return self._reported(key, card)
        shown = card if floor else self._names.shown(key, card)
        return _Run(key, folder, shown, files, team, admitted)

    def _reported(self, key: str, card: Card) -> ReportedRun:
        if not card.figures or not card.source:
            raise SubmissionError("card.toml: a reported card needs [figures] and a source")
        if key.split("/")[0] not in self._organizers:
            raise SubmissionError(
                "card.toml: typed figures are shown for teams of the organizers alone "
                "(--organizers TEAM); submit predictions, which the build scores"
            )
        return ReportedRun(key, card)

    def _scored(self, runs: list[_Run]) -> Iterator[Entry | Refusal]:
        found = self._results.compute([run.folder for run in runs])
        for run in runs:
            result = found[run.folder]
            if isinstance(result, NotComputed):
                yield self._refusal(run.key, result.reason, result.fault)
                continue
            try:
                yield self._with_result(run, self._results.read(result))
            except SubmissionError as error:
                yield Refusal(run.key, str(error))

    def _with_result(self, run: _Run, result: RunResult) -> Entry:
        scores = msgspec.json.decode(result.scores, type=Scores)
        _require_admitted(scores, run.admitted)
        if self._hidden:
            # Once and here, so that no page and no export has the digits to show.
            scores = publishable(scores, self._metrics)
        return self._entry(run.key, run.card, scores, run.files)._replace(
            result=result.key,
            team=run.team,
            abstentions=result.abstentions,
            differs=self._differing(run, result),
        )

    def _refusal(self, key: str, reason: str, fault: bool = False) -> Refusal:
        """A refusal; of an anonymous team without the words of its files, which may name it."""
        if key.startswith(FLOORS) or not self._names.hidden(key):
            return Refusal(key, reason, fault)
        return Refusal(key, UNTOLD_FAULT if fault else UNTOLD, fault)

    def _differing(self, run: _Run, computed: RunResult) -> tuple[str, ...]:
        lines = differing_lines(run.folder, computed.scores, self._results.place(computed.key))
        floor = run.key.startswith(FLOORS)
        # An anonymous team's file may hold its name; of hidden labels the lines would tell figures
        # that are withheld, to whoever reads the build's log or the file beside the site.
        if lines and (self._hidden or (not floor and self._names.anonymous(run.key))):
            return ("it differs",)
        return lines

    def _entry(self, key: str, card: Card, scores: Scores, files: Stamp) -> Entry:
        floor = key.startswith(FLOORS)
        own = floor or key.split("/")[0] in self._organizers
        return Entry(key, card, scores, floor, own, files, rounded=self._hidden)


def _place(row: Row) -> tuple[bool, str]:
    return row.key.startswith(FLOORS), row.key


def _only(kind: type[K], rows: list[Row]) -> tuple[K, ...]:
    return tuple(row for row in rows if isinstance(row, kind))


def _require_admitted(scores: Scores, admitted: Admitted | None) -> None:
    if admitted is not None and scores.submission.sha256 != admitted.submission_sha256:
        raise SubmissionError(f"changed since the ledger accepted it; {TAKE_IN}")
