"""Paired differences of pairs of systems, with Holm's correction over the pairs of each row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from harness.comparison.entrants import Entrant, EntrantSet
from harness.outcomes import Bools, Floats
from harness.publication.disclosure import SMALLEST_CELL, TOO_SMALL
from harness.statistics import Differences, holm, paired

AT_ONCE = 2**22  # entries of a table of rows and turns that is computed at once


class Difference(Struct, frozen=True):
    """First minus second system, of one metric on one slice; figures are fractions.

    `first_value`, `second_value`: the systems' own figures; `effect`: d_z, difference / standard
    deviation of the units' differences; `p`: two-sided, below 5 % where the interval leaves out 0;
    `p_holm`: corrected over the pairs shown for this metric and slice. Undefined is None, and `why`
    says why; `turns` and `dialogues` are None where they would reveal hidden labels.
    """

    metric: str
    slice: str
    first: str
    second: str
    turns: int | None
    dialogues: int | None
    first_value: float | None = None
    second_value: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    effect: float | None = None
    p: float | None = None
    p_holm: float | None = None
    why: str | None = None


class PairedValues(NamedTuple):
    """The values of two systems over the same turns; the figure of each is a weighted mean.

    `ones`, `others`: values times weights; `weights`; `counted`: the turns in the count. Each
    (turns,), the first three 0 where a turn does not count. `whole_units`: see `Design.ratios`.
    """

    metric: str
    slice: str
    first: Entrant
    second: Entrant
    ones: Floats
    others: Floats
    weights: Floats
    counted: Bools
    why: str | None = None
    whole_units: bool = False


def differences(systems: EntrantSet, pairs: Iterable[PairedValues]) -> tuple[Difference, ...]:
    """The paired difference of each of `pairs`, in their order.

    Pairs of one metric and slice are consecutive; Holm's correction is over those of them that have
    a p.
    """
    portion = max(1, AT_ONCE // max(len(systems.frame.turn), 1))
    found: list[Difference] = []
    waiting = iter(pairs)
    for whole_units, group in groupby(waiting, key=lambda each: each.whole_units):
        while some := list(islice(group, portion)):
            found += _differences(systems, some, whole_units=whole_units)
    rows = groupby(found, key=lambda each: (each.metric, each.slice))
    return tuple(each for _, row in rows for each in _correct_holm(list(row)))


def _differences(
    systems: EntrantSet, pairs: Sequence[PairedValues], *, whole_units: bool
) -> Iterator[Difference]:
    ones, others, weights = (
        np.array(each) for each in zip(*(pair[4:7] for pair in pairs), strict=True)
    )  # (contests, turns)
    result = paired(systems.design, ones, others, weights, whole_units=whole_units)
    for row, pair in enumerate(pairs):
        dialogues = len(np.unique(systems.frame.dialogue[pair.counted]))
        bare = Difference(
            pair.metric,
            pair.slice,
            pair.first.label,
            pair.second.label,
            turns := int(pair.counted.sum()),
            dialogues,
        )
        if why := pair.why or _withheld_reason(systems, turns):
            yield replace(bare, why=why)
        else:
            whole = weights[row].sum()
            yield _with_figures(
                bare, ones[row].sum() / whole, others[row].sum() / whole, result, row
            )


def _withheld_reason(systems: EntrantSet, turns: int) -> str | None:
    if not turns:
        return "no such turn"
    if systems.labels_hidden and turns < SMALLEST_CELL:
        return TOO_SMALL
    return None


def _with_figures(
    bare: Difference, one: float, other: float, result: Differences, row: int
) -> Difference:
    return replace(
        bare,
        first_value=round_digits(one),
        second_value=round_digits(other),
        value=round_digits(result.values[row]),
        low=round_digits(result.lows[row]),
        high=round_digits(result.highs[row]),
        effect=round_digits(result.effects[row]),
        p=round_digits(result.ps[row]),
    )


def _correct_holm(row: list[Difference]) -> Iterator[Difference]:
    tested = [each.p for each in row if each.p is not None]
    corrected = iter(holm(tested).tolist())
    for each in row:
        yield each if each.p is None else replace(each, p_holm=round_digits(next(corrected)))


def round_digits(value: float) -> float | None:
    """Ten significant digits; None for NaN."""
    return None if np.isnan(value) else float(f"{value:.10g}")
