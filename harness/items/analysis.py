"""Which turns to look at: right for no system, or right for weak systems and wrong for strong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec import Struct

from harness.benchmark import Benchmark
from harness.comparison.entrants import Entrant, Field, SystemShown, read
from harness.errors import WrongUsageError
from harness.items.discrimination import item_rest
from harness.items.reasons import Known, reasons
from harness.outcomes import Bools, Floats
from harness.records import Task

TASKS: tuple[Task, ...] = ("video", "moment")
FEWEST = 3  # systems, for an index
COARSE = 10  # systems, below which an index has few values
SUSPECT = -0.3  # turns with an index up to here are listed


class Item(Struct, frozen=True):
    """A turn to look at; the gold span in milliseconds.

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


class Counted(Struct, frozen=True):
    """A task's turns, and the systems that answer the task at all."""

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
    systems: tuple[SystemShown, ...]
    notes: tuple[str, ...]
    tasks: tuple[Counted, ...]
    nobody: tuple[Item, ...]
    suspect: tuple[Item, ...]


class Table(NamedTuple):
    """A task's turns, their rows in the split, and who is right: (systems, turns)."""

    task: Task
    rows: list[int]
    entrants: tuple[Entrant, ...]
    right: Bools
    indices: Floats


def analyse(folders: Sequence[Path], benchmark: Benchmark, split: str = "test") -> Analysis:
    """Analyse the retrieval turns of a split by how the submissions in `folders` answer them.

    Raises WrongUsageError where labels are hidden, SubmissionError if a submission is not valid.
    """
    if benchmark.header.labels == "hidden":
        raise WrongUsageError(
            f"{benchmark.folder}: labels are hidden, and item analysis would show them; "
            "take a benchmark with public labels"
        )
    field = read(folders, benchmark, split)
    known = Known.of(field.split, field.gold, benchmark.videos)
    tables = [table for task in TASKS if (table := _table(field, task)) is not None]
    nobody = [item for table in tables for item in _items(field, known, table, _nobody(table))]
    suspect = [item for table in tables for item in _items(field, known, table, _suspect(table))]
    return Analysis(
        schema=1,
        systems=tuple(entrant.shown for entrant in field.entrants),
        notes=tuple(_notes(field, tables)),
        tasks=tuple(map(_counted, tables)),
        nobody=tuple(sorted(nobody, key=lambda item: -len(item.reasons))),
        suspect=tuple(sorted(suspect, key=lambda item: (item.index or 0.0, -len(item.reasons)))),
    )


def _table(field: Field, task: Task) -> Table | None:
    """The task's turns and the systems that answer it; None if no turn or no system does."""
    turns = field.frame.is_video if task == "video" else field.frame.is_moment
    entrants = tuple(each for each in field.entrants if (each.answers & turns).any())
    if not entrants:
        return None
    right = np.array([each.right[turns] for each in entrants])
    indices = item_rest(right) if len(entrants) >= FEWEST else np.full(right.shape[1], np.nan)
    return Table(task, np.flatnonzero(turns).tolist(), entrants, right, indices)


def _nobody(table: Table) -> Bools:
    some: Bools = np.any(table.right, axis=0)
    return ~some


def _suspect(table: Table) -> Bools:
    suspect: Bools = table.indices <= SUSPECT
    return suspect


def _items(field: Field, known: Known, table: Table, chosen: Bools) -> Iterator[Item]:
    for at in np.flatnonzero(chosen).tolist():
        row, marks = table.rows[at], table.right[:, at]
        turn, gold = field.split.turns[row], field.gold[row]
        wrong = [each for each, mark in zip(table.entrants, marks, strict=True) if not mark]
        case = known.case(turn, gold, [each.said[row] for each in wrong])
        index = float(table.indices[at])
        yield Item(
            dialogue_id=turn.dialogue_id,
            turn=turn.turn,
            task=turn.task,
            utterance=turn.utterance,
            gold=gold.video_id,
            span=None if gold.moment is None else (gold.moment.start, gold.moment.end),
            right=tuple(e.label for e, mark in zip(table.entrants, marks, strict=True) if mark),
            wrong=tuple(each.label for each in wrong),
            index=None if np.isnan(index) else float(f"{index:.10g}"),
            reasons=reasons(case),
        )


def _counted(table: Table) -> Counted:
    return Counted(
        task=table.task,
        turns=len(table.rows),
        systems=tuple(each.label for each in table.entrants),
        nobody=int(_nobody(table).sum()),
        everybody=int(table.right.all(axis=0).sum()),
        suspect=int(_suspect(table).sum()),
    )


def _notes(field: Field, tables: Sequence[Table]) -> Iterator[str]:
    for table in tables:
        systems = len(table.entrants)
        if systems < FEWEST:
            yield (
                f"{table.task} turns: an index needs {FEWEST} systems that answer them, here are "
                f"{systems}; add submissions."
            )
        elif systems < COARSE:
            yield (
                f"{table.task} turns: with {systems} systems the index takes few values and many "
                "turns are suspect by chance; look at those with reasons first."
            )
    if len({each.card.history for each in field.entrants}) > 1:
        yield "Histories differ: a turn may be easier for one system than for another."
