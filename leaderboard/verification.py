"""Comparing a stored scores.json with one that was computed again."""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

from harness.files import shown
from leaderboard.records import Cell, Scores

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
