"""Figures of metrics on slices: values, intervals, counts; null with a reason where undefined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import replace
from itertools import groupby
from typing import Any, get_args

import numpy as np

from harness.metrics import METRICS, Column, Metric
from harness.outcomes import Bools, Floats, Frame, Ints
from harness.publication.disclosure import SMALLEST_CELL, withheld
from harness.slices import Scope, slices
from harness.statistics import Design, Interval

Cell = dict[str, Any]


def figures(
    frame: Frame, columns: Mapping[str, Column], design: Design, *, hidden: bool
) -> dict[str, dict[str, Cell]]:
    """By slice and metric: value, low, high, turns, dialogues; or value null and why.

    A slice holds the metrics that are given in it (see harness.slices). `turns` and `dialogues`
    count what the figure rests on. `hidden`: small cells are withheld, their counts too (see
    harness.publication.disclosure).
    """
    found: dict[str, dict[str, Cell]] = {}
    for scope in get_args(Scope):
        parts = slices(frame, scope)
        given = {name: column for name, column in columns.items() if METRICS[name].scope == scope}
        closed = {
            name: hidden_slices(METRICS[name], column, frame, parts) if hidden else frozenset()
            for name, column in given.items()
        }
        for part, turns in parts.items():
            rows = np.flatnonzero(turns)
            here = {name: _at(column, rows) for name, column in given.items()}
            secret = {name for name in here if part in closed[name]}
            cells = _cells(here, frame.dialogue[rows], _restricted(design, rows), secret)
            found.setdefault(part, {}).update(cells)
    return found


def counted_things(metric: Metric) -> str:
    """What SMALLEST_CELL counts for a metric."""
    return "turns" if metric.scope == "turn" else "dialogues"


def hidden_slices(
    metric: Metric, column: Column, frame: Frame, parts: Mapping[str, Bools]
) -> frozenset[str]:
    """The slices of `parts`, by name as (turns,), in which hidden labels forbid the metric."""
    masks = list(parts.values())
    sizes = [_size(metric, column, turns) for turns in masks]
    return withheld(list(parts), _incidence(metric, column, frame, masks), sizes=sizes)


def _incidence(metric: Metric, column: Column, frame: Frame, masks: list[Bools]) -> Floats:
    """Which turns, or dialogues, each slice counts: 0 or 1, (slices, turns or dialogues)."""
    turns = np.array(masks) & column.counted
    if counted_things(metric) == "turns":
        return turns.astype(float)
    return np.array([np.bincount(frame.dialogue, weights=row) > 0 for row in turns], dtype=float)


def _size(metric: Metric, column: Column, turns: Bools) -> float:
    return np.inf if metric.size is None else metric.size(column.table @ turns)


def _at(column: Column, rows: Ints) -> Column:
    return column._replace(table=column.table[:, rows], counted=column.counted[rows])


def _restricted(design: Design, rows: Ints) -> Design:
    """The design of some turns alone: what they share is as it was in the whole split."""
    unit, video, cluster = design.unit[rows], design.video[rows], design.cluster[rows]
    return replace(design, unit=unit, video=video, cluster=cluster)


def _cells(
    columns: Mapping[str, Column], dialogue: Ints, design: Design, secret: Set[str]
) -> Iterator[tuple[str, Cell]]:
    """The cells of one slice, everything being of its turns alone."""
    sizes = {
        name: {} if name in secret else _sizes(column, dialogue) for name, column in columns.items()
    }
    why = {
        name: _undefined(METRICS[name], column, name in secret) for name, column in columns.items()
    }
    found = _intervals({name: columns[name] for name in columns if why[name] is None}, design)
    for name in columns:
        interval = found.get(name)
        if interval is None or interval.value is None:
            yield name, {"value": None, "why": why[name] or METRICS[name].undefined, **sizes[name]}
        else:
            value, low, high = (_rounded(bound) for bound in interval)
            yield name, {"value": value, "low": low, "high": high, **sizes[name]}


def _intervals(columns: Mapping[str, Column], design: Design) -> dict[str, Interval]:
    found = {}
    for name, column in columns.items():
        metric = METRICS[name]
        if metric.average == "median":
            found[name] = design.median(column.table[0], column.counted)
        elif metric.average == "smooth":
            bounds = (metric.low, metric.high)
            found[name] = design.smooth(
                metric.figure, column.table, bounds, whole_units=metric.whole_units
            )
    means = [name for name in columns if METRICS[name].average == "mean"]
    for (low, high, whole_units), group in groupby(sorted(means, key=_kind), key=_kind):
        names = list(group)
        tables = np.stack([columns[name].table for name in names])  # (metrics, 2, turns)
        ratios = design.ratios(tables[:, 0], tables[:, 1], (low, high), whole_units=whole_units)
        found |= zip(names, map(Interval.of, *ratios), strict=True)
    return found


def _kind(name: str) -> tuple[float, float, bool]:
    metric = METRICS[name]
    return metric.low, metric.high, metric.whole_units


def _sizes(column: Column, dialogue: Ints) -> dict[str, int]:
    dialogues = np.count_nonzero(np.bincount(dialogue[column.counted]))
    return {"turns": int(column.counted.sum()), "dialogues": int(dialogues)}


def _undefined(metric: Metric, column: Column, secret: bool) -> str | None:
    if column.why is not None:
        return column.why
    if secret:
        few = f"fewer than {SMALLEST_CELL} {counted_things(metric)}"
        return f"labels are hidden, and {few} would show, here or as a difference of two figures"
    if not column.counted.any():
        return f"no {metric.over} here"
    if metric.size is not None and not metric.size(column.table.sum(axis=1)):
        return metric.undefined
    return None


def _rounded(value: float | None) -> float | None:
    """Ten significant digits; None for an undefined bound."""
    return None if value is None else float(f"{value:.10g}")
