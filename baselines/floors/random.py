"""Videos and spans drawn at random: what no knowledge at all is worth.

Reads: the corpus, the given video or (under own history) the one it answered last, durations.
Ignores: utterances, candidates, everything else. Every turn has its own draw from seed, dialogue
and turn, so that the order of the turns does not matter.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from baselines.base import About, Answer, Baseline, Query, View
from baselines.dialogue_context import video_in_focus
from harness.records import RANK_LIMIT, Moment

ABOUT = About()
MOMENTS = 5


class Random(Baseline):
    """100 videos of the corpus without repeats; 5 spans, each with two uniform ends."""

    def prepare(self, view: View) -> None:
        """Keep the corpus and the durations."""
        self._view = view

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """A draw for each query; a span of a video of unknown duration is an abstention."""
        return [self._one(query) for query in queries]

    def _one(self, query: Query) -> Answer:
        # A string seed is hashed by SHA-512: the same draws on every machine and hash seed.
        draw = random.Random(f"{self._view.seed}/{query.dialogue_id}/{query.turn}")
        if query.task == "video":
            size = min(RANK_LIMIT, len(self._view.corpus))
            return Answer(videos=tuple(draw.sample(self._view.corpus, size)))
        if query.task == "chat":
            return Answer(response="")
        return Answer(moments=self._moments(query, draw))

    def _moments(self, query: Query, draw: random.Random) -> tuple[Moment, ...]:
        video_id = video_in_focus(query) or draw.choice(self._view.corpus)
        duration = self._view.videos[video_id].duration
        if not duration:
            return ()
        ends = [sorted(draw.sample(range(duration + 1), 2)) for _ in range(MOMENTS)]
        return tuple(dict.fromkeys(Moment(video_id, start, end) for start, end in ends))
