"""The figures that a comment may show, of scores that the organizers' own job computed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.errors import EnvironmentFailure
from harness.publication.disclosure import DECIMALS, SMALLEST_CELL
from harness.publication.headlines import HEADLINES
from harness.pull_requests.bounds import JSON_BYTES, TOML_BYTES
from harness.pull_requests.change_report import ChangeReport
from harness.pull_requests.names import is_plain
from harness.schemas.documents import plain, require
from harness.untrusted import UnfitFileError, json_document, read_small, toml_table

_SCORES_BYTES = 32 * JSON_BYTES
NO_FIGURES = "It was scored; the phases of the challenge show no exact figures before they close."


def shows_figures(challenge: Path | None) -> bool:
    """Whether figures may be shown: all phases of a challenge.toml give exact feedback.

    Without a challenge they may. Raises EnvironmentFailure if the file is not as it should be.
    """
    if challenge is None or not challenge.exists():
        return True
    try:
        table: dict[str, Any] = plain(toml_table(read_small(challenge, TOML_BYTES)))
    except UnfitFileError as error:
        raise EnvironmentFailure(f"{challenge}: {error.text}") from error
    require("challenge", table, challenge, "mend it in the base branch", EnvironmentFailure)
    return all(phase.get("feedback") == "exact" for phase in table["phase"])


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
