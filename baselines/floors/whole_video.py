"""The whole video as the moment: what a span that is never too short is worth.

Reads: the given video, else the latest one that the history names, and its duration. Ignores:
utterances, candidates. It says nothing of videos, so under own history it has none to answer with.
"""

from __future__ import annotations

from collections.abc import Sequence

from baselines.base import About, Answer, Baseline, Query, View
from baselines.dialogue_context import video_in_focus
from harness.records import Moment

ABOUT = About()


class WholeVideo(Baseline):
    """One span from 0 to the end; an abstention where video or duration is unknown."""

    def prepare(self, view: View) -> None:
        """Keep the durations."""
        self._videos = view.videos

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """The whole video in focus, for each moment turn."""
        return [self._one(query) for query in queries]

    def _one(self, query: Query) -> Answer:
        video_id = video_in_focus(query)
        if query.task != "moment" or video_id is None:
            return Answer()
        duration = self._videos[video_id].duration
        return Answer(moments=(Moment(video_id, 0, duration),) if duration else ())
