"""What a system costs, as its card declares it: numbers in a unit, or text that is only shown.

The unit of a cost stands in brackets behind its name (`time per turn (s)`), behind its number
(`0.8 s`), or is the name itself (`GPU hours`). A number whose unit nobody states is shown and never
drawn.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from harness.records import Card

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


class Kind(NamedTuple):
    """One cost by name, and the unit of its numbers: None where the card does not state it."""

    name: str
    unit: str | None


class Amount(NamedTuple):
    """What a card says of a cost; `value` is None where that is no number of at least 0."""

    value: float | None
    text: str


def declared(card: Card) -> dict[Kind, Amount]:
    """Every cost of a card, in its order."""
    return dict(_declared(card))


def shown(cards: Iterable[Card]) -> tuple[Kind, ...]:
    """The costs that a table has a column for: the harness's own, then those that most cards have.

    At most MOST; of equally frequent ones the first by name. Names that differ in letter case are
    one cost, by its commonest spelling.
    """
    spelt = Counter(kind for card in cards for kind in declared(card))
    counted: Counter[Kind] = Counter()
    for kind, number in spelt.items():
        counted[_folded(kind)] += number
    first = sorted(counted, key=lambda kind: (_place(kind), -counted[kind], kind.name))[:MOST]
    spellings = sorted(spelt, key=lambda kind: (-spelt[kind], kind.name))
    return tuple(next(each for each in spellings if _folded(each) == kind) for kind in first)


def amounts(card: Card, kinds: Iterable[Kind]) -> tuple[Amount | None, ...]:
    """What a card says of each of `kinds`, however it spells them."""
    said = {_folded(kind): amount for kind, amount in _declared(card)}
    return tuple(said.get(_folded(kind)) for kind in kinds)


def _folded(kind: Kind) -> Kind:
    same = kind.unit is not None and kind.unit == kind.name
    return Kind(kind.name.casefold(), kind.name.casefold() if same else kind.unit)


def drawable(kind: Kind) -> bool:
    """Whether its numbers may stand on an axis."""
    return kind.unit is not None


def compact(value: float) -> str:
    """A cost for people: four digits, from a million on with M, B or T."""
    for size, mark in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if value >= size:
            return f"{value / size:,.4g} {mark}"
    rounded = float(f"{value:.4g}")
    return f"{rounded:,.0f}" if rounded >= 1e4 else f"{rounded:,.4g}"


def _place(kind: Kind) -> int:
    return OURS.index(kind.name) if kind.name in OURS else len(OURS)


def _declared(card: Card) -> Iterator[tuple[Kind, Amount]]:
    for name in OURS:
        if (value := getattr(card, name)) is not None:
            yield Kind(name, name), _of_ours(value)
    costs = card.cost if isinstance(card.cost, dict) else {"cost": card.cost}
    for name, value in costs.items():
        if isinstance(value, int | float | str):
            yield _of_theirs(name, value)


def _of_ours(value: float | str) -> Amount:
    """A number of parameters or frames, `7B` and `7 billion` among them."""
    if isinstance(value, str) and (found := NUMBER.fullmatch(value.strip())):
        size = MAGNITUDES.get(found[2].strip().casefold())
        if size is not None:
            return _amount(float(found[1]) * size)
    return Amount(None, value) if isinstance(value, str) else _amount(value)


def _of_theirs(name: str, value: float | str) -> tuple[Kind, Amount]:
    plain, unit = _named(name)
    if isinstance(value, str):
        if not (found := NUMBER.fullmatch(value.strip())):
            return Kind(plain, unit), Amount(None, value)
        # `2 h` under `training (h)` is a number; `2 h` under `training (s)` is text.
        if found[2] and unit is not None and found[2] != unit:
            return Kind(plain, unit), Amount(None, value)
        return Kind(plain, unit or found[2] or None), _amount(float(found[1]))
    return Kind(plain, unit), _amount(value)


@lru_cache(maxsize=4096)
def _named(name: str) -> tuple[str, str | None]:
    """A cost's name without its unit, and the unit."""
    if found := BRACKETS.fullmatch(name):
        return found[1], found[2].strip()
    words = re.findall(r"[a-z]+", name.casefold())
    return name, name if UNITS.intersection(words) else None


def _amount(value: float) -> Amount:
    number = float(value)
    return Amount(number if number >= 0 else None, compact(number) if number >= 0 else f"{value:g}")
