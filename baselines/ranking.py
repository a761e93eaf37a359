"""Exact search: turns one row of scores over the corpus into an answer.

A retriever scores one query at a time, by one matrix product with the whole corpus, so that a
score does not depend on the other queries of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.base import Answer, MissingInputError, Query, View
from baselines.dialogue_context import Weighted
from harness.records import RANK_LIMIT, Moment

UNRANKED = -np.inf  # the score of a video that must not be ranked
CACHED_TEXTS = 1 << 16
Scores = NDArray[np.floating[Any]]
Embed = Callable[[str], NDArray[np.float32]]


def top_positions(scores: Scores, k: int) -> list[int]:
    """Positions of the `k` highest scores of one row, (n,), best first, ties by position.

    UNRANKED positions are left out. Raises ValueError if a score is NaN.
    """
    if np.isnan(scores).any():
        raise ValueError(f"{np.isnan(scores).sum()} of {len(scores)} scores are NaN")
    among = np.flatnonzero(scores > UNRANKED)
    if len(among) > k:
        least = np.partition(scores[among], len(among) - k)[len(among) - k]
        among = among[scores[among] >= least]
    order = np.argsort(-scores[among], kind="stable")[:k]
    return [int(position) for position in among[order]]


class Corpus:
    """The videos of a split's corpus by position; turns scores over them into answers."""

    def __init__(self, view: View) -> None:
        """Positions are those of `view.corpus`."""
        self.ids = view.corpus
        self._videos = view.videos
        self._position = {video_id: position for position, video_id in enumerate(view.corpus)}

    def answer(self, query: Query, score: Callable[[Query], Scores]) -> Answer:
        """The answer to `query`; `score` computes its scores over the corpus, (videos,), if needed.

        A video turn: the 100 best videos, and the turn's candidates in order. A moment turn: the
        whole of the given video, else of the best one. A chat turn: the empty response.
        """
        if query.task == "chat":
            return Answer(response="")
        if query.video_id is not None:
            return Answer(moments=self.whole_videos(query.video_id))
        scores = score(query)
        if query.task == "moment":
            return Answer(moments=self.whole_videos(*self.top(scores, 1)))
        return Answer(
            videos=self.top(scores, RANK_LIMIT), choice=self.choice(query.candidates, scores)
        )

    def top(self, scores: Scores, k: int) -> tuple[str, ...]:
        """The ids of the `k` best videos; scores: (videos,)."""
        return tuple(self.ids[position] for position in top_positions(scores, k))

    def choice(self, candidates: Sequence[str], scores: Scores) -> tuple[str, ...] | None:
        """The candidates by score, ties in the given order; None without candidates.

        scores: (videos,), over the corpus.
        """
        order = sorted(candidates, key=lambda video_id: -scores[self._position[video_id]])
        return tuple(order) or None

    def whole_videos(self, *videos: str) -> tuple[Moment, ...]:
        """Each video from 0 to its end; videos of unknown duration are left out."""
        durations = [(video_id, self._videos[video_id].duration) for video_id in videos]
        return tuple(Moment(video_id, 0, duration) for video_id, duration in durations if duration)

    def readable(self, features: Mapping[str, Any]) -> list[str]:
        """The ids with features, in order. Raises MissingInputError if there are none."""
        ids = [video_id for video_id in self.ids if video_id in features]
        if self.ids and not ids:
            raise MissingInputError(
                f"none of the corpus' {len(self.ids):,} videos can be read; see the paths in "
                "videos.jsonl (`ivcr data import --videos META` takes them from META)"
            )
        return ids

    def over_corpus(self, ids: Iterable[str], scores: Scores) -> Scores:
        """A row over the corpus, (videos,), with the scores of `ids`, (n,); others: UNRANKED."""
        row = np.full(len(self.ids), UNRANKED, scores.dtype)  # (videos,)
        row[[self._position[video_id] for video_id in ids]] = scores
        return row


def cache_texts(embed: Embed) -> Embed:
    """`embed` with a cache: an utterance is embedded once and not again in every later turn.

    embed: a text to shape (d,).
    """
    return lru_cache(CACHED_TEXTS)(embed)


def weighted_embedding(embed: Embed, readings: Sequence[Weighted]) -> NDArray[np.float32]:
    """The weighted sum of the readings' embeddings, scaled to length 1: shape (d,).

    With context `decayed` this is a sum of decayed turn embeddings.
    """
    total = np.zeros(1, np.float32)
    for text, weight in readings:
        total = total + np.float32(weight) * embed(text)
    return unit(total)


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """`rows`, (..., d), scaled to length 1 along the last axis; zeros stay zeros."""
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1), np.float32)
