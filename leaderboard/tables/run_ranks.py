"""The ranks that runs have on the board of a phase, before any page of it is built."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from harness.records import History
from leaderboard.board.documents import read_card
from leaderboard.board.records import Entry, Scores
from leaderboard.results.board_split import BoardSplit
from leaderboard.results.computed import BoardResults
from leaderboard.results.description import describe_metrics
from leaderboard.tables.ranked_table import Table, tables
from leaderboard.tables.ranks import with_standings


class RankRange(NamedTuple):
    """The ranks that a run may have, from 1, and how many ranked rows its table has."""

    best: int
    worst: int
    of: int


class RunRanks:
    """Rank ranges of runs whose results are computed, of one benchmark."""

    def __init__(self, submissions: Path, benchmark: Path, results: Path) -> None:
        """`submissions`: where cards lie; `results`: the results folder."""
        self._submissions, self._benchmark, self._results = submissions, benchmark, results
        self._splits: dict[str, BoardSplit] = {}

    def __call__(
        self, split: str, history: History, runs: Mapping[str, str], track: str | None = None
    ) -> dict[str, RankRange]:
        """By TEAM/RUN its range; `runs`: by TEAM/RUN the key of its result.

        The table is that of `track`, or else the first in which the run has a rank. A run without a
        rank has no range. Raises EnvironmentFailure if a result is gone, SubmissionError if a card.
        """
        board = self._splits.setdefault(split, BoardSplit(self._benchmark, split))
        computed = BoardResults(board.benchmark, split, self._results)
        entries = [
            Entry(
                key,
                read_card(self._submissions / key),
                msgspec.json.decode(computed.read(result).scores, type=Scores),
                result=result,
            )
            for key, result in sorted(runs.items())
        ]
        made = [t for t in tables(entries, describe_metrics()) if t.history == history]
        made.sort(key=lambda table: table.track.name != track)
        found: dict[str, RankRange] = {}
        for table in made:
            if len(found) == len(entries):
                break
            for key, span in _ranges(table, lambda e: computed.place(e.result), board):
                found.setdefault(key, span)
        return found


def _ranges(
    table: Table, outcomes_of: Callable[[Entry], Path], board: BoardSplit
) -> Iterator[tuple[str, RankRange]]:
    (table,) = with_standings([table], outcomes_of, board.design, {}, pairs=False)
    ranked = [row for row in table.rows if row.rank is not None]
    for row in ranked:
        # A table of one row, and figures of a corpus, are not tested.
        best, worst = table.range_of(row) or (1, len(ranked))
        for run in row.runs:
            yield run.key, RankRange(best, worst, len(ranked))
