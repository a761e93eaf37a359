"""The matcher: compares a query's roles with a video's segments, each side encoded alone.

A video is the sequence of its segments (baselines/event_models/event_segments.py) with what each
shows and how long it is. A query (baselines/event_models/query_encoder.py) has four roles, two of
a pair and two single ones, and weights for order, duration and the whole video. The score is the
best pair's plus each single role's best segment (late interaction, as in ColBERT,
https://arxiv.org/abs/2004.12832). dual_encoder consists of this, and InterLLaVA's tiny
configuration uses it to compare candidates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from baselines.base import Query
from baselines.dialogue_context import Context
from baselines.event_models.event_annotations import Attribute
from baselines.event_models.event_segments import log_probs, segment_video
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.query_encoder import (
    WIDTH,
    EncodedQuery,
    QueryEncoder,
    TextBatch,
    TokenizedText,
    tokenize_turns,
)

ROLES = 4  # the first two are a pair
RELATIONS, OWN, COUNTS = 3, 5, 7
SAME_SEGMENT = -2.0  # added to the score of a pair that is one segment twice


class SegmentFeatures(NamedTuple):
    """A video's segments in order of time.

    values: (segments, values), mean probabilities. lengths: (segments,), durations in seconds.
    """

    values: NDArray[np.float32]
    lengths: NDArray[np.float64]

    def reorder(self, order: NDArray[np.int64]) -> SegmentFeatures:
        """The segments in another order; order: (segments,)."""
        return SegmentFeatures(self.values[order], self.lengths[order])


class VideoBatch(NamedTuple):
    """A batch of videos, padded to one number of segments.

    tokens: (n, segments, values); mask: (n, segments); relations: (n, segments, segments,
    RELATIONS) of each pair; own: (n, segments, OWN) of each segment; whole: (n, COUNTS + 1 + 2 *
    values) of the whole video.
    """

    tokens: Tensor
    mask: Tensor
    relations: Tensor
    own: Tensor
    whole: Tensor


class QueryWeights(NamedTuple):
    """What queries weight in videos.

    roles: (n, ROLES, values); relations: (n, RELATIONS); own: (n, ROLES, OWN); whole: (n, COUNTS +
    1 + 2 * values).
    """

    roles: Tensor
    relations: Tensor
    own: Tensor
    whole: Tensor


class Matcher(nn.Module):
    """Scores queries against videos."""

    def __init__(self, inputs: int, values: int) -> None:
        """inputs: the number of different tokens; values: the number of all attributes' values."""
        super().__init__()
        self.text = QueryEncoder(inputs, values, ROLES)
        self.relations = nn.Linear(WIDTH, RELATIONS)
        self.own = nn.Linear(WIDTH, ROLES * OWN)
        self.whole = nn.Linear(WIDTH, COUNTS + 1 + 2 * values)
        for layer in (self.relations, self.own, self.whole):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.scale = nn.Parameter(torch.zeros(()))

    def query_weights(self, texts: TextBatch) -> QueryWeights:
        """The weights of a batch of texts."""
        query: EncodedQuery = self.text(texts)
        return QueryWeights(
            query.roles,
            self.relations(query.pooled),
            self.own(query.pooled).unflatten(1, (ROLES, OWN)),
            self.whole(query.pooled),
        )

    def scores(self, weights: QueryWeights, videos: VideoBatch) -> Tensor:
        """Scores of all queries and videos: (queries, videos)."""
        pair, single, whole = self.score_parts(weights, videos)
        return (pair + single + whole) * (self.scale.exp() / 4)

    def score_parts(
        self, weights: QueryWeights, videos: VideoBatch
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The parts of scores: best pair, single roles, whole video; (queries, videos) each."""
        fits = torch.einsum("trv,nsv->trns", weights.roles, videos.tokens)
        fits = fits + torch.einsum("tro,nso->trns", weights.own, videos.own)
        fits = fits + torch.where(videos.mask, 0.0, -1e4)
        pairs = fits[:, 0, :, :, None] + fits[:, 1, :, None, :]
        pairs = pairs + torch.einsum("tk,nabk->tnab", weights.relations, videos.relations)
        same = torch.eye(pairs.shape[-1], device=pairs.device) * SAME_SEGMENT
        pair = (pairs + same).flatten(2).amax(2)
        return pair, fits[:, 2:].amax(3).sum(1), weights.whole @ videos.whole.T


def collate_videos(videos: Sequence[SegmentFeatures]) -> VideoBatch:
    """Pad videos to one number of segments, with features of their order and durations."""
    most = max(len(each.lengths) for each in videos)
    values = videos[0].values.shape[1]
    tokens = np.zeros((len(videos), most, values), np.float32)
    mask = np.zeros((len(videos), most), bool)
    relations = np.zeros((len(videos), most, most, RELATIONS), np.float32)
    own = np.zeros((len(videos), most, OWN), np.float32)
    whole = np.zeros((len(videos), COUNTS + 1 + 2 * values), np.float32)
    for row, (shows, lengths) in enumerate(videos):
        count = len(lengths)
        log = np.log(np.maximum(lengths, 0.1))
        ratio = log[:, None] - log[None]
        order = np.sign(np.arange(count)[None] - np.arange(count)[:, None])
        place = np.arange(count)
        mask[row, :count] = True
        tokens[row, :count] = log_probs(shows)
        relations[row, :count, :count] = np.stack(
            [order, 1.5 * np.tanh(ratio), np.tanh(4 * ratio)], axis=2
        )
        ends = [lengths == lengths.max(), lengths == lengths.min(), place == 0, place == count - 1]
        own[row, :count] = np.stack([log - 1, *ends], axis=1)
        whole[row, min(count, COUNTS) - 1] = 1
        whole[row, COUNTS] = log.mean() - 1
        whole[row, COUNTS + 1 :] = np.concatenate([shows.mean(0), shows.min(0)])
    return VideoBatch(*map(torch.from_numpy, (tokens, mask, relations, own, whole)))


def tokenize_query(
    lexicon: Lexicon,
    query: Query,
    context: Context,
    video_values: Mapping[str, Sequence[int]],
) -> list[tuple[TokenizedText, float]]:
    """The texts of a query in its context, each with its weight.

    `last` and `all` give one text. `decayed` gives one per turn; the weight of one n turns back is
    1/2 to the n. video_values: by video id the values of the whole video; a text of `all` begins
    with those of the video shown last.
    """
    utterances = [*(each.utterance for each in query.history), query.utterance]
    back = range(len(utterances) - 1, -1, -1)
    if context == "last":
        return [(tokenize_turns(lexicon, [(query.utterance, query.language, 0)]), 1.0)]
    if context == "decayed":
        return [
            (tokenize_turns(lexicon, [(utterance, query.language, 0)]), 0.5**turns)
            for utterance, turns in zip(utterances, back, strict=True)
        ]
    turns = [(each, query.language, at) for each, at in zip(utterances, back, strict=True)]
    values = video_values.get(_last_video(query) or "", ())
    return [(tokenize_turns(lexicon, turns, values), 1.0)]


def _last_video(query: Query) -> str | None:
    """The video of the latest video turn of the history, else of its latest turn with a video.

    Under own history the video of a moment turn is itself a guess, from fewer words.
    """
    shown = [each for each in reversed(query.history) if each.video_id is not None]
    retrieved = [each.video_id for each in shown if each.task == "video"]
    return next(iter([*retrieved, *(each.video_id for each in shown)]), None)


def segment_features(
    rows: NDArray[np.float32], times: NDArray[np.int32], attributes: tuple[Attribute, ...]
) -> SegmentFeatures:
    """A video's segments from its recogniser's rows, (frames, values + 1), at times (frames,)."""
    segments = segment_video(rows, times, attributes)
    return SegmentFeatures(segments.values, (segments.spans[:, 1] - segments.spans[:, 0]) / 1000)


def global_values(video: SegmentFeatures, attributes: Sequence[Attribute]) -> tuple[int, ...]:
    """The most probable value of each attribute of the whole video."""
    mean = video.values.mean(axis=0)
    return tuple(
        attribute.first + int(mean[attribute.slice].argmax())
        for attribute in attributes
        if not attribute.of_event
    )
