"""A report as one Markdown comment, in which foreign text can do nothing.

Foreign text stands in code spans alone: there GitHub makes no mentions, links, references, images,
tables or HTML of it. A backslash is not enough, since mentions are found after escapes are gone.
Figures are those of scores that the organizers' own job computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from harness.benchmark import Benchmark
from harness.errors import EnvironmentFailure
from harness.publication.disclosure import DECIMALS, SMALLEST_CELL
from harness.publication.escaping import visible
from harness.publication.headlines import HEADLINES
from harness.pull_requests.bounds import COMMENT_BYTES, JSON_BYTES
from harness.pull_requests.change_report import ChangeFinding, ChangeReport, RunReport
from harness.pull_requests.names import is_plain
from harness.schemas.documents import require
from harness.untrusted import UnfitFileError, json_document, read_small

MARK = "<!-- ivcr pr check -->"
NO_FIGURES = "It was scored; labels are hidden, so figures come with the receipt after the merge."
_SCORES_BYTES = 32 * JSON_BYTES
_MESSAGE, _PATH = 800, 240  # characters
_VERDICTS = {
    "accepted": "nothing stands against this submission",
    "refused": "this submission cannot be taken as it is",
}
_CUT = "The rest is in the report of the check, which lies beside it as JSON."


def comment(
    report: ChangeReport,
    notes: tuple[str, ...] = (),
    figures: Mapping[str, list[str]] | None = None,
) -> str:
    """The comment on a report, at most COMMENT_BYTES of UTF-8, beginning with MARK.

    `notes`: sentences of ours. `figures`: by the folder of a run, lines to show below it.
    """
    lines = chain(_head(report), (f"\n{note}" for note in notes), _body(report, figures or {}))
    kept: list[str] = []
    size = len(_CUT) + 16
    for line in lines:
        size += len(line.encode()) + 1
        if size > COMMENT_BYTES:
            return "\n".join([*kept, "", _CUT, ""])
        kept.append(line)
    return "\n".join([*kept, ""])


def code(text: str, cut: int = _PATH) -> str:
    """Foreign text as a code span of one line: hidden characters as escapes, cut to `cut`."""
    line = visible(text, cut).replace("`", "'").strip()
    return f"`{line or ' '}`"


def _head(report: ChangeReport) -> Iterator[str]:
    yield MARK
    yield f"### {report.verdict.capitalize()}: {_VERDICTS[report.verdict]}"
    yield ""
    if report.team is not None:
        kind = "a new team" if report.team.new else "a team of the base"
        yield f"Team folder {code(report.team.folder)}, {kind}."
    counts = [f"{report.files:,} files", f"{report.bytes:,} bytes"]
    if report.commits is not None:
        counts.append(f"{report.commits:,} commits")
    yield f"{', '.join(counts)}; checked against split {report.split}, without its labels."


def _body(report: ChangeReport, figures: Mapping[str, list[str]]) -> Iterator[str]:
    for severity, title in (("error", "To be mended"), ("warning", "Worth a look")):
        found = [each for each in report.findings if each.severity == severity]
        if found:
            yield f"\n#### {title}\n"
            yield from map(_finding, found)
            yield from _more(found, report.totals)
    if report.runs:
        yield "\n#### Runs\n"
        for run in report.runs:
            yield from _run(run)
            yield from (f"  - {line}" for line in figures.get(run.folder, ()))


def _finding(finding: ChangeFinding) -> str:
    place = "" if finding.path is None else f" {code(finding.path)}"
    return f"- **{finding.code}**{place}: {code(finding.message, _MESSAGE)}"


def _more(found: list[ChangeFinding], totals: Mapping[str, int]) -> Iterator[str]:
    for name in dict.fromkeys(each.code for each in found):
        rest = totals.get(name, 0) - sum(each.code == name for each in found)
        if rest > 0:
            yield f"- **{name}**: {rest:,} more"


def _run(run: RunReport) -> Iterator[str]:
    state = "valid" if run.valid else "**not valid**"
    kind = "new" if run.new else "a new version"
    yield (
        f"- {code(run.folder)} ({kind}): {state}; {run.answered:,} turns answered,"
        f" {run.abstentions:,} of them abstentions; {run.errors:,} errors,"
        f" {run.warnings:,} warnings"
    )
    if run.sha256 is not None:
        yield f"  - SHA-256 `{run.sha256}`"
    for problem in run.problems:
        line = "" if problem.line is None else f", line {problem.line}"
        place = f"{problem.severity}, {code(problem.file)}{line}"
        yield f"  - {place}: {code(problem.message, _MESSAGE)}"


def shows_figures(benchmark: Path | None) -> bool:
    """Whether a comment may show figures: where labels are public, and no phase counts answers.

    Each push to a pull request would be one more answer on hidden labels, whatever quota and
    feedback say; there the receipts of the intake tell what they allow. Raises EnvironmentFailure
    if `benchmark` is none; without one, nothing is shown.
    """
    return benchmark is not None and Benchmark(benchmark).header.labels == "public"


def figure_lines(report: ChangeReport, scores: Path) -> dict[str, list[str]]:
    """By the folder of a run, its headline figures in per cent.

    `scores` holds `<team>/<run>.json` for the runs that were scored. Cells of few turns are left
    out. Raises EnvironmentFailure if a file is not as `ivcr score` writes it.
    """
    team = "" if report.team is None else report.team.folder
    names = [run.folder for run in report.runs if is_plain(team) and is_plain(run.folder)]
    paths = {name: scores / team / f"{name}.json" for name in names}
    return {name: [_line(_cells(path))] for name, path in paths.items() if path.is_file()}


def _cells(path: Path) -> dict[str, Any]:
    try:
        document: Any = json_document(read_small(path, _SCORES_BYTES), object)
    except UnfitFileError as error:
        raise EnvironmentFailure(f"{path}: {error.text}; score the run again") from error
    require("scores", document, path, "score the run again", EnvironmentFailure)
    cells: dict[str, Any] = document["metrics"]["all"]
    return cells


def _line(cells: dict[str, Any]) -> str:
    shown = [
        f"{name} {100 * cells[name]['value']:.{DECIMALS}f}"
        for name in HEADLINES
        if cells.get(name, {}).get("value") is not None and cells[name]["turns"] >= SMALLEST_CELL
    ]
    return f"figures in per cent: {', '.join(shown)}" if shown else "no figure has turns enough"
