"""ivcr score and ivcr metrics."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from harness.benchmark import Benchmark

HEADLINES = ("R@1", "R@10", "MRR", "C-R@1", "ahead_of_foil", "R@1,IoU>=0.5", "mIoU")


@click.command()
@click.argument("submission", type=click.Path(path_type=Path), metavar="SUB")
@click.option("--benchmark", required=True, type=click.Path(path_type=Path), help="The benchmark.")
@click.option("--split", default="test", show_default=True, help="The split to score.")
@click.option(
    "--protocol",
    type=click.Choice(["ivcr", "official"]),
    default="ivcr",
    show_default=True,
    help="Ours, or the published scorer, defect for defect.",
)
@click.option("--out", type=click.Path(path_type=Path), help="By default SUB/scores.json.")
@click.option(
    "--outcomes",
    type=click.Path(path_type=Path),
    help="Where per-turn outcomes go; by default beside the scores, if labels are public.",
)
@click.option("--partial", is_flag=True, help="Count missing turns as abstentions.")
def score(
    submission: Path,
    benchmark: Path,
    split: str,
    protocol: str,
    out: Path | None,
    outcomes: Path | None,
    partial: bool,
) -> None:
    """Score a submission: every metric on every slice, with intervals.

    The headline figures are printed; all of them go to scores.json.
    """
    from harness.benchmark import Benchmark

    document, target = score_one(
        submission, Benchmark(benchmark), split, out=out, outcomes=outcomes, partial=partial
    )
    for line in summary(document):
        click.echo(line)
    click.echo(f"all figures: {target}")


def score_one(
    submission: Path,
    benchmark: Benchmark,
    split: str,
    *,
    out: Path | None = None,
    outcomes: Path | None = None,
    partial: bool = False,
) -> tuple[dict[str, Any], Path]:
    """Score one submission; write scores, and outcomes where labels are public or a place is named.

    Returns the document of scores.json and where it lies.
    """
    from harness import scoring

    scored = scoring.score(submission, benchmark, split, partial=partial)
    target = out or submission / "scores.json"
    if outcomes is None and benchmark.header.labels == "public":
        outcomes = target.with_suffix(".outcomes.npz")
    scoring.write_scores(scored, target)
    if outcomes is not None:
        scoring.write_outcomes(scored, outcomes)
    return scored.document, target


def summary(document: dict[str, Any]) -> list[str]:
    """The headline figures of a scores document, one a line, and the signature."""
    figures = document["metrics"]["all"]
    lines = [f"{document['signature']}"]
    for name in HEADLINES:
        cell = figures[name]
        if cell["value"] is None:
            lines.append(f"{name:<14}       —  {cell['why']}")
        else:
            lines.append(f"{name:<14} {100 * cell['value']:7.2f}  {_interval(cell)}")
    return lines


def _interval(cell: dict[str, Any]) -> str:
    sizes = f"{cell['turns']:,} turns, {cell['dialogues']:,} dialogues"
    if cell["low"] is None:
        return f"no interval; {sizes}"
    return f"[{100 * cell['low']:.2f}, {100 * cell['high']:.2f}]; {sizes}"


@click.command()
def metrics() -> None:
    """List the metrics: formula, unit, range, what an abstention scores, source."""
    from harness.metrics import METRICS

    for metric in METRICS.values():
        click.echo(f"{metric.name}: {metric.formula}")
        click.echo(
            f"    over {metric.over}; {metric.unit}, {metric.low:g} to {metric.high:g}, "
            f"{metric.better} is better; an abstention scores {metric.abstention:g}; "
            f"{metric.average}; {metric.source}"
        )
