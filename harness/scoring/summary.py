"""The headline figures of a document of scores.json, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.publication.headlines import HEADLINES
from harness.scoring.floors import Floor


def summary(document: dict[str, Any], floors: Mapping[str, Floor] | None = None) -> list[str]:
    """The headline figures of a scores document, one a line, and the signature.

    `floors`: by metric, the best floor of the same kind, shown beside its figure.
    """
    figures = document["metrics"]["all"]
    lines = [f"{document['signature']}"]
    for name in HEADLINES:
        cell = figures[name]
        if cell["value"] is None:
            lines.append(f"{name:<14}       —  {cell['why']}")
        else:
            floor = _floor((floors or {}).get(name))
            lines.append(f"{name:<14} {100 * cell['value']:7.2f}  {_interval(cell)}{floor}")
    return lines


def _floor(floor: Floor | None) -> str:
    return "" if floor is None else f"; best floor: {100 * floor.value:.2f} ({floor.name})"


def _interval(cell: dict[str, Any]) -> str:
    sizes = f"{cell['turns']:,} turns, {cell['dialogues']:,} dialogues"
    if cell["low"] is None:
        return f"no interval; {sizes}"
    return f"[{100 * cell['low']:.2f}, {100 * cell['high']:.2f}]; {sizes}"
