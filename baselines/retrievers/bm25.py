"""BM25 over the videos' text, by words in English and by characters and pairs in Chinese.

Reads: utterances (`context`: the last one, all, or all with earlier ones counting less), the text
fields of the corpus' videos, joined. Ignores: answers, frames and, unless `candidates=used`, the
candidates. A moment turn is answered with the whole of the given video, else of the best one, so
that it is a first row for search from end to end. Videos that share no word with the query are not
ranked. https://github.com/xhluca/bm25s
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import bm25s
import numpy as np
from bm25s.tokenization import Tokenized
from numpy.typing import NDArray

from baselines.base import About, Answer, Baseline, Query, Settings, View
from baselines.dialogue_context import Context, Weighted, check_context, utterances
from baselines.ranking import UNRANKED, Corpus, Scores, best
from baselines.tokenization import joined, tokens
from harness.records import CandidateUse

ABOUT = About(needs=("text",), languages=("en", "zh"), paper="https://arxiv.org/abs/2407.03618")

# Weights are rounded to this fraction, so that sums of them are exact in float64, in any order and
# on any machine: equal scores are equal, and ties go to the earlier video.
GRAIN = 2.0**-24


class BM25Settings(Settings, frozen=True):
    """What to search with, and whether to order the turn's candidates too (as `choice`)."""

    context: Context = "last"
    candidates: CandidateUse = "unused"


class BM25(Baseline):
    """The 100 best videos of the corpus, ties in its order."""

    settings_type = BM25Settings
    _settings: BM25Settings

    def prepare(self, view: View) -> None:
        """Index the corpus. Raises WrongUsageError if the history cannot give the context."""
        check_context(self._settings.context, view.history)
        self._corpus = Corpus(view)
        self._index = Index([joined(view.videos[video_id].text) for video_id in view.corpus])

    def candidate_use(self, declared: CandidateUse) -> CandidateUse:
        """As the setting has it."""
        return self._settings.candidates

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """A ranking for each video turn, one moment for each moment turn."""
        return [self._corpus.answer(query, self._scores) for query in queries]

    def _scores(self, query: Query) -> Scores:
        """Over the corpus; a video that shares no word with the query is not ranked."""
        scores = self._index.scores(utterances(query, self._settings.context))
        return np.where(scores > 0, scores, UNRANKED)


class Index:
    """BM25 (lucene, k1 1.5, b 0.75) of `texts`, scored by position."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._size = len(texts)
        self._known: dict[str, int] = {}
        rows = [
            [self._known.setdefault(token, len(self._known)) for token in tokens(text)]
            for text in texts
        ]
        if not self._known:
            return
        bm25 = bm25s.BM25(method="lucene", k1=1.5, b=0.75, dtype="float64")
        bm25.index(Tokenized(rows, dict(self._known)), show_progress=False)
        self._start: list[int] = bm25.scores["indptr"].tolist()  # (tokens + 1,)
        self._texts: NDArray[np.int32] = bm25.scores["indices"]  # (postings,)
        self._weights = np.rint(bm25.scores["data"] / GRAIN) * GRAIN  # (postings,)

    def scores(self, queries: Iterable[Weighted]) -> NDArray[np.float64]:
        """Each text's score, summed over weighted queries: shape (texts,), 0: no word shared."""
        found = np.zeros(self._size)
        for query, weight in queries:
            for token in tokens(query):
                if token in self._known:
                    at = self._known[token]
                    postings = slice(self._start[at], self._start[at + 1])
                    found[self._texts[postings]] += self._weights[postings] * weight
        return found


def ranked(scores: NDArray[np.float64], k: int) -> list[int]:
    """Positions of the `k` best scores above 0, best first, ties by position."""
    return best(np.where(scores > 0, scores, UNRANKED), k)


def first_stage(
    texts: Sequence[Mapping[str, str]], queries: Sequence[str], k: int
) -> list[list[int]]:
    """For each query the positions of its `k` best texts, best first; ties by position.

    A text is the fields of one video. Where fewer than `k` share a word with the query, the rest
    are filled up in order, so that a list always has min(k, texts) positions.
    """
    index = Index([joined(text) for text in texts])
    return [
        _filled(ranked(index.scores([Weighted(query, 1.0)]), k), min(k, len(texts)))
        for query in queries
    ]


def _filled(found: list[int], size: int) -> list[int]:
    """`found`, made up to `size` with the first positions that it lacks."""
    taken = set(found)
    position = 0
    while len(found) < size:
        if position not in taken:
            found.append(position)
        position += 1
    return found
