"""ivcr pr: check a change of the submissions, and write the comment on it."""

from __future__ import annotations

from pathlib import Path

import click

_FILE = click.Path(path_type=Path)


@click.group()
def pr() -> None:
    """Check pull requests that bring submissions, without running or scoring anything of them."""


@pr.command()
@click.argument("base", metavar="BASE")
@click.argument("head", metavar="HEAD")
@click.option(
    "--benchmark", required=True, type=_FILE, help="The benchmark; its labels are not read."
)
@click.option(
    "--repository", type=_FILE, help="A Git repository, of which BASE and HEAD are revisions."
)
@click.option("--split", default="test", show_default=True, help="The split that runs answer.")
@click.option(
    "--submissions-path",
    default="submissions",
    show_default=True,
    metavar="PATH",
    help="Where the submissions are in both trees.",
)
@click.option("--author", metavar="ACCOUNT", help="Who sends the change: `accounts` of team.toml.")
@click.option("--team", metavar="TEAM", help="The one folder that may change; asks no accounts.")
@click.option("--number", type=click.IntRange(1, 10**9), help="The number of the pull request.")
@click.option("--out", type=_FILE, help="A folder for pr_check.json and comment.md.")
@click.option("--json", "json_file", type=_FILE, help="Where the report goes.")
@click.option("--comment", "comment_file", type=_FILE, help="Where the comment goes.")
@click.option("--runs", type=_FILE, help="Where the runs of an accepted change go, to be scored.")
def check(
    base: str,
    head: str,
    benchmark: Path,
    repository: Path | None,
    split: str,
    submissions_path: str,
    author: str | None,
    team: str | None,
    number: int | None,
    out: Path | None,
    json_file: Path | None,
    comment_file: Path | None,
    runs: Path | None,
) -> None:
    """Check what leads from BASE to HEAD: two folders, or two revisions of --repository.

    Every changed run is validated as `ivcr validate` does it. What a participant may not change,
    and files that could hurt, are refused with their reason. Exits with 0 if nothing stands against
    the change, with 1 if it is refused.
    """
    from harness.benchmark import Benchmark
    from harness.files import make_folder, readable, require_apart, write
    from harness.pull_requests.change_check import CheckOptions, check_change
    from harness.pull_requests.change_report import report_json
    from harness.pull_requests.comment import comment
    from harness.pull_requests.received import REPORT

    if out is not None:
        make_folder(out)
        json_file, comment_file = json_file or out / REPORT, comment_file or out / "comment.md"
    require_apart([each for each in (json_file, comment_file) if each is not None], [])
    options = CheckOptions(repository, submissions_path, split, team, author, number, runs)
    report = check_change(base, head, Benchmark(benchmark), options)
    if json_file is not None:
        write(json_file, readable(report_json(report)))
    if comment_file is not None:
        write(comment_file, comment(report).encode())
    for finding in report.findings:
        place = "" if finding.path is None else f"{finding.path}: "
        click.echo(f"{finding.severity} [{finding.code}] {place}{finding.message}", err=True)
    click.echo(f"{report.verdict}: {report.files:,} files, {len(report.runs)} runs")
    if report.verdict == "refused":
        click.get_current_context().exit(1)


@pr.command()
@click.argument("report", type=_FILE, metavar="REPORT")
@click.option(
    "--json", "json_file", required=True, type=_FILE, help="Where it goes when it is read."
)
def read(report: Path, json_file: Path) -> None:
    """Read a REPORT that an untrusted job wrote (JSON, or a ZIP archive with pr_check.json).

    It is read within bounds, held against its published schema and written anew; the number of the
    pull request is printed, which is no more than the job's word. Exits with 1 if it is
    another document, or names no pull request.
    \f
    Raises SubmissionError then.
    """
    from harness.errors import SubmissionError
    from harness.files import readable, write
    from harness.pull_requests.change_report import report_json
    from harness.pull_requests.received import read_report

    found = read_report(report)
    if found.number is None:
        raise SubmissionError(f"{report}: names no pull request; give --number to `ivcr pr check`")
    write(json_file, readable(report_json(found)))
    click.echo(found.number)


@pr.command()
@click.argument("report", type=_FILE, metavar="REPORT")
@click.option("--out", required=True, type=_FILE, help="Where the comment goes.")
@click.option("--submitted", type=_FILE, help="The report of the untrusted job, to be compared.")
@click.option("--scores", type=_FILE, help="A folder with <team>/<run>.json of `ivcr score`.")
@click.option(
    "--benchmark", type=_FILE, help="The benchmark: figures are shown where its labels are public."
)
def comment(
    report: Path, out: Path, submitted: Path | None, scores: Path | None, benchmark: Path | None
) -> None:
    """Write the comment on a REPORT, with figures where labels are public."""
    from harness.files import write
    from harness.pull_requests import comment as markdown
    from harness.pull_requests.comment import NO_FIGURES, figure_lines, shows_figures
    from harness.pull_requests.received import agreement, read_report

    own = read_report(report)
    notes = () if submitted is None else agreement(own, read_report(submitted))
    figures = {} if scores is None else figure_lines(own, scores)
    if figures and not shows_figures(benchmark):
        notes, figures = (*notes, NO_FIGURES), {}
    write(out, markdown.comment(own, notes, figures).encode())
