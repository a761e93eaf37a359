"""Verifying a board: every scores.json beside one that is computed again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from harness.errors import IvcrError, SubmissionError
from harness.files import shown
from harness.records import Card
from harness.replacement import temporary_folder
from harness.teams.submission_folders import require_submissions
from leaderboard.board.documents import RECORD, SCORES, read_card, run_record, scores_document
from leaderboard.board.outcomes import NAME, unequal_outcomes
from leaderboard.board.recomputation import differences, made_by_a_baseline, record_differences
from leaderboard.board.run_folders import run_folders
from leaderboard.results.board_split import BoardSplit


class Verification(NamedTuple):
    """How many scores.json were compared, and what does not agree, a line each.

    `missing`: what could not be compared, a line each; a refused folder is a disagreement too.
    """

    compared: int
    disagreements: tuple[str, ...]
    missing: tuple[str, ...] = ()

    def require_agreement(self, submissions: Path) -> None:
        """Raises SubmissionError if a figure of `submissions` does not agree."""
        if self.disagreements:
            raise SubmissionError(
                f"{submissions}: expected scores.json files that agree with their predictions,"
                f" found {len(self.disagreements):,} disagreements; score again with `ivcr score`"
            )


def verify(
    submissions: Path,
    benchmark: Path,
    *,
    split: str = "test",
    note: Callable[[str], None] = lambda _: None,
) -> Verification:
    """Score every submission and floor again, and compare each figure with its scores.json.

    The whole document is compared: signature, reasons, counts. So is every array of the outcomes,
    where they are there, and what run.json of a baseline's run says of card and benchmark. A folder
    that cannot be read or scored is a disagreement, and the others are compared all the same.
    `submissions` and `benchmark` are folders; `note` gets a line for each submission. Raises
    EnvironmentFailure if one of these is absent.
    """
    board = BoardSplit(benchmark, split)
    require_submissions(submissions)
    wrong: list[str] = []
    missing: list[str] = []
    compared = 0
    for key, folder in run_folders(submissions, board.bench.floors):
        name = shown(key)
        try:
            found = _compare(folder, board)
        except IvcrError as error:
            wrong.append(f"{name}: {shown(str(error), 600)}")
            missing.append(f"{name}: not compared")
            continue
        if found is not None:
            compared += found.unlike is not None
            if found.unlike is not None:
                note(f"{name}: {len(found.unlike)} differences")
                wrong += [f"{name}: {line}" for line in found.unlike]
            missing += [f"{name}: {line}" for line in found.absent]
    return Verification(compared, tuple(wrong), tuple(missing))


class _Comparison(NamedTuple):
    """What differs between a run's files and what is computed again, and what it lacks.

    `unlike` is None where there is no scores.json to compare.
    """

    unlike: list[str] | None
    absent: list[str]


def _compare(folder: Path | SubmissionError, board: BoardSplit) -> _Comparison | None:
    """Compare one run; None for a reported one."""
    if isinstance(folder, SubmissionError):
        raise folder
    card = read_card(folder)
    if card.kind == "reported":
        return None
    if not os.path.lexists(folder / SCORES):
        return _Comparison(None, [f"has no {SCORES}, so nothing was compared"])
    return _Comparison(_unlike(card, folder, board), list(_absent(card, folder, board)))


def _unlike(card: Card, folder: Path, board: BoardSplit) -> list[str]:
    """What differs between a run's files and what is computed again."""
    stored = scores_document(folder)
    record = run_record(folder) if made_by_a_baseline(card) else None
    with temporary_folder() as fresh:
        partial = "partial:" in stored["signature"]
        again = board.score_again(folder, fresh / NAME, partial=partial)
        return [
            *differences(stored, msgspec.json.decode(again)),
            *(shown(line, 600)[1:-1] for line in unequal_outcomes(folder, fresh)),
            *([] if record is None else record_differences(record, card, board.bench)),
        ]


def _absent(card: Card, folder: Path, board: BoardSplit) -> Iterator[str]:
    """What a compared run lacks, so that it could not be compared."""
    if board.bench.labels == "public" and not os.path.lexists(folder / NAME):
        yield f"has no {NAME}, so outcomes turn by turn were not compared"
    if made_by_a_baseline(card) and not os.path.lexists(folder / RECORD):
        yield f"has no {RECORD}, although by its card {shown(card.code or '')} made it"
