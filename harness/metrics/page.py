"""The METRICS table as text: for a terminal, and as the page docs/metrics.md."""

from __future__ import annotations

from harness.metrics.metric import Metric
from harness.metrics.table import METRICS
from harness.records import ABSENT_RANK
from harness.slices import Scope

HEADINGS: dict[Scope, tuple[str, str]] = {
    "turn": (
        "Turns",
        "Given on every slice. `turns` and `dialogues` in scores.json count the turns of the column"
        " *over* and the dialogues that they are in.",
    ),
    "dialogue": (
        "Dialogues",
        "Given in `all`, `type=`, `length=`, and in `language=` for dialogues of one language. A"
        " video turn is right if the gold video is first in `videos`, a moment turn if its first"
        " moment has IoU >= 0.5; an abstention is wrong; chat turns neither fail nor count; type 7,"
        " whose turns are independent, is left out. For `success` and `turns_right` each dialogue"
        " counts once: it is divided evenly among its retrieval turns, so a figure on part of its"
        " turns takes that part of it. `turns` counts the retrieval turns that the"
        " figure rests on: all of those dialogues for `success` and `turns_right`; those up to"
        " the dialogue's first failure, of the first t, for `S@t` and `RMST@7`; the later turn of"
        " each pair for `P(...)` and `dependence`.",
    ),
    "segment": (
        "Segments",
        "Given on the same slices. A segment is a maximal run of at least two video turns that"
        " follow one another in a dialogue (any other turn ends it) with one target; dialogues of"
        " type 7 have none, as their turns are independent. `turns` counts"
        " the segments, by their last turn (in `segment_turn=t`: the segments of at least t turns)."
        " Null with `reference` history: the history shows the target.",
    ),
}
INTRODUCTION = """# Metrics

Made of the METRICS table by `ivcr metrics --format markdown`. Figures are fractions in [0, 1]
unless a unit says otherwise. An empty list is an abstention; a missing turn is an error, never an
abstention. An undefined figure is null with its reason, never 0.
"""

SLICES = {
    "`all`": "everything that the metric is over",
    "`turn=N`": "the turns at place N of their dialogue",
    "`type=N`": "dialogues of that code: 0 is chat without retrieval, 1 to 6 are kinds of"
    " search that the data does not name, 7 is independent turns joined into one dialogue",
    "`language=en`, `language=zh`": "turns in English, turns in Chinese",
    "`source=NAME`": "turns whose gold video is from that collection, which stands before the first"
    " slash of its id",
    "`length=N`": "dialogues of N turns, chat turns included",
    "`target=new`, `target=repeated`": "turns whose gold video is new in the dialogue, or"
    " is the gold video of an earlier turn",
    "`tag=NAME`": "turns that the data gives that label",
    "`cohort4:turn=N`": "`turn=N` of dialogues of at least 4 turns, so that the dialogues are"
    " the same for N up to 4",
    "`segment_turn=N`": "turn N of the segments that have so many",
}


def listing() -> str:
    """All metrics as plain text: two lines each."""
    return "\n".join(
        f"{metric.name}: {metric.formula}\n"
        f"    over {metric.over}; {metric.unit}, {metric.low:.4g} to {metric.high:.4g}, "
        f"{metric.better} is better; {_abstention(metric)}; {metric.average}; {metric.source}"
        for metric in METRICS.values()
    )


def page() -> str:
    """All metrics as a page of Markdown, a table for each of HEADINGS."""
    parts = [INTRODUCTION, _slices()]
    for scope, (heading, text) in HEADINGS.items():
        rows = [row for row in METRICS.values() if row.scope.startswith(scope)]
        parts.append(f"\n## {heading}\n\n{text}\n\n{_table(rows)}")
    return "".join(parts)


def _slices() -> str:
    """What the slices hold, one a line."""
    lines = (f"- {name}: {text}.\n" for name, text in SLICES.items())
    return (
        "\n## Slices and dialogue types\n\n"
        "A slice is the part of the turns, or of the dialogues, that a figure is over.\n\n"
        f"{''.join(lines)}\n"
        "The **foil** of a turn is the video that is most easily taken for the gold one.\n"
    )


def _table(rows: list[Metric]) -> str:
    head = "| metric | formula | over | unit | range | better | an abstention | source |\n"
    lines = (
        f"| `{_cell(row.name)}` | {_cell(row.formula)} | {row.over} | {row.unit} "
        f"| {row.low:.4g} to {row.high:.4g} | {row.better} | {_abstention(row)} "
        f"| {_cell(row.source)} |\n"
        for row in rows
    )
    return head + "|---" * 8 + "|\n" + "".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _abstention(metric: Metric) -> str:
    if metric.scope == "dialogue":
        return "counts as wrong"
    if metric.scope == "turn":
        return f"scores {metric.abstention:.4g}"
    return f"has rank {ABSENT_RANK}: {metric.abstention:.4g} for all of a segment"
