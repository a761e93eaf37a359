"""Verifying a board: every scores.json beside one that is computed again."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from harness.errors import IvcrError, SubmissionError
from harness.files import shown
from harness.replacement import temporary_folder
from leaderboard.board.entries import EntryReader, folder_of
from leaderboard.board.outcomes import NAME, TurnValues, turn_values
from leaderboard.board.records import Cell, Entry, Scores
from leaderboard.results.board_split import BoardSplit
from leaderboard.results.description import describe_metrics
from leaderboard.tables.tracks import TRACKS

# Ten digits are stored; sums in another order may differ in the last of them.
RELATIVE = 1e-9


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

    Outcomes turn by turn are compared too, where they are there. A folder that cannot be read or
    scored is a disagreement, and the others are compared all the same. `submissions` and
    `benchmark` are folders; `note` gets a line for each submission. Raises EnvironmentFailure if
    one of these is absent.
    """
    board = BoardSplit(benchmark, split)
    contents = EntryReader(board.bench, describe_metrics(), board.sha256).collect(submissions)
    wrong = [f"{shown(row.key)}: {shown(row.reason, 600)}" for row in contents.refused]
    missing = [f"{shown(row.key)}: not compared" for row in contents.refused]
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
        if board.bench.labels == "public" and not os.path.lexists(folder / NAME):
            missing.append(f"{name}: has no {NAME}, so outcomes turn by turn were not compared")
    return Verification(compared, tuple(wrong), tuple(missing))


def _unlike(entry: Entry, folder: Path, board: BoardSplit) -> list[str]:
    with temporary_folder() as fresh:
        again = board.score_again(folder, fresh / NAME, partial=entry.partial)
        return [
            *differences(entry.scores, again),
            *outcome_differences(folder, fresh, entry.scores),
        ]


def differences(stored: Scores, again: bytes) -> list[str]:
    """What differs between `stored` and the JSON of a fresh scoring, one line a figure."""
    fresh = msgspec.json.decode(again, type=Scores)
    lines = []
    for what in ("protocol", "benchmark", "submission"):
        if getattr(stored, what) != getattr(fresh, what):
            lines.append(f"{what} differs")
    return lines + list(_figures(stored, fresh))


def outcome_differences(folder: Path, fresh: Path, stored: Scores) -> list[str]:
    """The headlines whose outcomes in `folder` differ from those of a scoring in `fresh`.

    A folder without outcomes differs in none.
    """
    lines: list[str] = []
    for name in sorted({track.metrics[0] for track in TRACKS if track.part == "all"}):
        cell = stored.metrics["all"].get(name)
        if cell is None or cell.value is None:
            continue
        try:
            found, again = turn_values(folder, stored, name), turn_values(fresh, stored, name)
        except SubmissionError as error:
            return [*lines, str(error)]
        if found is not None and not _same_turns(found, again):
            lines.append(f"{shown(name)}: its outcomes turn by turn differ, scored again")
    return lines


def _same_turns(found: TurnValues, again: TurnValues | None) -> bool:
    if again is None or len(found.values) != len(again.values):
        return False
    pairs = zip(found, again, strict=True)
    return all(np.allclose(one, other, rtol=RELATIVE, atol=1e-12) for one, other in pairs)


def _figures(stored: Scores, fresh: Scores) -> Iterator[str]:
    for part in sorted(stored.metrics.keys() | fresh.metrics.keys()):
        old, new = stored.metrics.get(part, {}), fresh.metrics.get(part, {})
        for name in sorted(old.keys() | new.keys()):
            reason = _unequal(old.get(name), new.get(name))
            if reason:
                yield f"{shown(name)} on {shown(part)}: {reason}"


def _unequal(old: Cell | None, new: Cell | None) -> str | None:
    if old is None or new is None:
        return "scored again, there is none" if new is None else "missing in scores.json"
    for bound in ("value", "low", "high", "turns", "dialogues"):
        before, after = getattr(old, bound), getattr(new, bound)
        if not _same(before, after):
            return f"{bound} is {_text(before)}, scored again {_text(after)}"
    return None


def _same(before: float | None, after: float | None) -> bool:
    if before is None or after is None:
        return before is after
    return math.isclose(before, after, rel_tol=RELATIVE, abs_tol=1e-12)


def _text(value: float | None) -> str:
    return "null" if value is None else f"{value:.10g}"
