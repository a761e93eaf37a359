"""Verifying a board: every scores.json beside one that is computed again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from harness.errors import IvcrError, SubmissionError
from harness.files import shown
from harness.replacement import temporary_folder
from leaderboard.board.documents import NO_SCORES, RECORD, SCORES, run_record, scores_document
from leaderboard.board.entries import EntryReader, folder_of
from leaderboard.board.outcomes import NAME, unequal_outcomes
from leaderboard.board.records import Entry, Refusal
from leaderboard.results.board_split import BoardSplit
from leaderboard.results.description import describe_metrics
from leaderboard.tables.recomputation import differences, made_by_a_baseline, record_differences


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
    contents = EntryReader(board.bench, describe_metrics(), board.sha256).collect(submissions)
    wrong = [f"{shown(row.key)}: {shown(row.reason, 600)}" for row in contents.refused]
    missing = [f"{shown(row.key)}: {_not_compared(row)}" for row in contents.refused]
    compared = 0
    for entry in contents.entries:
        name, folder = shown(entry.key), folder_of(entry, submissions, board.bench)
        try:
            unlike = _unlike(entry, folder, board)
        except IvcrError as error:
            wrong.append(f"{name}: {shown(str(error), 600)}")
            missing.append(f"{name}: not compared")
            continue
        compared += 1
        wrong += [f"{name}: {line}" for line in unlike]
        note(f"{name}: {len(unlike)} differences")
        missing += [f"{name}: {line}" for line in _absent(entry, folder, board)]
    return Verification(compared, tuple(wrong), tuple(missing))


def _not_compared(row: Refusal) -> str:
    return (
        f"has no {SCORES}, so nothing was compared" if row.reason == NO_SCORES else "not compared"
    )


def _unlike(entry: Entry, folder: Path, board: BoardSplit) -> list[str]:
    """What differs between a run's files and what is computed again."""
    record = run_record(folder) if made_by_a_baseline(entry.card) else None
    with temporary_folder() as fresh:
        again = board.score_again(folder, fresh / NAME, partial=entry.partial)
        return [
            # From the file itself: an entry of a board on hidden labels has rounded figures.
            *differences(scores_document(folder), msgspec.json.decode(again)),
            *(shown(line, 600)[1:-1] for line in unequal_outcomes(folder, fresh)),
            *([] if record is None else record_differences(record, entry.card, board.bench)),
        ]


def _absent(entry: Entry, folder: Path, board: BoardSplit) -> Iterator[str]:
    """What a compared run lacks, so that it could not be compared."""
    if board.bench.labels == "public" and not os.path.lexists(folder / NAME):
        yield f"has no {NAME}, so outcomes turn by turn were not compared"
    if made_by_a_baseline(entry.card) and not os.path.lexists(folder / RECORD):
        yield f"has no {RECORD}, although by its card {shown(entry.card.code or '')} made it"
