"""Reciprocal rank fusion of the rankings of other retrievers, each with a weight.

A video's score is the sum over members of weight / (60 + its rank), ranks from 1 in the member's
100 best; a video that no member ranks is not ranked. Cormack, Clarke and Büttcher, "Reciprocal rank
fusion outperforms Condorcet and individual rank learning methods", SIGIR 2009. `members` names the
members and their settings, as in `bm25?context=all;2*clip?checkpoint=DIR` (see
baselines/running/composition.py). The candidates' order is fused likewise. Reads and ignores what
the members do; trains nothing itself. A moment turn is answered with the whole of the given video,
else of the best one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from msgspec.structs import replace

from baselines.base import About, Answer, Baseline, Provenance, Query, Settings, View
from baselines.ranking import Corpus, Scores
from baselines.running.composition import check_ranks_videos, members, merged, prepare
from harness.records import CandidateUse

ABOUT = About(languages=("en", "zh"), paper="https://doi.org/10.1145/1571941.1572114")
K = 60  # as the paper has it


class HybridSettings(Settings, frozen=True):
    """The members, and whether the candidates are shown to them and ordered too."""

    members: str = "bm25?context=last;bm25?context=decayed"
    candidates: CandidateUse = "unused"


class Hybrid(Baseline):
    """The 100 best videos by their fused ranks; ties in the corpus' order."""

    settings_type = HybridSettings
    _settings: HybridSettings

    def __init__(self, settings: HybridSettings) -> None:
        """Make the members. Raises WrongUsageError if the setting cannot be read."""
        self._settings = settings
        self._members = members(settings.members, "members", settings.candidates)
        check_ranks_videos(self._members, "members")

    def prepare(self, view: View) -> None:
        """Prepare the members; raises what they raise."""
        self._corpus = Corpus(view)
        prepare(self._members, view)

    def candidate_use(self, declared: CandidateUse) -> CandidateUse:
        """As the setting has it."""
        return self._settings.candidates

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """A ranking for each video turn, one moment for each moment turn."""
        searched = [
            at
            for at, query in enumerate(queries)
            if query.task != "chat" and query.video_id is None
        ]
        asked = [replace(queries[at], task="video") for at in searched]
        said = zip(*(member.baseline.answer(asked) for member in self._members), strict=True)
        heard = dict(zip(searched, said, strict=True))
        return [self._one(query, heard.get(at, ())) for at, query in enumerate(queries)]

    def provenance(self) -> Provenance:
        """The members' own."""
        return merged(self._members)

    def _one(self, query: Query, said: Sequence[Answer]) -> Answer:
        """The answer to `query`, given what each member says of it."""
        answer = self._corpus.answer(query, lambda _: self._scores(said))
        if answer.choice is None:
            return answer
        found = self._fused([each.choice or () for each in said])
        return replace(answer, choice=tuple(sorted(query.candidates, key=lambda v: -found[v])))

    def _scores(self, said: Sequence[Answer]) -> Scores:
        found = self._fused([each.videos or () for each in said])
        return self._corpus.over_corpus(found, np.array(list(found.values()), np.float64))

    def _fused(self, rankings: Sequence[Sequence[str]]) -> defaultdict[str, float]:
        return fused(zip((member.weight for member in self._members), rankings, strict=True))


def fused(rankings: Iterable[tuple[float, Sequence[str]]]) -> defaultdict[str, float]:
    """By video the sum of weight / (60 + rank) over weighted rankings; 0 for any other video."""
    found: defaultdict[str, float] = defaultdict(float)
    for weight, videos in rankings:
        for rank, video_id in enumerate(videos, start=1):
            found[video_id] += weight / (K + rank)
    return found
