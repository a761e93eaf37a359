"""The headline metrics of all pairs of systems, overall and by turn number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from harness.comparison.differences import PairedValues
from harness.comparison.entrants import Entrant, EntrantSet
from harness.errors import WrongUsageError, did_you_mean
from harness.files import shown
from harness.metrics import METRICS, Column
from harness.outcomes import Bools
from harness.publication.disclosure import SMALLEST_CELL, TOO_SMALL
from harness.publication.headlines import AHEAD_OF_FOIL, HEADLINES
from harness.scoring.figures import hidden_slices
from harness.slices import slices

# Where gold names foils, the figures of the foils come first.
ORDER = (AHEAD_OF_FOIL, *(name for name in HEADLINES if name != AHEAD_OF_FOIL))


class HeadlineCell(NamedTuple):
    """A metric on a slice: its turns, (turns,), and how many of them count.

    `always`: whether it is shown however few these are: overall, and where the slice was named;
    `closed`: whether hidden labels forbid its figures.
    """

    metric: str
    slice: str
    turns: Bools
    counted: int
    always: bool
    closed: bool = False

    @property
    def small(self) -> bool:
        """Whether it is left out unless small cells are always for."""
        return self.counted < SMALLEST_CELL and not self.always


def headline_cells(systems: EntrantSet, further: Sequence[str] = ()) -> list[HeadlineCell]:
    """Every headline metric, overall and, if of turns, at each turn number.

    `further`: names of other slices. All metrics are means over turns or dialogues that do not
    depend on the answers; `ahead_of_foil` is among them where gold names foils. Raises
    WrongUsageError at a slice that the split does not have.
    """
    known = slices(systems.frame)
    for part in further:
        if part not in known:
            raise WrongUsageError(
                f"--slice {shown(part)}: no such slice; {did_you_mean(part, known)}"
                f"{systems.split.name} has {', '.join(known)}"
            )
    cells = [cell for name in ORDER for cell in _cells(systems, name, further)]
    return [cell for cell in cells if cell.metric != AHEAD_OF_FOIL or cell.counted]


def headline_pairs(systems: EntrantSet, cells: Iterable[HeadlineCell]) -> Iterator[PairedValues]:
    """The values of each cell, pair by pair."""
    for name, part, turns, _, _, closed in cells:
        columns = {entrant.label: entrant.column(name) for entrant in systems.entrants}
        for pair in combinations(systems.entrants, 2):
            values = _paired_values(name, part, turns, pair, columns)
            yield values._replace(why=values.why or TOO_SMALL) if closed else values


def _paired_values(
    name: str,
    part: str,
    turns: Bools,
    pair: tuple[Entrant, Entrant],
    columns: dict[str, Column],
) -> PairedValues:
    (first, second), (one, other) = pair, (columns[entrant.label] for entrant in pair)
    return PairedValues(
        name,
        part,
        first,
        second,
        one.values * turns,
        other.values * turns,
        one.weights * turns,
        one.counted & turns,
        _why(first, one.why) or _why(second, other.why),
        METRICS[name].whole_units,
    )


def _cells(systems: EntrantSet, name: str, further: Sequence[str]) -> list[HeadlineCell]:
    column = systems.entrants[0].column(name)
    cells = []
    for part, turns in slices(systems.frame, METRICS[name].scope).items():
        always, size = part == "all" or part in further, int((turns & column.counted).sum())
        if part == "all" or (size and (always or part.startswith("turn="))):
            cells.append(HeadlineCell(name, part, turns, size, always))
    if not systems.labels_hidden:
        return cells
    parts = {cell.slice: cell.turns for cell in cells}
    closed = hidden_slices(METRICS[name], column, systems.frame, parts)
    return [cell._replace(closed=cell.slice in closed) for cell in cells]


def _why(entrant: Entrant, why: str | None) -> str | None:
    return None if why is None else f"{entrant.label}: {why}"
