"""Candidates by how many of the dialogue's lists so far hold them: what the lists give away.

Reads: the turn's candidates and, unless the history is none, those of the earlier turns. Ignores:
utterances, answers, videos. It says nothing of moments.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from baselines.base import About, Answer, Baseline, Query, View

ABOUT = About(candidates="used")


class CandidateVote(Baseline):
    """The candidates by votes, ties in the given order; the turn's own list votes too."""

    def prepare(self, view: View) -> None:
        """Nothing is read."""

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """The candidates of each video turn, those seen most often first."""
        return [_one(query) for query in queries]


def _one(query: Query) -> Answer:
    if query.task != "video":
        return Answer()
    lists = [query.candidates, *(exchange.candidates for exchange in query.history)]
    votes = Counter(video_id for candidates in lists for video_id in candidates)
    order = tuple(sorted(query.candidates, key=lambda video_id: -votes[video_id]))
    return Answer(videos=order, choice=order)
