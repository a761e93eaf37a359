"""The previous turn's video again: what the history gives away.

Reads: the latest video that the history names (under own history there is none: it never found
one). Ignores: utterances, candidates, videos. It says nothing of moments.
"""

from __future__ import annotations

from collections.abc import Sequence

from baselines.base import About, Answer, Baseline, Query, View
from baselines.dialogue_context import video_in_focus

ABOUT = About()


class CopyPrevious(Baseline):
    """One video or none: an abstention on first turns, and wherever the history names no video."""

    def prepare(self, view: View) -> None:
        """Nothing is read."""

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """The latest video of the history, for each video turn."""
        return [_one(query) for query in queries]


def _one(query: Query) -> Answer:
    video_id = video_in_focus(query)
    if query.task != "video" or video_id is None:
        return Answer()
    return Answer(videos=(video_id,))
