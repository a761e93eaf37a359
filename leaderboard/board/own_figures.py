"""Figures that lie in a submission itself: what they say otherwise than what was computed.

They never count. Whoever forged them is named all the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from harness.errors import SubmissionError
from leaderboard.board.documents import SCORES, scores_document
from leaderboard.board.outcomes import unequal_outcomes
from leaderboard.board.recomputation import differences

NAMED = 3  # differences of one file that are told one by one


def differing_lines(folder: Path, computed: bytes, place: Path) -> tuple[str, ...]:
    """What scores.json and the outcomes in a submission say otherwise, each cut short.

    `computed`: the document that the build computed; `place`: the folder with its outcomes. A file
    that cannot be read is one line; one that is not there is none.
    """
    return (*_cut(_of_scores(folder, computed)), *_cut(_of_outcomes(folder, place)))


def _of_scores(folder: Path, computed: bytes) -> list[str]:
    if not os.path.lexists(folder / SCORES):
        return []
    try:
        stored = scores_document(folder)
    except SubmissionError as error:
        return [str(error)]
    again = msgspec.json.decode(computed)
    return [] if stored == again else differences(stored, again)


def _of_outcomes(folder: Path, place: Path) -> list[str]:
    try:
        return unequal_outcomes(folder, place)
    except SubmissionError as error:
        return [str(error)]


def _cut(lines: list[str]) -> Iterator[str]:
    yield from lines[:NAMED]
    if len(lines) > NAMED:
        yield f"and {len(lines) - NAMED:,} more differences"
