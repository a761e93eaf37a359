"""Answers, and gold, that follow an order of files, ids, durations, time stamps or candidates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from msgspec import Struct

from harness.probes.candidate_places import LISTED, gold_places, habit
from harness.probes.order_tests import OrderFinding, Shuffles, order_tests
from harness.probes.orders import OrderSet, strata, video_orders
from harness.probes.runs import NONE, Field, first_videos
from harness.statistics import holm

LEVEL = 0.05  # of at least one finding where nothing is followed: of the gold, and of all runs


class LeakFinding(Struct, frozen=True):
    """One test: of a run, by key, or of the gold, where `run` is None.

    found, expected: the statistic, and its value if the order is arbitrary; p: Holm over the tests
    of the gold, or of all runs; gold: what the same test finds of the gold, None: not tested.
    """

    run: str | None
    test: str
    order: str
    found: float
    expected: float
    p: float
    gold: float | None


class LeakReport(Struct, frozen=True):
    """What `ivcr probe leaks` found. `benchmark`: every test of the gold, the surest first;
    `findings`: those of runs with p of at most `level`."""

    schema: int
    split: str
    runs: int
    tests: int
    level: float
    notes: tuple[str, ...]
    benchmark: tuple[LeakFinding, ...]
    findings: tuple[LeakFinding, ...]


def probe_leaks(field: Field) -> LeakReport:
    """Test the gold and every run."""
    known = video_orders(field)
    shuffles = Shuffles.of(field, strata(field))
    of_gold = list(gold_tests(field, known, shuffles))
    gold = _adjusted(of_gold, {})
    beside = {(each.test, each.order): each.found for each in gold}
    tested = _adjusted(list(run_tests(field, known, shuffles, of_gold)), beside)
    return LeakReport(
        schema=1,
        split=field.split.name,
        runs=len(field.runs),
        tests=len(tested),
        level=LEVEL,
        notes=(*field.notes, *known.notes),
        benchmark=tuple(sorted(gold, key=lambda each: (each.p, each.test, each.order))),
        findings=tuple(
            sorted(
                (each for each in tested if each.p <= LEVEL),
                key=lambda each: (each.p, each.run or "", each.test, each.order),
            )
        ),
    )


Tested = tuple[str | None, str, OrderFinding]


def gold_tests(field: Field, known: OrderSet, shuffles: Shuffles) -> Iterator[Tested]:
    """Every test of the gold, with its own p."""
    answers = np.where(field.frame.is_video, field.target[:, 0], NONE)
    for order in known.orders:
        for found in order_tests(field, answers, order, shuffles):
            yield None, order.name, found
    yield from ((None, name, found) for name, found in gold_places(field, known.orders))


def run_tests(
    field: Field, known: OrderSet, shuffles: Shuffles, of_gold: Sequence[Tested]
) -> Iterator[Tested]:
    """Every test of every run, beside those of the gold: its key, the order, its own p."""
    for run, answers in zip(field.runs, first_videos(field), strict=True):
        for order in known.orders:
            gold = {
                found.test: found.found - found.expected
                for _, name, found in of_gold
                if name == order.name
            }
            for found in order_tests(field, answers, order, shuffles, gold):
                yield run.key, order.name, found
        if (chosen := habit(field, run)) is not None:
            yield run.key, LISTED, chosen


def _adjusted(tested: Sequence[Tested], beside: dict[tuple[str, str], float]) -> list[LeakFinding]:
    ps = holm([found.p for _, _, found in tested]).tolist()
    return [
        LeakFinding(
            run,
            found.test,
            order,
            _digits(found.found),
            _digits(found.expected),
            _digits(p),
            beside.get((found.test, order)),
        )
        for (run, order, found), p in zip(tested, ps, strict=True)
    ]


def _digits(value: float) -> float:
    return float(f"{value:.6g}")
