"""Reading submission folders: a consistent one becomes an entry, any other is refused by name."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from harness.errors import IvcrError, SubmissionError
from harness.files import is_leftover
from leaderboard.board.build_ledger import KnownEntry, stamp
from leaderboard.board.consistency import disagreement, score_again
from leaderboard.board.documents import read_card, read_scores
from leaderboard.board.levels import MOST, is_folder, require_submissions, require_teams
from leaderboard.board.outcomes import check_outcomes
from leaderboard.board.records import BoardContents, Entry, Refusal, ReportedRun, Scores
from leaderboard.board.withholding import publishable
from leaderboard.results.description import Bench, MetricInfo

FLOORS = "floors/"
# Files of an unfinished `ivcr baseline run`, in <run>.run beside the submission to be.
_JOURNAL = re.compile(r"\d+-of-\d+\.(jsonl|traceback\.txt)")


class SubmissionHash(Protocol):
    """The SHA-256 (hex) of a valid submission; raises SubmissionError if it is not valid."""

    def __call__(self, folder: Path, *, partial: bool = False) -> str:
        """`partial`: turns may be missing."""


class EntryReader:
    """Reads the folders of one board."""

    def __init__(
        self,
        bench: Bench,
        metrics: Mapping[str, MetricInfo],
        sha256: SubmissionHash,
        organizers: Collection[str] = (),
        known: Mapping[str, KnownEntry] | None = None,
    ) -> None:
        """`sha256` checks and hashes a folder; `organizers`: the folders of their own teams.

        `known`: entries of the last build by key; while unchanged they are not read again.
        """
        self._bench = bench
        self._metrics = metrics
        self._sha256 = sha256
        self._organizers = organizers
        self._known = known or {}

    def collect(self, submissions: Path) -> BoardContents:
        """Read <team>/<run>/ folders and the benchmark's floors.

        A folder whose files do not agree becomes a refusal; the others are read all the same.
        Journals of unfinished runs are skipped. Raises EnvironmentFailure if `submissions` is no
        folder, WrongUsageError if it is of another level or a team of the organizers is not there.
        """
        require_submissions(submissions)
        require_teams(self._organizers, submissions)
        entries: list[Entry] = []
        reported: list[ReportedRun] = []
        refused: list[Refusal] = []
        for key, folder in _folders(submissions, self._bench.floors):
            try:
                if isinstance(folder, SubmissionError):
                    raise folder
                row = self._read(key, folder)
            except IvcrError as error:
                refused.append(Refusal(key, str(error)))
                continue
            except OSError as error:
                refused.append(Refusal(key, f"cannot be read: {error.strerror}"))
                continue
            if isinstance(row, ReportedRun):
                reported.append(row)
            else:
                entries.append(row)
        return BoardContents(tuple(entries), tuple(reported), tuple(refused))

    def _read(self, key: str, folder: Path) -> Entry | ReportedRun:
        _in_place(key, folder)
        floor = key.startswith(FLOORS)
        own = floor or key.split("/")[0] in self._organizers
        hidden = self._bench.labels == "hidden"
        files = stamp(folder)
        known = self._known.get(key)
        if known is not None and known.stamp == files:
            return Entry(key, known.card, known.scores, floor, own, files, True, hidden)
        card = read_card(folder)
        if card.kind == "reported":
            if not card.figures or not card.source:
                raise SubmissionError("card.toml: a reported card needs [figures] and a source")
            return ReportedRun(key, card)
        scores = read_scores(folder)
        if reason := disagreement(scores, card, self._bench, self._metrics):
            raise SubmissionError(f"scores.json: {reason}")
        self._same_files(folder, scores)
        check_outcomes(folder, self._bench.counts["turns"])
        if hidden:
            # Once and here, so that no page and no export has the digits to show.
            scores = publishable(scores, self._metrics)
        return Entry(key, card, scores, floor, own, files, rounded=hidden)

    def _same_files(self, folder: Path, scores: Scores) -> None:
        sha256 = self._sha256(folder, partial="partial:" in scores.signature)
        if sha256 != scores.submission.sha256:
            raise SubmissionError(
                f"scores.json: is of the submission {scores.submission.sha256[:12]}, the files here"
                f" are {sha256[:12]}; {score_again(self._bench)}"
            )


def _folders(submissions: Path, floors: Path) -> Iterator[tuple[str, Path | SubmissionError]]:
    """Key and folder of each run; instead of the folder, why none can be read under the key."""
    for prefix, root in (("", submissions), (FLOORS, floors)):
        for first in sorted(_inside(root)) if root.is_dir() else ():
            team = prefix + _readable(first)
            if first.is_symlink() or (first / "card.toml").is_file():
                yield team, first
                continue
            if reason := _unnamed(first):
                yield team, reason
                continue
            try:
                runs = sorted(_inside(first, MOST))
            except SubmissionError as error:
                yield team, error
                continue
            for second in runs:
                if not _unfinished(second):
                    yield f"{team}/{_readable(second)}", _unnamed(second) or second


def _inside(folder: Path, most: int | None = None) -> Iterator[Path]:
    """Folders inside, links to folders included: they are refused, not ignored.

    Raises SubmissionError if the folder cannot be read or holds more than `most` things.
    """
    try:
        with os.scandir(folder) as inside:
            for number, entry in enumerate(inside, start=1):
                if most is not None and number > most:
                    raise SubmissionError(f"expected at most {most:,} runs, found more")
                hidden = entry.name.startswith(".") or is_leftover(entry.name)
                if not hidden and is_folder(entry):
                    yield folder / entry.name
    except OSError as error:
        raise SubmissionError(f"cannot be read: {error.strerror}") from error


def _readable(folder: Path) -> str:
    """The folder's name; bytes that are no UTF-8 as \\xff."""
    return os.fsencode(folder.name).decode("utf-8", "backslashreplace")


def _unnamed(folder: Path) -> SubmissionError | None:
    """The error for a folder whose name is no text."""
    if _readable(folder) == folder.name:
        return None
    return SubmissionError("expected a folder's name in UTF-8, found other bytes; rename it")


def _unfinished(folder: Path) -> bool:
    """Whether it is the journal of an unfinished run: <run>.run with files K-of-N.jsonl alone.

    Tracebacks of a baseline's own code, K-of-N.traceback.txt, may lie beside them. A folder with
    any other file is read as a submission.
    """
    if folder.suffix != ".run" or folder.is_symlink():
        return False
    try:
        with os.scandir(folder) as inside:
            names = (entry.name for entry in inside)
            return all(_JOURNAL.fullmatch(name) or is_leftover(name) for name in names)
    except OSError:
        return False


def _in_place(key: str, folder: Path) -> None:
    if folder.is_symlink():
        raise SubmissionError("the folder is a link; put the submission itself here")
    if "/" not in key.removeprefix(FLOORS):
        raise SubmissionError("expected <team>/<run>/, found a card.toml one level too high")


def folder_of(entry: Entry, submissions: Path, bench: Bench) -> Path:
    """Where an entry was read."""
    if entry.floor:
        return bench.floors / entry.key.removeprefix(FLOORS)
    return submissions / entry.key
