"""Turns to check: right for no system, or right for weak systems and wrong for strong ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec import Struct

from harness.benchmark import Benchmark
from harness.comparison.entrants import Entrant, EntrantSet, SystemInfo, read_entrants
from harness.errors import WrongUsageError
from harness.files import is_leftover, shown
from harness.items.discrimination import item_rest_correlation
from harness.items.reasons import LabelContext, reasons
from harness.outcomes import Bools, Floats
from harness.records import Task
from harness.submission import CARD
from harness.validation.inspection import is_reported

TASKS: tuple[Task, ...] = ("video", "moment")
FEWEST = 3  # systems that an index needs
COARSE = 10  # with fewer systems an index has few values
SUSPECT = -0.3  # turns with an index up to here are listed


class FlaggedTurn(Struct, frozen=True):
    """A turn to check; the gold span in milliseconds.

    `right`, `wrong`: labels of the systems; `index`: the item-rest correlation, None where it is
    undefined or there are too few systems.
    """

    dialogue_id: str
    turn: int
    task: str
    utterance: str
    gold: str | None
    span: tuple[int, int] | None
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    index: float | None
    reasons: tuple[str, ...]


class TaskSummary(Struct, frozen=True):
    """The turns of a task, and the systems that answer the task."""

    task: str
    turns: int
    systems: tuple[str, ...]
    nobody: int
    everybody: int
    suspect: int


class Analysis(Struct, frozen=True):
    """Item analysis of a split. `nobody`: turns that no system gets right, the more reasons the
    earlier; `suspect`: turns with an index of -0.3 or less, the least first."""

    schema: int
    systems: tuple[SystemInfo, ...]
    notes: tuple[str, ...]
    tasks: tuple[TaskSummary, ...]
    nobody: tuple[FlaggedTurn, ...]
    suspect: tuple[FlaggedTurn, ...]


class ResponseMatrix(NamedTuple):
    """Right or wrong for each system and turn of a task, (systems, turns); rows: of the split."""

    task: Task
    rows: list[int]
    entrants: tuple[Entrant, ...]
    right: Bools
    indices: Floats


def analyse(folders: Sequence[Path], benchmark: Benchmark, split: str = "test") -> Analysis:
    """Analyse the retrieval turns of a split by how the submissions in `folders` answer them.

    What lies beside submissions (team.toml, journals of runs, leftovers) is passed over, and
    reported cards, which have no predictions, are passed over with a note. Raises WrongUsageError
    where labels are hidden or no other submission is named, SubmissionError if one is not valid.
    """
    if benchmark.labels(split) == "hidden":
        raise WrongUsageError(
            f"{benchmark.folder}: labels are hidden in {split}, and item analysis would show them; "
            "take a benchmark with public labels"
        )
    named = [folder for folder in folders if not _is_beside(folder)]
    reported = [folder for folder in named if is_reported(folder)]
    predicted = [folder for folder in named if folder not in reported]
    if folders and not predicted:
        raise WrongUsageError("expected a submission with predictions, found none among the named")
    systems = read_entrants(predicted, benchmark, split)
    context = LabelContext.of(systems.split, systems.gold, benchmark.videos)
    tables = [table for task in TASKS if (table := _table(systems, task)) is not None]
    nobody = [
        item for table in tables for item in _flagged_turns(systems, context, table, _nobody(table))
    ]
    suspect = [
        item
        for table in tables
        for item in _flagged_turns(systems, context, table, _suspect_turns(table))
    ]
    return Analysis(
        schema=1,
        systems=tuple(entrant.info for entrant in systems.entrants),
        notes=(*map(_passed_over, reported), *_notes(systems, tables)),
        tasks=tuple(map(_summary, tables)),
        nobody=tuple(sorted(nobody, key=lambda item: -len(item.reasons))),
        suspect=tuple(sorted(suspect, key=lambda item: (item.index or 0.0, -len(item.reasons)))),
    )


def _is_beside(folder: Path) -> bool:
    """Whether it is what a board holds beside submissions: a pattern such as */* names it too."""
    journal = folder.suffix == ".run" and folder.is_dir() and not (folder / CARD).exists()
    return journal or folder.name == "team.toml" or is_leftover(folder.name)


def _passed_over(folder: Path) -> str:
    return f"{shown(str(folder), 4096)}: a reported card, which has no predictions; passed over."


def _table(systems: EntrantSet, task: Task) -> ResponseMatrix | None:
    """The task's turns and the systems that answer it; None if no turn or no system does."""
    turns = systems.frame.is_video if task == "video" else systems.frame.is_moment
    entrants = tuple(each for each in systems.entrants if (each.attempts & turns).any())
    if not entrants:
        return None
    right = np.array([each.right[turns] for each in entrants])
    indices = (
        item_rest_correlation(right) if len(entrants) >= FEWEST else np.full(right.shape[1], np.nan)
    )
    return ResponseMatrix(task, np.flatnonzero(turns).tolist(), entrants, right, indices)


def _nobody(table: ResponseMatrix) -> Bools:
    some: Bools = np.any(table.right, axis=0)
    return ~some


def _suspect_turns(table: ResponseMatrix) -> Bools:
    suspect: Bools = table.indices <= SUSPECT
    return suspect


def _flagged_turns(
    systems: EntrantSet, context: LabelContext, table: ResponseMatrix, chosen: Bools
) -> Iterator[FlaggedTurn]:
    for at in np.flatnonzero(chosen).tolist():
        row, marks = table.rows[at], table.right[:, at]
        turn, gold = systems.split.turns[row], systems.gold[row]
        wrong = [each for each, mark in zip(table.entrants, marks, strict=True) if not mark]
        evidence = context.evidence(turn, gold, [each.top_answers[row] for each in wrong])
        index = float(table.indices[at])
        yield FlaggedTurn(
            dialogue_id=turn.dialogue_id,
            turn=turn.turn,
            task=turn.task,
            utterance=turn.utterance,
            gold=gold.video_id,
            span=None if gold.moment is None else (gold.moment.start, gold.moment.end),
            right=tuple(e.label for e, mark in zip(table.entrants, marks, strict=True) if mark),
            wrong=tuple(each.label for each in wrong),
            index=None if np.isnan(index) else float(f"{index:.10g}"),
            reasons=reasons(evidence),
        )


def _summary(table: ResponseMatrix) -> TaskSummary:
    return TaskSummary(
        task=table.task,
        turns=len(table.rows),
        systems=tuple(each.label for each in table.entrants),
        nobody=int(_nobody(table).sum()),
        everybody=int(table.right.all(axis=0).sum()),
        suspect=int(_suspect_turns(table).sum()),
    )


def _notes(systems: EntrantSet, tables: Sequence[ResponseMatrix]) -> Iterator[str]:
    for table in tables:
        number = len(table.entrants)
        if number < FEWEST:
            yield (
                f"{table.task} turns: an index needs {FEWEST} systems that answer them, here are "
                f"{number}; add submissions."
            )
        elif number < COARSE:
            yield (
                f"{table.task} turns: with {number} systems the index takes few values and many "
                "turns are suspect by chance; look at those with reasons first."
            )
    if len({each.card.history for each in systems.entrants}) > 1:
        yield "Histories differ: a turn may be easier for one system than for another."
