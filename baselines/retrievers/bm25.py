"""BM25 over the videos' text, by words in English and by characters and pairs in Chinese.

Reads: utterances (`context`: the last one, all, or all with smaller weights for earlier ones), and
the text fields of the corpus' videos, joined. Ignores: answers, frames and, unless
`candidates=used`, the candidates. A moment turn is answered with the whole of the given video, else
of the best one, as a simple baseline of end-to-end search. Videos that share no word with the query
are not ranked. https://github.com/xhluca/bm25s
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

import bm25s
import numpy as np
from bm25s.tokenization import Tokenized
from numpy.typing import NDArray

from baselines.base import About, Answer, Baseline, Query, Settings, View
from baselines.dialogue_context import Context, Weighted, check_context, utterances
from baselines.ranking import UNRANKED, Corpus, Scores, top_positions
from baselines.tokenization import join_fields, tokenize
from harness.records import CandidateUse

ABOUT = About(needs=("text",), languages=("en", "zh"), paper="https://arxiv.org/abs/2407.03618")

# Weights are rounded to this fraction, so that sums of them are exact in float64, in any order and
# on any machine: equal scores are equal, and ties go to the earlier video.
GRAIN = 2.0**-24


class BM25Settings(Settings, frozen=True):
    """What is searched with and ranked.

    context: the utterances to search with: the last one, all, or all with earlier ones counting
    less. candidates: whether the turn's candidates are ranked too, as `choice`.
    """

    context: Context = "last"
    candidates: CandidateUse = "unused"


class BM25(Baseline):
    """The 100 best videos of the corpus, ties in its order."""

    settings_type = BM25Settings
    _settings: BM25Settings

    def prepare(self, view: View) -> None:
        """Index the corpus. Raises WrongUsageError if the history does not show the context."""
        check_context(self._settings.context, view.history)
        self._corpus = Corpus(view)
        texts = [join_fields(view.videos[video_id].text) for video_id in view.corpus]
        self._index = BM25Index(texts)

    def candidate_use(self, declared: CandidateUse) -> CandidateUse:
        """As the setting has it."""
        return self._settings.candidates

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """A ranking for each video turn, one moment for each moment turn."""
        return [self._corpus.answer(query, self.scores) for query in queries]

    def scores(self, query: Query) -> Scores:
        """Scores over the corpus; a video that shares no word with the query is not ranked."""
        scores = self._index.scores(utterances(query, self._settings.context))
        return np.where(scores > 0, scores, UNRANKED)


class BM25Index:
    """BM25 (lucene, k1 1.5, b 0.75) of texts, by position."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Index `texts`."""
        self._size = len(texts)
        self._known: dict[str, int] = {}
        rows = [
            [self._known.setdefault(token, len(self._known)) for token in tokenize(text)]
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
        """Each text's score, summed over weighted queries: (texts,); 0: no common word."""
        scores = np.zeros(self._size)
        for query, weight in queries:
            for token in tokenize(query):
                if token in self._known:
                    at = self._known[token]
                    postings = slice(self._start[at], self._start[at + 1])
                    scores[self._texts[postings]] += self._weights[postings] * weight
        return scores


def rank_texts(scores: NDArray[np.float64], k: int) -> list[int]:
    """Positions of the `k` best scores above 0, best first, ties by position; scores: (texts,)."""
    return top_positions(np.where(scores > 0, scores, UNRANKED), k)


def first_stage(
    texts: Sequence[Mapping[str, str]], queries: Sequence[str], k: int
) -> list[list[int]]:
    """For each query the positions of its `k` best texts, best first, ties by position.

    A text is the fields of one video. If fewer than `k` texts share a word with the query, the
    first of the others follow in order: a list always has min(k, texts) positions.
    """
    index = BM25Index([join_fields(text) for text in texts])
    return [
        _extended(rank_texts(index.scores([Weighted(query, 1.0)]), k), min(k, len(texts)))
        for query in queries
    ]


def _extended(positions: list[int], size: int) -> list[int]:
    """`positions`, extended to `size` by the first positions that are not in it."""
    present = set(positions)
    others = (at for at in range(size) if at not in present)
    return positions + list(islice(others, size - len(positions)))
