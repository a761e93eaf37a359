"""The turn's candidates in their given order: what the first stage is worth by itself.

Reads: the turn's candidates. Ignores: utterances, history, videos. It says nothing of moments.
"""

from __future__ import annotations

from collections.abc import Sequence

from baselines.base import About, Answer, Baseline, Query, View

ABOUT = About(candidates="used")


class CandidatesAsGiven(Baseline):
    """The candidates, as a ranking of the corpus and as a choice among them."""

    def prepare(self, view: View) -> None:
        """Nothing is read."""

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """The candidates of each video turn."""
        return [_one(query) for query in queries]


def _one(query: Query) -> Answer:
    if query.task != "video":
        return Answer()
    return Answer(videos=query.candidates, choice=query.candidates)
