"""Reading the runs of a submissions folder; what cannot be read becomes a note."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from harness.benchmark import Benchmark, Split
from harness.errors import IvcrError, SubmissionError, WrongUsageError
from harness.files import shown
from harness.outcomes import Ints
from harness.probes.runs import NONE, Field, ProbedRun, empty_field
from harness.records import RANK_LIMIT, Prediction
from harness.submission import CARD
from harness.teams.submission_folders import folders_in
from harness.validation import CheckResult, PublicSplit, check, public_of
from harness.validation.inspection import is_reported
from harness.validation.rules.text_files import OTHER_SPLIT


class _OtherSplitError(SubmissionError):
    """A run that answers another split than the one that is probed."""


def read_field(submissions: Path, benchmark: Benchmark, split: str = "test") -> Field:
    """The valid runs of <team>/<run>/ folders; the others become notes.

    Raises EnvironmentFailure if a folder is absent or there is no gold, WrongUsageError if
    `submissions` holds no <team>/<run>/.
    """
    field = empty_field(benchmark, split)
    known = public_of(benchmark, field.split, benchmark.videos)
    places = {video: place for place, video in enumerate(field.split.corpus)}
    runs: list[ProbedRun] = []
    notes: list[str] = []
    elsewhere = 0
    for folder in _folders(submissions):
        key = f"{_name(folder.parent)}/{_name(folder)}"
        try:
            checked = _checked(folder, benchmark, split, known)
        except _OtherSplitError:
            elsewhere += 1
        except IvcrError as error:
            notes.append(f"{shown(key, 200)}: left out: {shown(str(error), 300)[1:-1]}")
        else:
            runs.append(_run(key, checked, field.split, places))
    if elsewhere:
        notes.append(f"{elsewhere:,} runs left out, which answer another split than {split}")
    if not runs and not notes:
        raise WrongUsageError(
            f"{submissions}: expected <team>/<run>/{CARD}, found none; name the folder of all teams"
        )
    return field._replace(runs=tuple(runs), notes=tuple(notes))


def _folders(submissions: Path) -> Iterator[Path]:
    for team in folders_in(submissions):
        if os.path.lexists(team / CARD):
            raise WrongUsageError(
                f"{submissions}: expected a folder of <team>/<run>/ submissions, found {CARD} one "
                "level too high; name the folder of all teams"
            )
        yield from (run for run in folders_in(team) if os.path.lexists(run / CARD))


def _name(folder: Path) -> str:
    """The folder's name; bytes that are no UTF-8 as \\xff."""
    return os.fsencode(folder.name).decode("utf-8", "backslashreplace")


def _checked(folder: Path, benchmark: Benchmark, split: str, known: PublicSplit) -> CheckResult:
    if is_reported(folder):
        raise SubmissionError("a reported card, which has no predictions")
    found = check(folder, benchmark, split, public=known, hashed=False)
    if OTHER_SPLIT in found.report.totals:
        raise _OtherSplitError(f"answers another split than {split}")
    if found.card is None or not found.report.valid:
        first = next((p.message for p in found.report.problems if p.severity == "error"), "")
        raise SubmissionError(f"not valid: {first}")
    return found


def _run(key: str, checked: CheckResult, split: Split, places: dict[str, int]) -> ProbedRun:
    answers = checked.predictions
    ranking = np.full((len(answers), RANK_LIMIT), NONE, dtype=np.int32)
    moment = np.full((len(answers), 3), NONE, dtype=np.int64)
    for row, answer in enumerate(answers):
        listed = _listed(answer)
        ranking[row, : len(listed)] = [places[name] for name in listed]
        if answer is not None and answer.moments:
            first = answer.moments[0]
            moment[row] = places[first.video_id], first.start, first.end
    return ProbedRun(key, key.partition("/")[0], ranking, moment, _chosen(answers, split))


def _listed(answer: Prediction | None) -> tuple[str, ...]:
    if answer is None:
        return ()
    return (answer.videos if answer.videos is not None else answer.choice) or ()


def _chosen(answers: tuple[Prediction | None, ...], split: Split) -> Ints:
    chosen = np.full(len(answers), NONE, dtype=np.int64)
    for row, (turn, answer) in enumerate(zip(split.turns, answers, strict=True)):
        if answer is not None and answer.choice:
            chosen[row] = split.candidates[turn.key].index(answer.choice[0])
    return chosen
