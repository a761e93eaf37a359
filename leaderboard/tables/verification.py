"""Comparing a stored scores.json with one that was computed again."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from harness.errors import SubmissionError
from harness.files import shown
from leaderboard.board.outcomes import Turns, turns
from leaderboard.board.records import Cell, Scores
from leaderboard.tables.tracks import TRACKS

# Ten digits are stored; sums in another order may differ in the last of them.
RELATIVE = 1e-9


def differences(stored: Scores, again: bytes) -> list[str]:
    """What differs between `stored` and the JSON of a fresh scoring, one line a figure."""
    fresh = msgspec.json.decode(again, type=Scores)
    lines = []
    for what in ("protocol", "benchmark", "submission"):
        if getattr(stored, what) != getattr(fresh, what):
            lines.append(f"{what} differs")
    return lines + list(_figures(stored, fresh))


def outcome_differences(folder: Path, fresh: Path, stored: Scores) -> list[str]:
    """Which tables rest on outcomes in `folder` that differ from those of a scoring in `fresh`.

    A folder without outcomes differs in none.
    """
    lines: list[str] = []
    for name in sorted({track.metrics[0] for track in TRACKS if track.part == "all"}):
        cell = stored.metrics["all"].get(name)
        if cell is None or cell.value is None:
            continue
        try:
            found, again = turns(folder, stored, name), turns(fresh, stored, name)
        except SubmissionError as error:
            return [*lines, str(error)]
        if found is not None and not _same_turns(found, again):
            lines.append(f"{shown(name)}: its outcomes turn by turn are others, scored again")
    return lines


def _same_turns(found: Turns, again: Turns | None) -> bool:
    if again is None or len(found.values) != len(again.values):
        return False
    pairs = zip(found, again, strict=True)
    return all(np.allclose(one, other, rtol=RELATIVE, atol=1e-12) for one, other in pairs)


def _figures(stored: Scores, fresh: Scores) -> Iterator[str]:
    for part in sorted(stored.metrics.keys() | fresh.metrics.keys()):
        old, new = stored.metrics.get(part, {}), fresh.metrics.get(part, {})
        for name in sorted(old.keys() | new.keys()):
            unlike = _unlike(old.get(name), new.get(name))
            if unlike:
                yield f"{shown(name)} on {shown(part)}: {unlike}"


def _unlike(old: Cell | None, new: Cell | None) -> str | None:
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
