"""A run in the form of Every Eval Ever, the EvalEval coalition's schema of evaluation records.

What the form wants and a build does not know is said to be unknown: when the record was retrieved
(a build reads no clock), who runs the model, whether its weights are open. The model's id is the
key of the run on this board; an id on a hub is not known.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from leaderboard.board.formatting import label
from leaderboard.board.records import Cell, Entry
from leaderboard.results.description import Bench, MetricInfo
from leaderboard.site.feeds.eval_results import hub_dataset
from leaderboard.tables.tracks import TRACKS, Track

VERSION = "0.3.0"  # of the schema (eval.schema.json of the package every-eval-ever)
UNKNOWN = "unknown"


def every_eval_record(
    entry: Entry, bench: Bench, metrics: Mapping[str, MetricInfo], organizers: str
) -> dict[str, Any]:
    """The record of a run: every defined figure of the tables that it may stand in.

    `organizers`: who runs the board, "" where nobody is named.
    """
    name = f"{bench.name}-{bench.split}/{entry.key}/{entry.scores.submission.sha256[:12]}"
    return {
        "schema_version": VERSION,
        "evaluation_id": name,
        "retrieved_timestamp": UNKNOWN,
        "source_metadata": {
            "source_name": f"{bench.name} {bench.split} leaderboard",
            "source_type": "documentation",
            "source_organization_name": organizers or UNKNOWN,
            "evaluator_relationship": "first_party" if entry.own else "third_party",
        },
        "eval_library": {
            "name": "ivcr-harness",
            "version": _version(entry.scores.signature),
            "additional_details": {"signature": entry.scores.signature},
        },
        "model_info": _model(entry),
        "evaluation_results": [
            _result(name, bench, track, metrics[metric], cell)
            for track, metric, cell in _figures(entry, metrics)
        ],
    }


def _version(signature: str) -> str:
    """The version of the harness, out of a signature `ivcr|v:0.3.0|...`."""
    found = [part.removeprefix("v:") for part in signature.split("|") if part.startswith("v:")]
    return found[0] if found else UNKNOWN


def _model(entry: Entry) -> dict[str, Any]:
    card = entry.card
    details = {
        "deployment_type": UNKNOWN,
        "model_availability": UNKNOWN,
        "history": card.history,
        "candidates": card.candidates,
        "submission_sha256": entry.scores.submission.sha256,
    }
    for name in ("variant", "annotations", "parameters", "seed"):
        if (value := getattr(card, name)) is not None:
            details[name] = str(value)
    return {
        "name": card.system,
        "id": entry.key,
        "developer": card.team,
        "additional_details": details,
    }


def _figures(entry: Entry, metrics: Mapping[str, MetricInfo]) -> Iterator[tuple[Track, str, Cell]]:
    for track in TRACKS:
        if entry.card.history in track.histories:
            for name in track.metrics:
                cell = entry.cell(name, track.part)
                if name in metrics and cell is not None and cell.value is not None:
                    yield track, name, cell


def _result(
    name: str, bench: Bench, track: Track, metric: MetricInfo, cell: Cell
) -> dict[str, Any]:
    return {
        "evaluation_result_id": f"{name}/{track.name}/{metric.name}",
        "evaluation_name": f"{bench.name} {bench.split}: {track.name}",
        "source_data": _source(bench),
        "metric_config": {
            "evaluation_description": f"{metric.formula}; over {metric.over}",
            "metric_id": f"ivcr.{metric.name}",
            "metric_name": label(metric.name),
            "metric_unit": "proportion" if metric.unit == "share" else metric.unit,
            "lower_is_better": metric.better == "lower",
            "score_type": "continuous",
            "min_score": _bound(metric.low),
            "max_score": _bound(metric.high),
        },
        "score_details": _score(cell),
    }


def _source(bench: Bench) -> dict[str, Any]:
    details = {"version": bench.version, "split": bench.split, "fingerprint": bench.fingerprint}
    source: dict[str, Any] = {"dataset_name": bench.name, "additional_details": details}
    if hub := hub_dataset(bench):
        return source | {"source_type": "hf_dataset", "hf_repo": hub, "hf_split": bench.split}
    if bench.url:
        return source | {"source_type": "url", "url": [bench.url]}
    return source | {"source_type": "other"}


def _bound(value: float) -> float | str:
    """An end of a metric's range; JSON has no infinity."""
    return value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"


def _score(cell: Cell) -> dict[str, Any]:
    sizes = {
        name: str(size)
        for name in ("turns", "dialogues")
        if (size := getattr(cell, name)) is not None
    }
    score: dict[str, Any] = {"score": cell.value, "details": sizes}
    if cell.low is not None and cell.high is not None:
        score["uncertainty"] = {
            "confidence_interval": {
                "lower": cell.low,
                "upper": cell.high,
                "confidence_level": 0.95,
                "method": "cluster-robust over dialogues and gold videos",
            }
        }
    return score
