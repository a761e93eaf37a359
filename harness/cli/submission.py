"""ivcr validate and ivcr submission."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from harness.validation import Report


@click.command()
@click.argument("submission", type=click.Path(path_type=Path), metavar="SUB")
@click.option("--benchmark", required=True, type=click.Path(path_type=Path), help="The benchmark.")
@click.option("--split", default="test", show_default=True, help="The split to check against.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="A report for people or for programs.",
)
def validate(submission: Path, benchmark: Path, split: str, form: str) -> None:
    """Check a submission: every problem of every kind, without looking at gold.

    Exits with 0 if it is valid (warnings alone are no hindrance), with 1 if it is not.
    """
    from harness.benchmark import Benchmark
    from harness.files import readable
    from harness.validation import check

    report = check(submission, Benchmark(benchmark).checked(), split, keep=False).report
    if form == "json":
        printed(readable(report).decode("utf-8"))
    else:
        again = f"{shlex.quote(str(submission))} --benchmark {shlex.quote(str(benchmark))}"
        printed("".join(f"{line}\n" for line in text_lines(report, again)))
    sys.exit(0 if report.valid else 1)


def text_lines(report: Report, arguments: str) -> list[str]:
    """The report for people: errors, then warnings, by kind; the last line says what to do next."""
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
    if report.valid:
        lines.append(f"valid; next: ivcr score {arguments}")
    else:
        lines.append(f"not valid; mend the errors above, then: ivcr validate {arguments}")
    return lines


def printed(text: str) -> None:
    """Write a result to standard output at once. Raises EnvironmentFailure if it cannot be."""
    from harness.errors import EnvironmentFailure

    try:
        click.echo(text, nl=False)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise EnvironmentFailure(f"standard output: cannot be written: {error.strerror}") from error


@click.group()
def submission() -> None:
    """Start a submission, look into one, or make one from another format."""
