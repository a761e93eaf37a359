"""What a system costs, as its card declares it: numbers in a unit, or text that is only shown.

The unit of a cost stands in brackets behind its name (`time per turn (s)`), behind its number
(`0.8 s`), or is the name itself (`GPU hours`). A number without a unit is shown and never plotted.
"""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from harness.records import Card
from leaderboard.tables.seeds import SeedSpread, spread_of

MOST = 4  # columns of one table
OURS = ("parameters", "frames_per_video")  # keys of the card, whose unit is their own name
NUMBER = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?(?:[eE][+-]?[0-9]{1,2})?)\s*(.*)", re.DOTALL)
BRACKETS = re.compile(r"(.+?)\s*[(\[]([^()\[\]]+)[)\]]\s*", re.DOTALL)
MAGNITUDES = {"": 1.0, "k": 1e3, "m": 1e6, "million": 1e6, "b": 1e9, "billion": 1e9, "t": 1e12}
UNITS = {
    *("s", "ms", "seconds", "milliseconds", "minutes", "hours", "days", "usd", "eur", "dollars"),
    *("wh", "kwh", "joules", "watts", "flops", "gflops", "tflops", "macs", "gmacs"),
    *("bytes", "mb", "mib", "gb", "gib", "tokens"),
}


class CostKind(NamedTuple):
    """One cost by name, and the unit of its numbers: None where the card does not state it."""

    name: str
    unit: str | None


class CostAmount(NamedTuple):
    """What the cards of a row say of a cost; `value` is None where that is no number of at least 0.

    Of several runs `value` is the mean, and `spread` says how they differ.
    """

    value: float | None
    text: str
    spread: SeedSpread | None = None


def declared_costs(card: Card) -> dict[CostKind, CostAmount]:
    """Every cost of a card, in its order."""
    return dict(_declared(card))


def table_costs(declarations: Iterable[Card]) -> tuple[CostKind, ...]:
    """The costs that a table has a column for: the card's own fields, then the commonest ones.

    At most MOST; of equally frequent ones the first by name. Names that differ in letter case are
    one cost, by its commonest spelling.
    """
    as_written = Counter(kind for card in declarations for kind in declared_costs(card))
    counted: Counter[CostKind] = Counter()
    for kind, number in as_written.items():
        counted[_folded(kind)] += number
    first = sorted(counted, key=lambda kind: (_place(kind), -counted[kind], kind.name))[:MOST]
    spellings = sorted(as_written, key=lambda kind: (-as_written[kind], kind.name))
    return tuple(next(each for each in spellings if _folded(each) == kind) for kind in first)


def amounts(
    declarations: Iterable[Card], kinds: Iterable[CostKind]
) -> tuple[CostAmount | None, ...]:
    """What the cards of a row's runs say of each of `kinds`, however they spell them."""
    found = [{_folded(kind): amount for kind, amount in _declared(card)} for card in declarations]
    return tuple(_combined([each.get(_folded(kind)) for each in found]) for kind in kinds)


def _combined(runs: Sequence[CostAmount | None]) -> CostAmount | None:
    """The amounts of all runs as one: that of the first, where not all are numbers."""
    spread = spread_of([None if amount is None else amount.value for amount in runs])
    if spread is None or spread.low == spread.high:
        return runs[0]
    value = statistics.fmean(amount.value for amount in runs if amount and amount.value is not None)
    text = f"{compact(value)} ({compact(spread.low)} – {compact(spread.high)})"
    return CostAmount(value, text, spread)


def _folded(kind: CostKind) -> CostKind:
    same = kind.unit is not None and kind.unit == kind.name
    return CostKind(kind.name.casefold(), kind.name.casefold() if same else kind.unit)


def parameter_count(card: Card) -> float | None:
    """The declared number of parameters, None where that is no number of at least 0."""
    return None if card.parameters is None else _of_ours(card.parameters).value


def has_unit(kind: CostKind) -> bool:
    """Whether its numbers may stand on an axis."""
    return kind.unit is not None


def compact(value: float) -> str:
    """A cost for people: four digits, from a million on with M, B or T."""
    for size, mark in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if value >= size:
            return f"{value / size:,.4g} {mark}"
    rounded = float(f"{value:.4g}")
    return f"{rounded:,.0f}" if rounded >= 1e4 else f"{rounded:,.4g}"


def _place(kind: CostKind) -> int:
    return OURS.index(kind.name) if kind.name in OURS else len(OURS)


def _declared(card: Card) -> Iterator[tuple[CostKind, CostAmount]]:
    for name in OURS:
        if (value := getattr(card, name)) is not None:
            yield CostKind(name, name), _of_ours(value)
    costs = card.cost if isinstance(card.cost, dict) else {"cost": card.cost}
    for name, value in costs.items():
        if isinstance(value, int | float | str):
            yield _of_theirs(name, value)


def _of_ours(value: float | str) -> CostAmount:
    """A number of parameters or frames, `7B` and `7 billion` among them."""
    if isinstance(value, str) and (found := NUMBER.fullmatch(value.strip())):
        size = MAGNITUDES.get(found[2].strip().casefold())
        if size is not None:
            return _amount(float(found[1]) * size)
    return CostAmount(None, value) if isinstance(value, str) else _amount(value)


def _of_theirs(name: str, value: float | str) -> tuple[CostKind, CostAmount]:
    plain, unit = _named(name)
    if isinstance(value, str):
        if not (found := NUMBER.fullmatch(value.strip())):
            return CostKind(plain, unit), CostAmount(None, value)
        # `2 h` under `training (h)` is a number; `2 h` under `training (s)` is text.
        if found[2] and unit is not None and found[2] != unit:
            return CostKind(plain, unit), CostAmount(None, value)
        return CostKind(plain, unit or found[2] or None), _amount(float(found[1]))
    return CostKind(plain, unit), _amount(value)


@lru_cache(maxsize=4096)
def _named(name: str) -> tuple[str, str | None]:
    """A cost's name without its unit, and the unit."""
    if found := BRACKETS.fullmatch(name):
        return found[1], found[2].strip()
    words = re.findall(r"[a-z]+", name.casefold())
    return name, name if UNITS.intersection(words) else None


def _amount(value: float) -> CostAmount:
    number = float(value)
    return CostAmount(
        number if number >= 0 else None, compact(number) if number >= 0 else f"{value:g}"
    )
