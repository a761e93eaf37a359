"""A generated board, read and built once, for tests that only look."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from leaderboard.board.entries import EntryReader
from leaderboard.board.records import BoardContents
from leaderboard.results.description import Bench
from leaderboard.site import builder
from leaderboard.site.builder import SiteContents
from leaderboard.tables.ranked_table import Table, tables
from tests.leaderboard import generated

REPORTED = Path(__file__).resolve().parents[2] / "submissions" / "ivcr200k-authors"


class Board(NamedTuple):
    """Where a board's input is, what was read of it, its tables, and the built site."""

    submissions: Path
    bench: Bench
    found: BoardContents
    tables: tuple[Table, ...]
    site: Path


@pytest.fixture(scope="session")
def board(tmp_path_factory):
    root = tmp_path_factory.mktemp("board")
    submissions, bench = generated.board(root, systems=7)
    shutil.copytree(REPORTED, submissions / REPORTED.name)
    (submissions / "late" / "run").mkdir(parents=True)
    found = read(submissions, bench, organizers=[REPORTED.name])
    build(found, bench, root / "site")
    made = tables(found.entries, generated.METRICS)
    return Board(submissions, bench, found, made, root / "site")


def read(submissions, bench, results=None, **settings):
    """What is found in a generated submissions folder."""
    results = generated.TypedResults() if results is None else results
    reader = EntryReader(bench, generated.METRICS, results, **settings)
    return reader.collect(submissions)


def build(found, bench, out, made=None, **parts):
    """Build the site of what was found; without `made` its tables have no standings."""
    made = tables(found.entries, generated.METRICS) if made is None else made
    return builder.build(SiteContents(found, bench, generated.METRICS, made, **parts), out)
