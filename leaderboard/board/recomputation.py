"""What differs between a run's documents and those that are made again, a line each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from harness.files import canonical, shown
from harness.records import Card
from leaderboard.board.documents import RECORD, SCORES
from leaderboard.board.outcomes import ABSOLUTE, RELATIVE
from leaderboard.results.description import Bench

CUT = 200  # characters of a value
OF_BASELINES = "baselines/"  # begins `code` in the card of a run that a baseline of ours made
ABSENT = object()


class _Unequal(NamedTuple):
    """A place in two documents, by its keys, and what stands there; ABSENT: nothing."""

    place: str
    found: Any
    expected: Any


def differences(stored: dict[str, Any], again: dict[str, Any]) -> list[str]:
    """What differs between the documents of two scores.json, whatever stands in them.

    Numbers are equal if nine digits are. Figures are named by metric and slice.
    """
    lines = [_line(each) for each in _unequal(_head(stored), _head(again))]
    old, new = stored["metrics"], again["metrics"]
    for part in sorted(old.keys() | new.keys()):
        before, after = old.get(part, {}), new.get(part, {})
        for name in sorted(before.keys() | after.keys()):
            found = _unequal(before.get(name, ABSENT), after.get(name, ABSENT))
            lines += [f"{shown(name)} on {shown(part)}: {_line(each)}" for each in found]
    return lines


def record_differences(record: dict[str, Any], card: Card, bench: Bench) -> list[str]:
    """What a baseline's run.json says otherwise than the card and the benchmark."""
    expected: dict[str, Any] = {
        "baseline": card.system,
        "history": card.history,
        "seed": card.seed,
        "benchmark": {
            "name": bench.name,
            "fingerprint": bench.fingerprint,
            "split": bench.split,
        },
    }
    found = {name: record.get(name, ABSENT) for name in expected}
    spent, cost = record.get("spent", {}), card.cost
    if isinstance(spent, dict) and isinstance(cost, dict):
        # The counters of both; an amount of money, say, stands in the card alone.
        counters = sorted(spent.keys() & cost.keys())
        found["spent"], expected["spent"] = (
            {name: each[name] for name in counters} for each in (spent, cost)
        )
    return [
        f"{RECORD}: {each.place} is {_text(each.found)}, by card and benchmark"
        f" {_text(each.expected)}"
        for each in _unequal(found, expected)
    ]


def made_by_a_baseline(card: Card) -> bool:
    """Whether the card says that a baseline of ours made the run."""
    return (card.code or "").startswith(OF_BASELINES)


def _head(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key != "metrics"}


def _line(each: _Unequal) -> str:
    place = f"{each.place} " if each.place else ""
    if each.expected is ABSENT:
        return f"{place}scored again, there is none"
    if each.found is ABSENT:
        return f"{place}missing in {SCORES}"
    return f"{place}is {_text(each.found)}, scored again {_text(each.expected)}"


def _unequal(found: Any, expected: Any, place: str = "") -> Iterator[_Unequal]:
    """Where two values differ; in objects key by key."""
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in sorted(found.keys() | expected.keys()):
            inner = f"{place}.{key}" if place else key
            yield from _unequal(found.get(key, ABSENT), expected.get(key, ABSENT), inner)
    elif not _same(found, expected):
        yield _Unequal(shown(place)[1:-1], found, expected)


def _same(one: Any, other: Any) -> bool:
    if _is_number(one) and _is_number(other):
        return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return type(one) is type(other) and bool(one == other)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    if value is ABSENT:
        return "missing"
    if isinstance(value, str):
        return shown(value, CUT)
    if isinstance(value, float):
        return f"{value:.10g}"
    return shown(canonical(value).decode(), CUT)[1:-1]
