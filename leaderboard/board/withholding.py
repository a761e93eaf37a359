"""What a board on hidden labels keeps to itself: figures from which single turns could be told."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from leaderboard.board.records import Cell, Scores

SMALLEST_CELL = 30  # turns
APART = ("tag",)  # dimensions whose slices may overlap
COHORT = "cohort4:"
SMALL = Cell(None, why=f"fewer than {SMALLEST_CELL} turns, and labels are hidden")
SMALL_REST = Cell(
    None, why=f"other figures less this one leave fewer than {SMALLEST_CELL} turns; hidden labels"
)


def withheld(scores: Scores) -> Scores:
    """`scores` without the figures from which hidden gold could be inferred.

    Withheld are cells of fewer than 30 turns or of unknown size, and as many more that no figure
    less others is over fewer than 30 turns: the whole less the slices of one dimension, a turn
    number less its cohort.
    """
    metrics = {part: dict(cells) for part, cells in scores.metrics.items()}
    for cells in metrics.values():
        cells |= {name: SMALL for name, cell in cells.items() if (cell.turns or 0) < SMALLEST_CELL}
    for name in sorted({name for cells in metrics.values() for name in cells}):
        column = {part: cells[name] for part, cells in metrics.items() if name in cells}
        for part in _telling(column):
            metrics[part][name] = SMALL_REST
    return msgspec.structs.replace(scores, metrics=metrics)


def _telling(column: Mapping[str, Cell]) -> set[str]:
    """The slices of one metric that, taken from others, would leave too little."""
    sizes = {part: cell.turns or 0 for part, cell in column.items() if cell.value is not None}
    found = set()
    for group in _groups(sizes):
        shown = sorted(group, key=lambda part: (-sizes[part], part))
        while (
            shown and 0 < sizes.get("all", 0) - sum(map(sizes.__getitem__, shown)) < SMALLEST_CELL
        ):
            found.add(shown.pop())
    for part, size in sizes.items():
        whole = sizes.get(part.removeprefix(COHORT), 0) if part.startswith(COHORT) else 0
        if 0 < whole - size < SMALLEST_CELL:
            found.add(part)
    return found


def _groups(sizes: Mapping[str, int]) -> list[list[str]]:
    """Slices that part the whole among them; each one by itself where they may overlap."""
    groups: dict[str, list[str]] = {}
    for part in sizes:
        dimension, equals, _ = part.partition("=")
        if equals and not part.startswith(COHORT):
            groups.setdefault(part if dimension in APART else dimension, []).append(part)
    return list(groups.values())
