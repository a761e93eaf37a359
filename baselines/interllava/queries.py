"""The questions that an assistant asks InterLLaVA, in the terms of baselines/vlm/assistant.py."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from baselines.base import Query
from harness.records import Moment, Task


class TurnQuery(NamedTuple):
    """A question about a turn; video_id: the video in which a moment is searched."""

    task: Task
    query: Query
    video_id: str | None = None

    def as_query(self) -> Query:
        """The turn with the question's task: a moment turn can begin with a choice of videos."""
        return replace(self.query, task=self.task)


class QueryBuilder:
    """Makes questions. They become tokens later, where it is known which videos can be read."""

    def choice(self, query: Query) -> TurnQuery:
        """Which of the query's candidates?"""
        return TurnQuery("video", query)

    def grounding(self, query: Query, video_id: str) -> TurnQuery:
        """When, in that video?"""
        return TurnQuery("moment", query, video_id)

    def talk(self, query: Query) -> TurnQuery:
        """What to say to the user?"""
        return TurnQuery("chat", query)

    def explanation(self, query: Query, moment: Moment) -> TurnQuery:
        """Its answer to the moment turn is the explanation, so the question is that one again."""
        return TurnQuery("moment", query, moment.video_id)
