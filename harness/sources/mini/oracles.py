"""Two oracles over the scripts of one split: one reads whole scripts, one reads only words.

The script oracle evaluates the whole query. The words oracle knows which words a video's script
holds and how often. It does not know which words are of one event, nor the order and duration of
events: it is the upper bound of a reader of complete, unordered descriptions. Neither knows the
sampler.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.sources.mini.queries import Background, VideoQuery, holds, patterns
from harness.sources.mini.world import Script


class Oracles:
    """Both oracles over one corpus, given as scripts."""

    def __init__(self, corpus: Sequence[Script]) -> None:
        self._corpus = tuple(corpus)
        # Sets of videos as bits: those that hold a word at least so many times.
        self._holding: dict[tuple[str, int], int] = {}
        self._with_thing: dict[tuple[str, str], list[Script]] = {}
        for place, script in enumerate(corpus):
            for word, count in sorted(script.bag().items()):
                for times in range(1, count + 1):
                    held = self._holding.get((word, times), 0)
                    self._holding[word, times] = held | 1 << place
            for each in script.events:
                thing = (each.look.colour, each.look.shape)
                self._with_thing.setdefault(thing, []).append(script)

    def script(self, query: VideoQuery) -> list[str]:
        """Ids of the videos whose script meets every condition, in corpus order."""
        # Only videos with the rarest coloured shape that the query names need a closer look.
        lists = [
            self._with_thing.get((part.colour, part.shape), [])
            for part in patterns(query)
            if part.colour and part.shape
        ]
        pool = min(lists, key=len, default=self._corpus)
        return [each.video_id for each in pool if all(holds(part, each) for part in query)]

    def words(self, query: VideoQuery) -> list[str]:
        """Ids of the videos whose words hold all words of the query, as often, in corpus order."""
        left = (1 << len(self._corpus)) - 1
        for wanted in query_words(query).items():
            left &= self._holding.get(wanted, 0)
        return [each.video_id for place, each in enumerate(self._corpus) if left >> place & 1]


def query_words(query: VideoQuery) -> Counter[str]:
    """All words of a query, counted, without its relations."""
    backgrounds = [part.name for part in query if isinstance(part, Background)]
    return Counter([*backgrounds, *(word for part in patterns(query) for word in part.words())])
