"""Exact search: one row of scores over the corpus becomes an answer.

A retriever scores one query at a time, by one matrix product with the whole corpus, so that a
score does not depend on which queries share a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from baselines.base import Answer, MissingInputError, Query, View
from baselines.dialogue_context import Weighted
from harness.records import Moment

VIDEOS = 100
UNRANKED = -np.inf  # the score of a video that is not ranked: nothing is known of it
KEPT_TEXTS = 1 << 16
Scores = NDArray[np.floating[Any]]
Embed = Callable[[str], NDArray[np.float32]]


def best(scores: Scores, k: int) -> list[int]:
    """Positions of the `k` best of one row of scores, best first, ties by position.

    UNRANKED positions are left out. Raises ValueError at NaN: it has no place in an order.
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
    """The videos of a split's corpus by position, and how scores over them become answers."""

    def __init__(self, view: View) -> None:
        self.ids = view.corpus
        self._videos = view.videos
        self._position = {video_id: position for position, video_id in enumerate(view.corpus)}

    def answer(self, query: Query, score: Callable[[Query], Scores]) -> Answer:
        """The answer to `query`; `score` gives its scores over the corpus, (videos,), if needed.

        A video turn: the 100 best, and the shown candidates in order. A moment turn: the whole of
        the given video, else of the best. A chat turn: the empty response.
        """
        if query.task == "chat":
            return Answer(response="")
        if query.video_id is not None:
            return Answer(moments=self.whole(query.video_id))
        scores = score(query)
        if query.task == "moment":
            return Answer(moments=self.whole(*self.ranked(scores, 1)))
        return Answer(
            videos=self.ranked(scores, VIDEOS), choice=self.choice(query.candidates, scores)
        )

    def ranked(self, scores: Scores, k: int) -> tuple[str, ...]:
        """The ids of the `k` best."""
        return tuple(self.ids[position] for position in best(scores, k))

    def choice(self, candidates: Sequence[str], scores: Scores) -> tuple[str, ...] | None:
        """The candidates by score, ties in the given order; None where none are shown."""
        order = sorted(candidates, key=lambda video_id: -scores[self._position[video_id]])
        return tuple(order) or None

    def whole(self, *videos: str) -> tuple[Moment, ...]:
        """Each video from 0 to its end; those of unknown duration are left out."""
        durations = [(video_id, self._videos[video_id].duration) for video_id in videos]
        return tuple(Moment(video_id, 0, duration) for video_id, duration in durations if duration)

    def seen(self, features: Mapping[str, Any]) -> list[str]:
        """The ids that have features, in order. Raises MissingInputError if none has."""
        found = [video_id for video_id in self.ids if video_id in features]
        if self.ids and not found:
            raise MissingInputError(
                f"none of the corpus' {len(self.ids):,} videos can be read; see the paths in "
                "videos.jsonl (`ivcr data import --videos META` takes them from META)"
            )
        return found

    def scattered(self, found: Iterable[str], scores: Scores) -> Scores:
        """`scores` of the videos `found`, laid out over the corpus; the others are UNRANKED."""
        row = np.full(len(self.ids), UNRANKED, scores.dtype)  # (videos,)
        row[[self._position[video_id] for video_id in found]] = scores
        return row


def remembered(embed: Embed) -> Embed:
    """`embed`, which a dialogue's utterances reach once each and not once in every later turn."""
    return lru_cache(KEPT_TEXTS)(embed)


def blended(embed: Embed, readings: Sequence[Weighted]) -> NDArray[np.float32]:
    """The weighted sum of the readings' embeddings, of length 1: shape (d,).

    With context `decayed` these are decayed turn embeddings. One reading: its own direction.
    """
    total = np.zeros(1, np.float32)
    for text, weight in readings:
        total = total + np.float32(weight) * embed(text)
    return unit(total)


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """`rows`, (..., d), scaled to length 1 along the last axis; zeros stay zeros."""
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.where(length > 0, length, 1), np.float32)
