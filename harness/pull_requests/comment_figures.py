"""The figures that a comment may show, of scores that the organizers' own job computed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.benchmark import Benchmark
from harness.errors import EnvironmentFailure
from harness.publication.disclosure import DECIMALS, SMALLEST_CELL
from harness.publication.headlines import HEADLINES
from harness.pull_requests.bounds import JSON_BYTES
from harness.pull_requests.change_report import ChangeReport
from harness.pull_requests.names import is_plain
from harness.schemas.documents import require
from harness.untrusted import UnfitFileError, json_document, read_small

_SCORES_BYTES = 32 * JSON_BYTES
NO_FIGURES = "It was scored; labels are hidden, so figures come with the receipt after the merge."


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
