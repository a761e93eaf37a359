"""Reading submission folders: a consistent one becomes an entry, any other is refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from harness.errors import IvcrError, SubmissionError
from harness.files import is_leftover
from leaderboard.board.build_ledger import KnownEntry, stamp
from leaderboard.board.consistency import disagreement, score_again
from leaderboard.board.documents import read_card, read_scores
from leaderboard.board.levels import require_submissions, require_teams, run_folders
from leaderboard.board.records import BoardContents, Entry, Refusal, ReportedRun, Scores
from leaderboard.board.withholding import withhold_cells
from leaderboard.results.description import Bench, MetricInfo

FLOORS = "floors/"
# Files of an unfinished `ivcr baseline run`, in <run>.run beside the submission to be.
_JOURNAL = re.compile(r"\d+-of-\d+\.(jsonl|traceback\.txt)")
Hash = Callable[[Path], str]


class EntryReader:
    """Reads the folders of one board."""

    def __init__(
        self,
        bench: Bench,
        metrics: Mapping[str, MetricInfo],
        sha256: Hash,
        organizers: Collection[str] = (),
        known: Mapping[str, KnownEntry] | None = None,
    ) -> None:
        """`sha256` hashes a submission folder; `organizers`: the folders of their own teams.

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
        files = stamp(folder)
        known = self._known.get(key)
        if known is not None and known.stamp == files:
            return Entry(key, known.card, known.scores, floor, own, files, unchanged=True)
        card = read_card(folder)
        if card.kind == "reported":
            if not card.figures or not card.source:
                raise SubmissionError("card.toml: a reported card needs [figures] and a source")
            return ReportedRun(key, card)
        scores = read_scores(folder)
        if reason := disagreement(scores, card, self._bench, self._metrics):
            raise SubmissionError(f"scores.json: {reason}")
        self._same_files(folder, scores)
        if self._bench.labels == "hidden":
            scores = withhold_cells(scores, self._metrics)
        return Entry(key, card, scores, floor, own, files)

    def _same_files(self, folder: Path, scores: Scores) -> None:
        sha256 = self._sha256(folder)
        if sha256 != scores.submission.sha256:
            raise SubmissionError(
                f"scores.json: is of the submission {scores.submission.sha256[:12]}, the files here"
                f" are {sha256[:12]}; {score_again(self._bench)}"
            )


def _folders(submissions: Path, floors: Path) -> Iterator[tuple[str, Path]]:
    for prefix, root in (("", submissions), (FLOORS, floors)):
        for folder in run_folders(root):
            if not _unfinished(folder):
                yield prefix + folder.relative_to(root).as_posix(), folder


def _unfinished(folder: Path) -> bool:
    """Whether it is the journal of an unfinished run: <run>.run with files K-of-N.jsonl alone.

    Tracebacks of a baseline's own code, K-of-N.traceback.txt, may lie beside them. A folder with
    any other file is read as a submission.
    """
    if folder.suffix != ".run" or folder.is_symlink():
        return False
    try:
        names = (path.name for path in folder.iterdir())
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
