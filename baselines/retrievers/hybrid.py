"""Fusion of other retrievers, each with a weight: of their ranks or of their scores.

`fusion=ranks`: a video's score is the sum over members of weight / (60 + its rank), ranks from 1 in
the member's 100 best; a video that no member ranks is not ranked. Cormack, Clarke and Büttcher,
"Reciprocal rank fusion outperforms Condorcet and individual rank learning methods", SIGIR 2009.
`fusion=scores`: the sum over members of weight * z, where z is the member's score less its mean
over the corpus, divided by its deviation (Fox and Shaw, "Combination of multiple searches", TREC-2,
with scores so scaled); a video that a member does not rank has the least z of those that it ranks.
A file names the members (`--config`; without one: bm25 with context=last and context=decayed):

    settings = { fusion = "scores" }

    [[member]]
    baseline = "bm25"
    settings = { context = "decayed" }

    [[member]]
    baseline = "clip"
    weight = 2
    settings = { checkpoint = "google/siglip2-base-patch16-224" }

The candidates' order is fused likewise. Reads and ignores what the members do; trains nothing
itself. A moment turn is answered with the whole of the given video, else of the best one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from baselines.base import About, Answer, Baseline, MemberConfig, Provenance, Query, View
from baselines.ranking import UNRANKED, Corpus, Scores
from baselines.running.composition import (
    ComposedSettings,
    check_ranks_videos,
    member,
    merged,
    prepare,
)
from harness.errors import WrongUsageError
from harness.records import CandidateUse

ABOUT = About(
    composed=True, languages=("en", "zh"), paper="https://doi.org/10.1145/1571941.1572114"
)
K = 60  # as the paper has it
Fusion = Literal["ranks", "scores"]


class HybridSettings(ComposedSettings, frozen=True):
    """The members, and whether the candidates are shown to them and ordered too.

    member: the retrievers whose rankings are fused. candidates: whether the members see the turns'
    candidates, and their orders are fused too. fusion: what is fused, ranks or scores, which a
    member without scores has not.
    """

    member: tuple[MemberConfig, ...] = (
        MemberConfig("bm25", {"context": "last"}),
        MemberConfig("bm25", {"context": "decayed"}),
    )
    candidates: CandidateUse = "unused"
    fusion: Fusion = "ranks"


class Hybrid(Baseline):
    """The 100 best videos by their fused ranks; ties in the corpus' order."""

    settings_type = HybridSettings
    _settings: HybridSettings

    def __init__(self, settings: HybridSettings) -> None:
        """Make the members. Raises WrongUsageError if one cannot be part of the whole."""
        self._settings = settings
        if not settings.member:
            raise WrongUsageError("hybrid: expected members, found none; add a table [[member]]")
        places = [f"member {number}" for number in range(1, len(settings.member) + 1)]
        self._members = [
            member(config, place, settings.candidates)
            for config, place in zip(settings.member, places, strict=True)
        ]
        for part, place in zip(self._members, places, strict=True):
            check_ranks_videos(part, place)
            if settings.fusion == "scores" and type(part.baseline).scores is Baseline.scores:
                raise WrongUsageError(
                    f"{place}: {part.entry.name} gives no scores; take fusion=ranks"
                )

    def prepare(self, view: View) -> None:
        """Prepare the members; raises what they raise."""
        self._corpus = Corpus(view)
        prepare(self._members, view)

    def candidate_use(self, declared: CandidateUse) -> CandidateUse:
        """As the setting has it."""
        return self._settings.candidates

    def reads_train_labels(self, declared: bool) -> bool:
        """As a member needs."""
        return any(part.reads_train_labels for part in self._members)

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """A ranking for each video turn, one moment for each moment turn."""
        if self._settings.fusion == "scores":
            return [self._corpus.answer(query, self.scores) for query in queries]
        searched = [
            at
            for at, query in enumerate(queries)
            if query.task != "chat" and query.video_id is None
        ]
        searches = [replace(queries[at], task="video") for at in searched]
        answers = zip(*(part.baseline.answer(searches) for part in self._members), strict=True)
        by_query = dict(zip(searched, answers, strict=True))
        return [self._one(query, by_query.get(at, ())) for at, query in enumerate(queries)]

    def scores(self, query: Query) -> Scores:
        """The fused scores over the corpus, whatever `fusion` is."""
        if self._settings.fusion == "ranks":
            search = replace(query, task="video", video_id=None)
            return self._scores([part.baseline.answer([search])[0] for part in self._members])
        rows = [part.weight * standardised(part.baseline.scores(query)) for part in self._members]
        unranked = np.all([row == UNRANKED for row in rows], axis=0)
        return np.where(unranked, UNRANKED, np.sum([_filled(row) for row in rows], axis=0))

    def provenance(self) -> Provenance:
        """The members' own."""
        return merged(self._members)

    def _one(self, query: Query, answers: Sequence[Answer]) -> Answer:
        """The answer to `query`, given each member's."""
        answer = self._corpus.answer(query, lambda _: self._scores(answers))
        if answer.choice is None:
            return answer
        scores = self._fused([each.choice or () for each in answers])
        return replace(answer, choice=tuple(sorted(query.candidates, key=lambda v: -scores[v])))

    def _scores(self, answers: Sequence[Answer]) -> Scores:
        scores = self._fused([each.videos or () for each in answers])
        return self._corpus.over_corpus(scores, np.array(list(scores.values()), np.float64))

    def _fused(self, rankings: Sequence[Sequence[str]]) -> defaultdict[str, float]:
        return fused(zip((part.weight for part in self._members), rankings, strict=True))


def standardised(scores: Scores) -> Scores:
    """Scores over a corpus, (n,), less their mean, divided by their deviation; UNRANKED ones stay.

    Scores that are all the same become 0.
    """
    row = np.asarray(scores, np.float64)
    ranked = row > UNRANKED
    if not ranked.any():
        return row
    deviation = row[ranked].std()
    scaled = (row[ranked] - row[ranked].mean()) / (deviation if deviation > 0 else 1.0)
    return _placed(ranked, scaled)


def _placed(ranked: NDArray[np.bool_], values: Scores) -> Scores:
    row = np.full(len(ranked), UNRANKED)
    row[ranked] = values
    return row


def _filled(row: Scores) -> Scores:
    """A row whose UNRANKED scores are the least of the others; 0 if there are none."""
    ranked = row > UNRANKED
    return np.where(ranked, row, row[ranked].min() if ranked.any() else 0.0)


def fused(rankings: Iterable[tuple[float, Sequence[str]]]) -> defaultdict[str, float]:
    """By video the sum of weight / (60 + rank) over weighted rankings; 0 for any other video."""
    scores: defaultdict[str, float] = defaultdict(float)
    for weight, videos in rankings:
        for rank, video_id in enumerate(videos, start=1):
            scores[video_id] += weight / (K + rank)
    return scores
