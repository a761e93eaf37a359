"""The remarks under a table, as keys of the interface's words: what the marks and ranks mean."""

from __future__ import annotations

from typing import NamedTuple

from leaderboard.tables.ranked_table import Table
from leaderboard.tables.ranks import COARSE, FINE


class Remark(NamedTuple):
    """Words of the interface by their key, and what fills their gaps: texts or other remarks."""

    key: str
    gaps: dict[str, str | Remark]


def remarks(table: Table) -> list[Remark]:
    """What stands under a table: its marks, what it could show, how many rows have no range."""
    standing = table.standing
    found = [Remark("standing.alike", {})] if standing.alike else []
    found += [Remark("standing.range", {})] if standing.ranges else []
    if len(standing.ranges) > FINE:
        found.append(Remark("standing.coarse", {"rows": str(FINE), "draws": f"{COARSE:,}"}))
    if standing.detectable is not None:
        size = difference(standing.detectable, table.columns[0].unit)
        found.append(Remark("standing.detectable", {"size": size}))
    for why, number in standing.without.items():
        gaps: dict[str, str | Remark] = {"n": str(number), "why": Remark(f"standing.{why}", {})}
        found.append(Remark("standing.without", gaps))
    several = any(len(row.runs) > 1 for row in table.rows)
    return found + ([Remark("seeds.says", {})] if several else [])


def difference(size: float, unit: str) -> Remark:
    """A difference of figures in words, in per cent points or in its unit."""
    if unit == "share":
        return Remark("standing.points", {"n": f"{100 * size:.1f}"})
    return Remark("standing.in_unit", {"n": f"{size:.2f}", "unit": Remark(f"unit.{unit}", {})})
