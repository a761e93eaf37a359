"""What a system's own page shows: figures on every slice, from its scores.json alone."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from harness.publication.escaping import LONG, visible
from harness.publication.headlines import TASK_HEADLINES
from harness.records import Card, History
from leaderboard.board.formatting import label
from leaderboard.board.recomputation import made_by_a_baseline
from leaderboard.board.records import Cell, Entry
from leaderboard.results.description import Bench, MetricInfo
from leaderboard.site.feeds.sharing import sharing
from leaderboard.site.plots import Curve, Series, curve, histogram
from leaderboard.site.wording import Words
from leaderboard.tables.tracks import TEXTS, TRACKS

DIMENSIONS = ("type", "language", "source", "target", "length", "tag")
# What follows a right turn and a wrong one, each with its words in the interface.
AFTER = (
    ("P(right|right)", "after_right"),
    ("P(right|wrong)", "after_wrong"),
    ("dependence", "after_difference"),
    ("recovery", "after_recovery"),
)
LONG_FIELDS = ("signature", "paper", "code")
# Fields of the card that stand elsewhere on the page.
ELSEWHERE = (
    *("schema", "team", "system", "variant", "control", "settings", "description"),
    *("history", "candidates", "kind", "figures"),
)


class SliceTable(NamedTuple):
    """Figures by the values of one dimension: a row per slice, a cell per metric."""

    name: str
    metrics: tuple[MetricInfo, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


class FigureGroup(NamedTuple):
    """The defined figures of one track, under its title."""

    title: str
    figures: tuple[tuple[MetricInfo, Cell], ...]


class TurnCurve(NamedTuple):
    """A metric over turns: its series, and their plot."""

    metric: MetricInfo
    series: tuple[Series, ...]
    plot: Curve


def view(
    entry: Entry,
    bench: Bench,
    metrics: Mapping[str, MetricInfo],
    own: Mapping[str, Any],
    words: Words,
) -> dict[str, Any]:
    """The values of the template system.html. They depend on no other entry.

    `own`: those of the entry's predictions and outcomes, by name.
    """
    overlaps = own["overlaps"]
    heading, axis = words("overlap.heading"), words("overlap.axis")
    return {
        **own,
        "overlap_plot": histogram(overlaps, heading, axis) if overlaps else None,
        "entry": entry,
        "groups": figure_groups(entry, metrics, words),
        "undefined": [
            (metric, cell)
            for name, metric in metrics.items()
            if (cell := entry.cell(name)) is not None and cell.value is None
        ],
        "curves": list(_curves(entry, metrics, words)),
        "survival": _survival(entry, metrics, words),
        "after": [
            (metrics[name], entry.cell(name) or Cell(None), words(f"system.{key}"))
            for name, key in AFTER
            if name in metrics and _value(entry, metrics[name], "all") is not None
        ],
        "parts": [
            part
            for name in DIMENSIONS
            if len((part := _part(name, entry, bench, metrics, words)).rows) > 1
        ],
        "card": list(_declared(entry.card)),
        "settings": [(name, _text(value)) for name, value in (entry.card.settings or {}).items()],
        "command": _command(entry),
        "command_says": words(
            "system.rerun_says" if made_by_a_baseline(entry.card) else "system.reproduce_says"
        ),
        **sharing(entry, metrics),
    }


def figure_groups(
    entry: Entry, metrics: Mapping[str, MetricInfo], words: Words
) -> list[FigureGroup]:
    """The defined figures of an entry by track; what no track has stands with its scope's."""
    found: dict[str, list[tuple[MetricInfo, Cell]]] = {}
    for name, metric in metrics.items():
        cell = entry.cell(name)
        if cell is not None and cell.value is not None:
            title = words(_group_of(metric, entry.card.history))
            found.setdefault(title, []).append((metric, cell))
    return [FigureGroup(title, tuple(figures)) for title, figures in found.items()]


def _group_of(metric: MetricInfo, history: History) -> str:
    """The word that heads a metric's group on the page of a system with this history."""
    if metric.name in TEXTS:
        return "system.responses"
    for track in TRACKS:
        if metric.name in track.metrics and history in track.histories:
            return f"track.{track.name}"
    return "track.dialogue" if metric.scope == "dialogue" else "track.refinement"


def _curves(entry: Entry, metrics: Mapping[str, MetricInfo], words: Words) -> list[TurnCurve]:
    found = []
    for metric in headlines(entry, metrics):
        lines = (
            Series(words("system.all_dialogues"), "dot", _by_turn(entry, metric, "turn=")),
            Series(words("system.cohort"), "square", _by_turn(entry, metric, "cohort4:turn=")),
        )
        defined = tuple(line for line in lines if any(c.value is not None for _, c in line.points))
        if defined:
            title = f"{label(metric.name)}: {words('system.turn')}"
            plot = curve(defined, metric, words("system.turn_axis"), title)
            found.append(TurnCurve(metric, defined, plot))
    return found


def _by_turn(entry: Entry, metric: MetricInfo, prefix: str) -> tuple[tuple[int, Cell], ...]:
    found = [
        (int(part.removeprefix(prefix)), cell)
        for part in entry.scores.metrics
        if part.startswith(prefix) and part.removeprefix(prefix).isdecimal()
        if (cell := entry.cell(metric.name, part)) is not None
    ]
    return tuple(sorted(found, key=lambda point: point[0]))


def _survival(entry: Entry, metrics: Mapping[str, MetricInfo], words: Words) -> TurnCurve | None:
    points = tuple(
        (t, cell)
        for t in range(1, 11)
        if f"S@{t}" in metrics and (cell := entry.cell(f"S@{t}")) is not None
    )
    if not any(cell.value is not None for _, cell in points):
        return None
    metric = metrics["S@1"] if "S@1" in metrics else metrics[f"S@{points[0][0]}"]
    line = Series(words("system.survival"), "dot", points)
    plot = curve([line], metric, words("system.survival_axis"), words("system.survival"))
    return TurnCurve(metric, (line,), plot)


def _part(
    name: str, entry: Entry, bench: Bench, metrics: Mapping[str, MetricInfo], words: Words
) -> SliceTable:
    slices = [part for part in entry.scores.metrics if part.startswith(f"{name}=")]
    shown = tuple(
        metric
        for metric in headlines(entry, metrics)
        if any(_value(entry, metric, part) is not None for part in slices)
    )
    rows = tuple(
        (
            _named(name, part.removeprefix(f"{name}="), bench, words),
            tuple(entry.cell(metric.name, part) or Cell(None) for metric in shown),
        )
        for part in sorted(slices, key=_by_number)
        if any(_value(entry, metric, part) is not None for metric in shown)
    )
    return SliceTable(name, shown, rows if shown else ())


def headlines(entry: Entry, metrics: Mapping[str, MetricInfo]) -> list[MetricInfo]:
    """What a reader looks at first, as far as the entry has a figure of it."""
    return [
        metrics[name]
        for name in TASK_HEADLINES
        if name in metrics and _value(entry, metrics[name], "all") is not None
    ]


def _value(entry: Entry, metric: MetricInfo, part: str) -> float | None:
    cell = entry.cell(metric.name, part)
    return None if cell is None else cell.value


def _by_number(part: str) -> tuple[int, str]:
    value = part.partition("=")[2]
    return (int(value) if value.isdecimal() else 0, value)


def _named(dimension: str, value: str, bench: Bench, words: Words) -> str:
    if dimension == "type":
        name = bench.type_names.get(value)
        return f"{value} · {name}" if name else value
    if dimension == "language":
        return {"en": "English", "zh": "中文"}.get(value, value)
    if dimension == "target" and value in ("new", "repeated"):
        return words(f"system.target_{value}")
    return value


def _declared(card: Card) -> list[tuple[str, str, bool]]:
    fields = msgspec.structs.asdict(card)
    return [
        (name.replace("_", " "), _text(value), name in LONG_FIELDS)
        for name, value in fields.items()
        if value is not None and name not in ELSEWHERE
    ]


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}: {inner}" for name, inner in value.items())
    return str(value)


def _command(entry: Entry) -> str:
    """What a reader types to see the figures again; of our baselines, to see the answers again."""
    if made_by_a_baseline(entry.card):
        return f"ivcr reproduce {visible(shlex.quote(entry.key), LONG)} --benchmark B --check"
    folder = visible(shlex.quote(f"B/{entry.key}" if entry.floor else entry.key), LONG)
    name = entry.scores.benchmark.split
    split = "" if name == "test" else f" --split {shlex.quote(name)}"
    return f"ivcr validate {folder} --benchmark B{split}\nivcr score {folder} --benchmark B{split}"
