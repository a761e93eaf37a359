"""From a checked submission to scores.json: figures of every metric on every slice."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from harness import __version__
from harness.benchmark import Benchmark
from harness.errors import SubmissionError
from harness.files import readable, write
from harness.metrics import METRICS, Column, Metric
from harness.outcomes import Bools, Frame, Outcomes, outcomes
from harness.records import Card
from harness.slices import slices
from harness.statistics import Design, Interval, resampling_units
from harness.validation import Checked, check
from harness.validation.reading import MISSING

PROTOCOL = "ivcr"
SMALLEST_CELL = 30  # turns; smaller cells are withheld where labels are hidden
Cell = dict[str, Any]


class Scored(NamedTuple):
    """What scoring a submission gives: the document of scores.json, and the columns behind it."""

    document: dict[str, Any]
    columns: dict[str, Column]


def score(
    folder: Path, benchmark: Benchmark, split: str = "test", *, partial: bool = False
) -> Scored:
    """Validate and score the submission in `folder`.

    `partial`: missing turns count as abstentions instead of being refused. Raises SubmissionError
    with the first problem if the submission is not valid.
    """
    checked = check(folder, benchmark.checked(), split, keep=True)
    card, sha256 = _accepted(folder, checked, partial)
    public, gold = benchmark.split(split), benchmark.gold(split)
    sources = {name: video.source for name, video in benchmark.videos.items()}
    found = outcomes(public, gold, checked.predictions, sources)
    design = design_of(found.frame)
    columns = {name: metric.column(found) for name, metric in METRICS.items()}
    hidden = benchmark.header.labels == "hidden"
    missing = sum(given is None for given in checked.predictions)
    document = {
        "schema": 1,
        "signature": signature(benchmark, split, card, design, missing),
        "protocol": PROTOCOL,
        "benchmark": {
            "name": benchmark.header.name,
            "version": benchmark.header.version,
            "fingerprint": benchmark.header.fingerprint,
            "gold_sha256": benchmark.header.gold_sha256[split],
            "split": split,
        },
        "submission": {
            "team": card.team,
            "system": card.system,
            "history": card.history,
            "candidates": card.candidates,
            "sha256": sha256,
        },
        "metrics": figures(found, columns, design, hidden=hidden),
    }
    return Scored(document, columns)


def design_of(frame: Frame) -> Design:
    """The units and clusters of a split's turns (see harness.statistics)."""
    unit = resampling_units(frame.dialogue, frame.type)
    return Design.of(unit, frame.video, frame.retrieval)


def signature(benchmark: Benchmark, split: str, card: Card, design: Design, missing: int) -> str:
    """All that a figure depends on, in one line."""
    header = benchmark.header
    parts = [
        PROTOCOL,
        f"v:{__version__}",
        f"bench:{header.name}-{header.version}@{header.fingerprint[:6]}",
        f"split:{split}",
        f"hist:{card.history}",
        f"cand:{card.candidates}",
        design.line(),
        f"numpy:{'.'.join(np.__version__.split('.')[:2])}",
    ]
    return "|".join(parts + ([f"partial:{missing}"] if missing else []))


def figures(
    found: Outcomes, columns: dict[str, Column], design: Design, *, hidden: bool
) -> dict[str, dict[str, Cell]]:
    """By slice and metric: value, low, high, turns, dialogues; or value null and why.

    `hidden`: cells of fewer than 30 turns are withheld.
    """
    return {
        name: _slice(found.frame, columns, turns, design, hidden)
        for name, turns in slices(found.frame).items()
    }


def _slice(
    frame: Frame, columns: dict[str, Column], turns: Bools, design: Design, hidden: bool
) -> dict[str, Cell]:
    counted = {name: column.counted & turns for name, column in columns.items()}
    means = [name for name in columns if METRICS[name].average == "mean"]
    numerators = np.array([np.where(counted[name], columns[name].values, 0.0) for name in means])
    denominators = np.array([counted[name] for name in means], dtype=np.float64)
    bounds = design.ratios(numerators, denominators)
    found = {name: Interval(*row) for name, row in zip(means, np.transpose(bounds), strict=True)}
    for name in columns.keys() - set(means):
        found[name] = design.median(columns[name].values, counted[name])
    return {
        name: _cell(METRICS[name], column, counted[name], found[name], frame, hidden)
        for name, column in columns.items()
    }


def _cell(
    metric: Metric, column: Column, counted: Bools, interval: Interval, frame: Frame, hidden: bool
) -> Cell:
    turns = int(counted.sum())
    sizes = {"turns": turns, "dialogues": len(np.unique(frame.dialogue[counted]))}
    if why := _undefined(metric, column, turns, interval, hidden):
        return {"value": None, "why": why, **sizes}
    value, low, high = (_rounded(bound) for bound in interval)
    return {"value": value, "low": low, "high": high, **sizes}


def _undefined(
    metric: Metric, column: Column, turns: int, interval: Interval, hidden: bool
) -> str | None:
    if column.why is not None:
        return column.why
    if not turns:
        return f"no {metric.over} here"
    if hidden and turns < SMALLEST_CELL:
        return f"fewer than {SMALLEST_CELL} turns, and labels are hidden"
    if interval.value is None:
        return "past 100"
    return None


def _rounded(value: float | None) -> float | None:
    """Ten significant digits; None for an undefined bound."""
    return None if value is None or np.isnan(value) else float(f"{value:.10g}")


def _accepted(folder: Path, checked: Checked, partial: bool) -> tuple[Card, str]:
    report, card, sha256 = checked.report, checked.card, checked.sha256
    if card is not None and card.kind == "reported":
        raise SubmissionError(
            f"{folder}: a reported card carries typed figures; there are no predictions to score"
        )
    errors = [problem for problem in report.problems if problem.severity == "error"]
    if partial:
        errors = [problem for problem in errors if problem.code != MISSING]
    if errors or card is None or sha256 is None:
        first = errors[0].message if errors else "no card"
        raise SubmissionError(
            f"{folder}: not valid, so not scored ({report.errors:,} problems, the first: {first});"
            " `ivcr validate` lists them all"
        )
    return card, sha256


def write_scores(scored: Scored, out: Path) -> None:
    """Write scores.json, whole or not at all."""
    write(out, readable(scored.document))


def write_outcomes(scored: Scored, out: Path) -> None:
    """Write the columns that paired tests need, whole or not at all.

    npz without objects: `metrics` (m,) names; `values` and `counted`, (m, turns); and what they
    belong to: `fingerprint`, `gold_sha256`, `split`, `sha256`.
    """
    document, names = scored.document, list(scored.columns)
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        metrics=np.array(names),
        values=np.array([scored.columns[name].values for name in names]),
        counted=np.array([scored.columns[name].counted for name in names]),
        fingerprint=np.array(document["benchmark"]["fingerprint"]),
        gold_sha256=np.array(document["benchmark"]["gold_sha256"]),
        split=np.array(document["benchmark"]["split"]),
        sha256=np.array(document["submission"]["sha256"]),
    )
    write(out, stream.getvalue())
