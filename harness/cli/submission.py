"""ivcr validate and ivcr submission."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import ListingCommand, processes_option

if TYPE_CHECKING:
    from harness.benchmark import Benchmark
    from harness.validation import Report
    from harness.validation.bulk import CheckedSubmission


@click.command()
@click.argument(
    "submissions", type=click.Path(path_type=Path), metavar="SUB...", nargs=-1, required=True
)
@click.option("--benchmark", required=True, type=click.Path(path_type=Path), help="The benchmark.")
@click.option("--split", default="test", show_default=True, help="The split to check against.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="A report for people or for programs; of several SUB a list, each with `submission`.",
)
@processes_option
def validate(
    submissions: tuple[Path, ...], benchmark: Path, split: str, form: str, processes: int | None
) -> None:
    """Check submissions: every problem of every kind, without looking at gold.

    Exits with 0 if all are valid (they may have warnings), with 1 if one is not.
    """
    from msgspec.structs import asdict

    from harness.benchmark import Benchmark
    from harness.cli.options import these_submissions
    from harness.cli.progress import counted
    from harness.files import readable
    from harness.validation.bulk import check_each

    where = Benchmark(benchmark)
    one = len(submissions) == 1
    folders = these_submissions(submissions)
    found = counted(
        check_each(folders, benchmark, split, processes=processes),
        "validating", "submissions", len(folders),
    )  # fmt: skip
    if form == "json":
        checked = list(found)
        document = [{"submission": _text(each.folder), **asdict(each.report)} for each in checked]
        text = readable(checked[0].report if one else document).decode("utf-8")
        print_result(text)
    elif one:
        checked = [_print_block(each, where, split) for each in found]
    else:
        checked = [_print_named(each, where, split) for each in found]
        print_result(_totals([each.report for each in checked]))
    sys.exit(0 if all(each.report.valid for each in checked) else 1)


def _text(path: Path) -> str:
    """A path as text: bytes of it that are no UTF-8 stand as escapes."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def _print_named(checked: CheckedSubmission, benchmark: Benchmark, split: str) -> CheckedSubmission:
    from harness.cli.options import shown_path

    print_result(f"{shown_path(checked.folder)}:\n")
    _print_block(checked, benchmark, split)
    print_result("\n")
    return checked


def _print_block(checked: CheckedSubmission, benchmark: Benchmark, split: str) -> CheckedSubmission:
    lines = [*text_lines(checked.report), _next_step(checked, benchmark, split)]
    print_result("".join(f"{line}\n" for line in lines))
    return checked


def _totals(reports: Sequence[Report]) -> str:
    valid = sum(report.valid for report in reports)
    errors, warnings = (
        sum(getattr(report, kind) for report in reports) for kind in ("errors", "warnings")
    )
    return (
        f"{len(reports):,} submissions: {valid:,} valid, {len(reports) - valid:,} not; "
        f"{errors:,} errors, {warnings:,} warnings\n"
    )


def text_lines(report: Report) -> list[str]:
    """The report for people: errors, then warnings, by kind, then the counts."""
    lines: list[str] = []
    for severity, mark in (("error", ""), ("warning", "warning: ")):
        for code in dict.fromkeys(p.code for p in report.problems if p.severity == severity):
            problems = [problem for problem in report.problems if problem.code == code]
            lines += [mark + problem.message for problem in problems]
            if more := report.totals[code] - len(problems):
                lines.append(f"{mark}... and {more:,} more of this kind [{code}]")
    lines.append(
        f"{report.answered:,} turns answered, {report.abstentions:,} of them by an abstention; "
        f"{report.errors:,} errors, {report.warnings:,} warnings"
    )
    return lines


def _next_step(checked: CheckedSubmission, benchmark: Benchmark, split: str) -> str:
    arguments = f"{shlex.quote(str(checked.folder))} {benchmark.options(split)}"
    if not checked.report.valid:
        return f"not valid; fix the errors above, then: ivcr validate {arguments}"
    if checked.kind == "reported":
        return "valid; a reported card has no predictions to score: the board shows it unranked"
    if not benchmark.has_gold(split):
        return f"valid; the labels of split {split} are not here: who has them can score it"
    return f"valid; next: ivcr score {arguments}"


def print_result(text: str) -> None:
    """Write to standard output without delay. Raises EnvironmentFailure if it cannot be done."""
    from harness.errors import unwritable

    try:
        click.echo(text, nl=False)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise unwritable("standard output", error) from error


@click.group()
def submission() -> None:
    """Start a submission, show its contents, or make one from another format."""


@submission.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--benchmark", required=True, type=click.Path(path_type=Path), help="The benchmark.")
@click.option("--split", default="test", show_default=True, help="The split of the examples.")
def init(folder: Path, benchmark: Path, split: str) -> None:
    """Start a submission: a card to fill in and three example lines.

    The card is valid; the lines answer turns of the benchmark.
    """
    from harness.benchmark import Benchmark
    from harness.submission import CARD, EXAMPLE, start

    where = Benchmark(benchmark)
    start(folder, where, split)
    arguments = f"{shlex.quote(str(folder))} {where.options(split)}"
    print_result(
        f"{folder}: wrote {CARD} and {EXAMPLE}; fill in the card, write one line a turn to "
        f"predictions.jsonl, then: ivcr validate {arguments}\n"
    )


@submission.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="SUB")
def info(folder: Path) -> None:
    """Show a submission's card, sizes, counts and SHA-256, for any benchmark."""
    from harness.files import shown
    from harness.validation.inspection import summarise

    summary = summarise(folder)
    for key, value in summary.card.items():
        print_result(f"{key:>16}  {shown(value, 400)[1:-1]}\n")
    for key, number in summary.counts.items():
        print_result(f"{key:>16}  {number:,}\n")
    if summary.sha256 is not None:
        print_result(f"{'SHA-256':>16}  {summary.sha256}\n")
    for problem in summary.problems:
        print_result(f"{problem}\n")
    sys.exit(1 if summary.errors else 0)


def _formats() -> Mapping[str, str]:
    from harness.formats import FORMATS

    return FORMATS


@submission.command(cls=ListingCommand, heading="Formats", rows=_formats)
@click.argument("form", metavar="FORMAT")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--benchmark", required=True, type=click.Path(path_type=Path), help="The benchmark.")
@click.option("--split", default="test", show_default=True, help="The split that FILE answers.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The submission.")
@click.option(
    "--order",
    type=click.Choice(["score", "rank"]),
    default="score",
    show_default=True,
    help="What orders the rankings of a TREC run.",
)
def convert(form: str, file: Path, benchmark: Path, split: str, out: Path, order: str) -> None:
    """Convert a file of another tool to a submission.

    Reports what was dropped. A card in the folder is kept; else a card to fill in is written.
    Exits with 1, and writes nothing, if no turn is answered.
    """
    from harness.benchmark import Benchmark
    from harness.formats import converter_named
    from harness.formats.conversion import answered
    from harness.submission import write
    from harness.validation.inspection import card_of

    converter = converter_named(form, by_rank=order == "rank")
    card = card_of(out) or converter.card
    where = Benchmark(benchmark)
    conversion = converter.convert(file, where, split)
    for line in conversion.report.lines():
        print_result(f"{line}\n")
    turns = len(conversion.predictions)
    number = answered(where.split(split), conversion.predictions)
    _require_answers(number, turns, file, split)
    write(out, card, conversion.predictions)
    print_result(
        f"{out}: {number:,} of {turns:,} turns answered; next: "
        f"ivcr validate {shlex.quote(str(out))} {where.options(split)}\n"
    )


def _require_answers(number: int, turns: int, file: Path, split: str) -> None:
    from harness.errors import SubmissionError

    if turns and not number:
        raise SubmissionError(
            f"{file}: 0 turns answered of the {turns:,} of split {split}, so nothing was written; "
            "the lines above say what was dropped"
        )
