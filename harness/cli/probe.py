"""ivcr probe: warnings for organizers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.options import F

if TYPE_CHECKING:
    from harness.probes.runs import Field


@click.group()
def probe() -> None:
    """Warn organizers of runs that look copied, and of answers that follow an order.

    A warning is no verdict: it names what is improbable among runs made apart, and docs/probes.md
    says how often honest runs meet one. Warnings exit with 0.
    """


def _about_submissions(command: F) -> F:
    """The argument and the options of a probe."""
    for decorate in (
        click.option(
            "--format",
            "form",
            type=click.Choice(["text", "json"]),
            default="text",
            show_default=True,
            help="For people or for programs.",
        ),
        click.option("--split", default="test", show_default=True, help="The split to look at."),
        click.option(
            "--benchmark",
            required=True,
            type=click.Path(path_type=Path),
            help="The benchmark, with its gold.",
        ),
        click.argument("submissions", type=click.Path(path_type=Path), metavar="SUBMISSIONS"),
    ):
        command = decorate(command)
    return command


@probe.command()
@_about_submissions
def copies(submissions: Path, benchmark: Path, split: str, form: str) -> None:
    """Name pairs of runs of different teams that agree in wrong answers.

    SUBMISSIONS holds <team>/<run>/. Compared are wrong first videos, wrong first moments and
    rankings behind rank 10, with what the other teams answer in the same turn; of those that others
    do not answer, more than half must be alike (Holm over all pairs). A warning is no verdict:
    systems that share a part agree in it.
    """
    from harness.probes import probe_copies
    from harness.probes.text_report import copies_lines

    report = probe_copies(_read(submissions, benchmark, split))
    _print(report, copies_lines(report), form)


@probe.command()
@_about_submissions
def leaks(submissions: Path, benchmark: Path, split: str, form: str) -> None:
    """Name runs whose answers follow the order of files, ids, durations or time stamps.

    SUBMISSIONS holds <team>/<run>/. The gold is tested first: an order that it follows is a
    property of the benchmark, which a system could use without reading a word. A run is named if it
    follows an order more than the gold does (Holm over all runs). A warning is no verdict.
    """
    from harness.probes import probe_leaks
    from harness.probes.text_report import leaks_lines

    report = probe_leaks(_read(submissions, benchmark, split))
    _print(report, leaks_lines(report), form)


def _read(submissions: Path, folder: Path, split: str) -> Field:
    from harness.benchmark import Benchmark
    from harness.cli.options import warn_of_hidden_labels
    from harness.probes import read_field

    benchmark = Benchmark(folder)
    warn_of_hidden_labels(benchmark)
    return read_field(submissions, benchmark, split)


def _print(report: Any, lines: Iterator[str], form: str) -> None:
    from harness.cli.submission import print_result
    from harness.files import readable

    if form == "json":
        print_result(readable(report).decode("utf-8"))
    else:
        print_result("".join(f"{line}\n" for line in lines))
