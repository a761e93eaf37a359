"""A row as its files record it: the card and run.json, of whatever author."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct, field

from baselines.registry import RegistryEntry, all_baselines
from baselines.running.provenance import RECORD
from harness.errors import SubmissionError, WrongUsageError, did_you_mean
from harness.files import shown
from harness.records import Card, History
from harness.schemas.documents import plain, require
from harness.submission import CARD
from harness.untrusted import UnfitFileError, json_document, read_small, toml_table

FLOORS = "floors"  # begins the name of a run that lies in the benchmark's folder
_CARD_BYTES, _RECORD_BYTES = 1 << 16, 1 << 22
_AGAIN = "only runs of the project's baselines, which `ivcr baseline run` wrote, can be made again"


class RecordedBenchmark(Struct, frozen=True):
    """The benchmark and the split that a run answered."""

    name: str
    fingerprint: str
    split: str


class RunRecord(Struct, frozen=True):
    """run.json. Records that were written before the commit was named lack the last fields."""

    baseline: str
    code_sha256: str
    settings: dict[str, Any]
    history: History
    seed: int
    benchmark: RecordedBenchmark
    details: dict[str, Any] = field(default_factory=dict)
    commit: str | None = None
    changed: bool | None = None
    versions: dict[str, str] = field(default_factory=dict)
    threads: int | None = None
    device: str | None = None
    outside: tuple[str, ...] = ()


class RecordedRun(NamedTuple):
    """A row: its folder, its card and its run.json."""

    folder: Path
    card: Card
    record: RunRecord


def read_run(folder: Path) -> RecordedRun:
    """The card and run.json in `folder`. Raises SubmissionError if one is absent or none."""
    with _named(folder, CARD):
        table = plain(toml_table(read_small(folder / CARD, _CARD_BYTES)))
        require("card", table, folder / CARD, _AGAIN, SubmissionError)
        card = msgspec.convert(table, Card)
    with _named(folder, RECORD):
        record = json_document(read_small(folder / RECORD, _RECORD_BYTES), RunRecord)
    return RecordedRun(folder, card, record)


def run_folder(name: str, submissions: Path, benchmark: Path) -> Path:
    """Where the run TEAM/RUN lies, or the floor floors/NAME/HISTORY.

    Raises WrongUsageError if the name has another form or there is no such folder.
    """
    parts = name.split("/")
    floor = len(parts) == 3 and parts[0] == FLOORS
    folder = (benchmark if floor else submissions) / name
    if not (floor or len(parts) == 2) or {"", ".", ".."} & set(parts):
        raise WrongUsageError(
            f"{shown(name)}: expected TEAM/RUN, as the folders of the submissions are called, or "
            f"{FLOORS}/NAME/HISTORY"
        )
    if not folder.is_dir():
        hint = did_you_mean(parts[-1], [each.name for each in folder.parent.glob("*/")])
        where = "--benchmark" if floor else "--submissions"
        raise WrongUsageError(
            f"{folder}: expected the folder of a run, found none; {hint}{where} says in "
            "which folder it lies"
        )
    return folder


def own_baseline(name: str, place: str) -> RegistryEntry:
    """The project's baseline of that name: never a file that a record names.

    Raises SubmissionError if there is none.
    """
    found = {entry.name: entry for entry in all_baselines()}.get(name)
    if found is None:
        raise SubmissionError(f"{place}: {shown(name)} is no baseline of the project; {_AGAIN}")
    return found


@contextmanager
def _named(folder: Path, name: str) -> Iterator[None]:
    try:
        yield
    except (UnfitFileError, msgspec.ValidationError) as error:
        raise SubmissionError(f"{folder / name}: {error}; {_AGAIN}") from error
