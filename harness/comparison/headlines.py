"""The headline metrics of all pairs of systems, overall and by turn number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from harness.comparison.differences import PairedValues
from harness.comparison.entrants import Entrant, EntrantSet
from harness.errors import WrongUsageError, did_you_mean
from harness.files import shown
from harness.metrics import METRICS, Column
from harness.outcomes import Bools
from harness.publication.headlines import AHEAD_OF_FOIL, HEADLINES
from harness.slices import slices

# Where gold names foils, the figures of the foils come first.
ORDER = (AHEAD_OF_FOIL, *(name for name in HEADLINES if name != AHEAD_OF_FOIL))


def headline_pairs(systems: EntrantSet, further: Sequence[str] = ()) -> Iterator[PairedValues]:
    """Every headline metric, overall and, if of turns, at each turn number, pair by pair.

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
    for name in ORDER:
        columns = {entrant.label: entrant.column(name) for entrant in systems.entrants}
        if name == AHEAD_OF_FOIL and not columns[systems.entrants[0].label].counted.any():
            continue
        for part, turns in _slices(systems, name, further):
            for first, second in combinations(systems.entrants, 2):
                yield _paired_values(name, part, turns, (first, second), columns)


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


def _slices(systems: EntrantSet, name: str, further: Sequence[str]) -> Iterator[tuple[str, Bools]]:
    parts = slices(systems.frame, METRICS[name].scope)
    yield "all", parts["all"]
    counted = systems.entrants[0].column(name).counted
    for part, turns in parts.items():
        if (part.startswith("turn=") or part in further) and (turns & counted).any():
            yield part, turns


def _why(entrant: Entrant, why: str | None) -> str | None:
    return None if why is None else f"{entrant.label}: {why}"
