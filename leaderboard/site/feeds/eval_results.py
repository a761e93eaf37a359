"""A run as `.eval_results/*.yaml` of model repositories on the Hugging Face Hub has it.

The format names data set and task, a value and notes; the model is the repository in which the file
lies. It wants the data set's id on the Hub, which a benchmark has only if its own address is there:
elsewhere the benchmark's name stands in its place. Time and source are left out: a build knows no
clock and no address of the board.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal

from harness.publication.escaping import visible
from leaderboard.board.formatting import exact
from leaderboard.board.records import Cell, Entry
from leaderboard.results.description import Bench, MetricInfo
from leaderboard.site.feeds.headline_figures import headline_figures
from leaderboard.tables.tracks import Track

HUB = re.compile(r"https://huggingface\.co/datasets/([\w.-]+/[\w.-]+)/?", re.ASCII)


def hub_dataset(bench: Bench) -> str | None:
    """The id of the benchmark's data set on the Hub, None where its address is not there."""
    found = HUB.fullmatch(bench.url)
    return found[1] if found else None


def eval_results(entry: Entry, bench: Bench, metrics: Mapping[str, MetricInfo]) -> bytes:
    """One item for each track in which the run has a headline figure; no text of its makers."""
    items = [
        _item(entry, bench, track, metric, cell)
        for track, metric, cell in headline_figures(entry, metrics)
    ]
    return ("".join(items) or "[]\n").encode()


def _item(entry: Entry, bench: Bench, track: Track, metric: MetricInfo, cell: Cell) -> str:
    card = entry.card
    name = f"{bench.split}-{track.name}-{card.history}-{card.candidates}"
    return (
        "- dataset:\n"
        f"    id: {_quoted(hub_dataset(bench) or bench.name)}\n"
        f"    task_id: {_quoted(name)}\n"
        f"  value: {plain_number(cell.value or 0.0)}\n"
        f"  notes: {_quoted(_notes(entry, bench, metric, cell))}\n"
    )


def _notes(entry: Entry, bench: Bench, metric: MetricInfo, cell: Cell) -> str:
    interval = ""
    if cell.low is not None and cell.high is not None:
        interval = f", 95 % interval {exact(cell.low)} to {exact(cell.high)}"
    return (
        f"{metric.name} in {metric.unit}, {metric.better} is better{interval}; history"
        f" {entry.card.history}, candidates {entry.card.candidates}; benchmark"
        f" {bench.fingerprint[:12]}; submission {entry.scores.submission.sha256[:12]};"
        " computed by the board's organizers from predictions"
    )


def plain_number(value: float) -> str:
    """A number that every YAML reads as one: ten digits, a point, no exponent."""
    text = format(Decimal(exact(value)), "f")
    return text if "." in text else f"{text}.0"


def _quoted(text: str) -> str:
    """A double-quoted scalar; what `visible` leaves needs no escape but of quotes."""
    return json.dumps(visible(text, 1000), ensure_ascii=False)
