"""ivcr score and ivcr metrics."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.benchmark import Benchmark
    from harness.scoring import Floor


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
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="By default SUB/scores.json; SUB/scores.official.json for protocol official.",
)
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

    The headline figures are printed beside the best floor of the same kind; all figures go to
    scores.json. Protocol official also takes a result.json (plain or .gz) as SUB, with --out.
    """
    from harness.benchmark import Benchmark
    from harness.cli.options import warn_of_hidden_labels
    from harness.scoring import best_floors, score_to_files

    where = Benchmark(benchmark)
    if protocol == "official":
        _refuse_options_of_ivcr(outcomes, partial)
        for line in _score_officially(submission, where, split, out):
            click.echo(line)
        warn_of_hidden_labels(where)
        return
    document, target = score_to_files(
        submission, where, split, out=out, outcomes=outcomes, partial=partial
    )
    warn_of_hidden_labels(where)
    floors = best_floors(benchmark / "floors", document)
    for line in summary(document, floors):
        click.echo(line)
    click.echo(f"all figures: {target}")
    if not floors:
        click.echo(no_floors(document, where), err=True)


def _refuse_options_of_ivcr(outcomes: Path | None, partial: bool) -> None:
    from harness.errors import WrongUsageError

    if outcomes is not None or partial:
        raise WrongUsageError(
            "--outcomes and --partial belong to protocol ivcr; leave them out, or leave "
            "`--protocol official` out"
        )


def _score_officially(
    submission: Path, benchmark: Benchmark, split: str, out: Path | None
) -> list[str]:
    """Score a result file or a submission by the published scorer; the figures as lines of text."""
    from harness.errors import WrongUsageError
    from harness.files import readable, require_apart, write
    from harness.protocols.result_file import require_result
    from harness.protocols.scores import score_result
    from harness.submission import CARD, PREDICTIONS

    if not submission.is_dir():
        require_result(submission)
    if out is None and submission.is_file():
        raise WrongUsageError(f"{submission}: is a result file; name the scores' place with --out")
    target = submission / "scores.official.json" if out is None else out
    inputs = [submission, *(submission / name for name in (CARD, *PREDICTIONS))]
    require_apart([target], [*inputs, *benchmark.files(split)])
    document = score_result(submission, benchmark, split)
    write(target, readable(document))
    lines = [document["signature"]]
    for name, cell in document["metrics"]["all"].items():
        figure = (
            f"     —  {cell['why']}" if cell["value"] is None else f"{100 * cell['value']:8.4f}"
        )
        lines.append(f"{name:<14} {figure}  {cell['turns']:,} turns")
    return [*lines, f"all figures: {target}"]


def summary(document: dict[str, Any], floors: Mapping[str, Floor] | None = None) -> list[str]:
    """The headline figures of a scores document, one a line, and the signature.

    `floors`: by metric, the best floor of the same kind, shown beside its figure.
    """
    from harness.publication.headlines import HEADLINES

    figures = document["metrics"]["all"]
    lines = [f"{document['signature']}"]
    for name in HEADLINES:
        cell = figures[name]
        if cell["value"] is None:
            lines.append(f"{name:<14}       —  {cell['why']}")
        else:
            floor = _floor((floors or {}).get(name))
            lines.append(f"{name:<14} {100 * cell['value']:7.2f}  {_interval(cell)}{floor}")
    return lines


def no_floors(document: dict[str, Any], benchmark: Benchmark) -> str:
    """The message where a benchmark has no floor of a document's kind."""
    kind, split = document["submission"], document["benchmark"]["split"]
    floors = benchmark.folder / "floors"
    step = f"`ivcr baseline run --floors {benchmark.options(split)}` makes them"
    if kind["history"] == "reference" and benchmark.reference(split) is None:
        step = "with hidden reference answers none can be made"
    elif floors.is_dir():
        step += " in place of those that are there"
    return (
        f"no floor to compare these figures with: {floors} has no scores for split {split}, history"
        f" {kind['history']}, candidates {kind['candidates']}; {step}"
    )


def _floor(floor: Floor | None) -> str:
    return "" if floor is None else f"; best floor: {100 * floor.value:.2f} ({floor.name})"


def _interval(cell: dict[str, Any]) -> str:
    sizes = f"{cell['turns']:,} turns, {cell['dialogues']:,} dialogues"
    if cell["low"] is None:
        return f"no interval; {sizes}"
    return f"[{100 * cell['low']:.2f}, {100 * cell['high']:.2f}]; {sizes}"


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown"]),
    default="text",
    show_default=True,
    help="For a terminal, or as the documentation page.",
)
def metrics(form: str) -> None:
    """List the metrics: formula, unit, range, what an abstention scores, source."""
    from harness.metrics.page import listing, page

    click.echo(page() if form == "markdown" else listing(), nl=form == "text")
