"""Runs of a change: card and predictions, written out and checked against the public split."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from harness.benchmark import Benchmark
from harness.files import write
from harness.pull_requests.bounds import CHANGED_RUNS, MOST_BYTES, Deadline
from harness.pull_requests.change_report import (
    PROBLEMS_OF_A_RUN,
    FindingLog,
    RunProblem,
    RunReport,
    shown_path,
)
from harness.pull_requests.layout import TEAM_FILE, TeamFile
from harness.pull_requests.team_folder import Submissions, team_table
from harness.pull_requests.trees import PLAIN, Tree, find_item, names_in
from harness.records import Card
from harness.replacement.folders import temporary_folder
from harness.submission import CARD, PREDICTIONS, template_keys
from harness.validation.checking import CheckResult, check
from harness.validation.public import read_public

_VALIDATED = (CARD, *PREDICTIONS)


class ChangedRun(NamedTuple):
    """A run that a change adds or edits: the names of its folders, and its path in the tree."""

    team: bytes
    run: bytes
    path: tuple[bytes, ...]
    new: bool


def changed_runs(
    files: list[TeamFile], own: bytes, place: Submissions, log: FindingLog
) -> list[ChangedRun]:
    """The runs of the own team that a change touches and does not remove."""
    names = sorted({file.run for file in files if file.team == own and file.run is not None})
    found = []
    for run in names:
        path = (*place.above, own, run)
        if names_in(place.head, path):
            found.append(ChangedRun(own, run, path, find_item(place.base, path) is None))
    if len(found) > CHANGED_RUNS:
        log.add("too-many-files", None, f"expected at most {CHANGED_RUNS} runs, found {len(found)}")
    return found[:CHANGED_RUNS]


def run_reports(
    runs: list[ChangedRun],
    place: Submissions,
    benchmark: Benchmark,
    split: str,
    deadline: Deadline,
    log: FindingLog,
) -> Iterator[RunReport]:
    """Validate each run; one that is not valid is a finding, and so is a card of another team.

    Raises ChangeRefusedError past the deadline, EnvironmentFailure if the benchmark or the disk
    fails.
    """
    public = read_public(benchmark, split) if runs else None
    for run in runs:
        deadline.require()
        with temporary_folder() as folder:
            fits = write_run(run, place.head, folder / "run")
            found = check(folder / "run", benchmark, split, keep=False, hashed=True, public=public)
            report = _report(run, found, fits)
        if found.card is not None:
            _check_card_team(run, found.card.team, place, log)
            _check_template(run, found.card, place, log)
        if not report.valid:
            text = f"is not valid for split {split}: {report.errors:,} errors; mend what is listed"
            log.add("invalid-run", b"/".join(run.path), text)
        yield report


def write_run(run: ChangedRun, head: Tree, folder: Path) -> bool:
    """Write a run's card and predictions to the new `folder`; False if one of them is unfit.

    What is no plain file or too large is left out.
    """
    folder.mkdir(parents=True)
    fits = True
    for name, item in names_in(head, run.path).items():
        file = name.decode("utf-8", "replace")
        if file not in _VALIDATED:
            continue
        if item.kind in PLAIN and head.size(item) <= MOST_BYTES[file]:
            write(folder / file, head.read(item, MOST_BYTES[file]), durable=False)
        else:
            fits = False
    return fits


def _check_card_team(run: ChangedRun, card_team: str, place: Submissions, log: FindingLog) -> None:
    """In a challenge a card names its folder's team, or `ivcr intake` would refuse it."""
    table, _ = team_table(place.head, run.path[:-1])
    known = place.is_challenge and bool(table)  # else the finding is `team-file`
    if known and card_team not in (table["name"], shown_path(run.team)):
        text = f"names another team; write the folder's name, or the name in {TEAM_FILE}, as team"
        log.add("card-team", b"/".join((*run.path, CARD.encode())), text)


def _check_template(run: ChangedRun, card: Card, place: Submissions, log: FindingLog) -> None:
    """In a challenge a card is not the template's: the intake would refuse it."""
    keys = template_keys({"team": card.team, "system": card.system}) if place.is_challenge else []
    if keys:
        text = f"{' and '.join(keys)} still as in the template; write your own"
        log.add("template", b"/".join((*run.path, CARD.encode())), text)


def _report(run: ChangedRun, found: CheckResult, fits: bool) -> RunReport:
    problems = sorted(found.report.problems, key=lambda each: each.severity)
    return RunReport(
        folder=str(shown_path(run.run)),
        new=run.new,
        valid=found.report.valid and fits,
        errors=found.report.errors,
        warnings=found.report.warnings,
        answered=found.report.answered,
        abstentions=found.report.abstentions,
        sha256=found.sha256,
        problems=tuple(
            RunProblem(each.code, each.severity, each.file, each.line, each.message[:1000])
            for each in problems[:PROBLEMS_OF_A_RUN]
        ),
    )
