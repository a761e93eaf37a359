"""A generated board, read and built once, for tests that only look."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from leaderboard.board.entries import EntryReader
from leaderboard.board.records import Bench, Found
from leaderboard.site import builder
from leaderboard.tables.table import Table, tables
from tests.leaderboard import generated

REPORTED = Path(__file__).resolve().parents[2] / "submissions" / "ivcr200k-authors"


class Board(NamedTuple):
    """Where a board's input is, what was read of it, its tables, and the built site."""

    submissions: Path
    bench: Bench
    found: Found
    tables: tuple[Table, ...]
    site: Path


@pytest.fixture(scope="session")
def board(tmp_path_factory):
    root = tmp_path_factory.mktemp("board")
    submissions, bench = generated.board(root, systems=7)
    shutil.copytree(REPORTED, submissions / REPORTED.name)
    (submissions / "late" / "run").mkdir(parents=True)
    found = read(submissions, bench)
    builder.build(found, bench, generated.METRICS, root / "site")
    made = tables(found.entries, generated.METRICS)
    return Board(submissions, bench, found, made, root / "site")


def read(submissions, bench, **settings):
    """What is found in a generated submissions folder."""
    reader = EntryReader(bench, generated.METRICS, generated.sha256, **settings)
    return reader.collect(submissions)
