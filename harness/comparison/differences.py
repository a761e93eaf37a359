"""Paired differences of pairs of systems, with Holm's correction over the pairs of each row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from harness.comparison.entrants import Entrant, Field
from harness.outcomes import Bools, Floats
from harness.publication.disclosure import SMALLEST_CELL, TOO_SMALL
from harness.statistics import Paired, holm, paired

AT_ONCE = 2**22  # entries of a table of rows and turns that is worked on together


class Difference(Struct, frozen=True):
    """First minus second system, of one metric on one slice; figures are fractions.

    `first_value`, `second_value`: the systems' own figures; `effect`: d_z, difference / standard
    deviation of the units' differences; `p`: two-sided, of the swap test; `p_holm`: corrected over
    the pairs shown for this metric and slice. Undefined is None, and `why` says why; `turns` and
    `dialogues` are None where they would tell of hidden labels.
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


class Contest(NamedTuple):
    """Two systems over the same turns; the figure of each is a weighted mean.

    `ones`, `others`: values times weights; `weights`; `counted`: the turns that are counted as
    such. Each (turns,), the first three 0 where a turn does not count.
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


def differences(field: Field, contests: Iterable[Contest]) -> tuple[Difference, ...]:
    """The paired difference of each contest, in their order.

    Contests of one metric and slice follow one another; Holm's correction is over those of them
    that have a p.
    """
    portion = max(1, AT_ONCE // max(len(field.frame.turn), 1))
    found: list[Difference] = []
    waiting = iter(contests)
    while some := list(islice(waiting, portion)):
        found += _measured(field, some)
    rows = groupby(found, key=lambda each: (each.metric, each.slice))
    return tuple(each for _, row in rows for each in _corrected(list(row)))


def _measured(field: Field, contests: Sequence[Contest]) -> Iterator[Difference]:
    ones, others, weights = (
        np.array(each) for each in zip(*(contest[4:7] for contest in contests), strict=True)
    )  # (contests, turns)
    result = paired(field.design, ones, others, weights)
    for row, contest in enumerate(contests):
        dialogues = len(np.unique(field.frame.dialogue[contest.counted]))
        bare = Difference(
            contest.metric,
            contest.slice,
            contest.first.label,
            contest.second.label,
            turns := int(contest.counted.sum()),
            dialogues,
        )
        if why := contest.why or _why_not(field, turns):
            yield replace(bare, why=why)
        else:
            whole = weights[row].sum()
            yield _filled(bare, ones[row].sum() / whole, others[row].sum() / whole, result, row)


def _why_not(field: Field, turns: int) -> str | None:
    if not turns:
        return "no such turn"
    if field.hidden and turns < SMALLEST_CELL:
        return TOO_SMALL
    return None


def _filled(bare: Difference, one: float, other: float, result: Paired, row: int) -> Difference:
    return replace(
        bare,
        first_value=rounded(one),
        second_value=rounded(other),
        value=rounded(result.values[row]),
        low=rounded(result.lows[row]),
        high=rounded(result.highs[row]),
        effect=rounded(result.effects[row]),
        p=rounded(result.ps[row]),
    )


def _corrected(row: list[Difference]) -> Iterator[Difference]:
    tested = [each.p for each in row if each.p is not None]
    corrected = iter(holm(tested).tolist())
    for each in row:
        yield each if each.p is None else replace(each, p_holm=rounded(next(corrected)))


def rounded(value: float) -> float | None:
    """Ten significant digits; None for NaN."""
    return None if np.isnan(value) else float(f"{value:.10g}")
