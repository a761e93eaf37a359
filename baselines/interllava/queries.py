"""What InterLLaVA is asked of a turn, in the terms of baselines/vlm/assistant.py."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from baselines.base import Query
from harness.records import Moment, Task


class Question(NamedTuple):
    """A turn to be asked; video_id: in which a moment is sought."""

    kind: Task
    query: Query
    video_id: str | None = None

    def as_query(self) -> Query:
        """The turn as one of the kind that is asked: a moment turn may first be searched for."""
        return replace(self.query, task=self.kind)


class Asks:
    """Makes questions; they become tokens where it is known what can be seen."""

    def choice(self, query: Query) -> Question:
        """Which of the query's candidates is meant?"""
        return Question("video", query)

    def grounding(self, query: Query, video_id: str) -> Question:
        """When in that video is what is meant?"""
        return Question("moment", query, video_id)

    def talk(self, query: Query) -> Question:
        """What does one say to that?"""
        return Question("chat", query)

    def explanation(self, query: Query, moment: Moment) -> Question:
        """Its own answer is its explanation; it is asked for the moment again."""
        return Question("moment", query, moment.video_id)
