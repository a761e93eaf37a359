"""How a question and a video are compared: roles against segments, each side encoded alone.

A video is a track: its segments (baselines/event_models/event_segments.py) in order of time, with
what each shows and how long it is. A text (baselines/event_models/query_encoder.py) says what is
looked for in four roles, two of a pair and two of their own, and what counts about order, duration
and the whole. The score is the best pair's plus each further role's best segment (late interaction,
as ColBERT, https://arxiv.org/abs/2004.12832). dual_encoder is made of this, and InterLLaVA's tiny
eyes use it.
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
from baselines.event_models.event_segments import Segments, logarithms, segments
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.query_encoder import WIDTH, Asked, Text, TextNet, Texts, text

ROLES = 4  # the first two are a pair
RELATIONS, OWN, COUNTS = 3, 5, 7
ALONE = -2.0  # what it costs a pair to be one segment twice


class Track(NamedTuple):
    """A video as its segments in order of time: (n, values), and their durations in s: (n,)."""

    values: NDArray[np.float32]
    lengths: NDArray[np.float64]

    def taken(self, order: NDArray[np.int64]) -> Track:
        """Its segments in another order."""
        return Track(self.values[order], self.lengths[order])


class Videos(NamedTuple):
    """A batch of tracks, filled up.

    tokens: (n, segments, values); mask: (n, segments); relations: (n, segments, segments,
    RELATIONS) of each pair; own: (n, segments, OWN) of each segment; whole: (n, globals).
    """

    tokens: Tensor
    mask: Tensor
    relations: Tensor
    own: Tensor
    whole: Tensor


class Matcher(nn.Module):
    """Scores texts against videos."""

    def __init__(self, inputs: int, values: int) -> None:
        """inputs: different tokens of texts; values: of all attributes together."""
        super().__init__()
        self.text = TextNet(inputs, values, ROLES)
        self.relations = nn.Linear(WIDTH, RELATIONS)
        self.own = nn.Linear(WIDTH, ROLES * OWN)
        self.whole = nn.Linear(WIDTH, COUNTS + 1 + 2 * values)
        for layer in (self.relations, self.own, self.whole):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.scale = nn.Parameter(torch.zeros(()))

    def wanted(self, texts: Texts) -> Wanted:
        """What the texts look for."""
        asked: Asked = self.text(texts)
        return Wanted(
            asked.roles,
            self.relations(asked.gist),
            self.own(asked.gist).unflatten(1, (ROLES, OWN)),
            self.whole(asked.gist),
        )

    def scores(self, wanted: Wanted, videos: Videos) -> Tensor:
        """Scores: (texts, videos)."""
        pair, others, whole = self.parts(wanted, videos)
        return (pair + others + whole) * (self.scale.exp() / 4)

    def parts(self, wanted: Wanted, videos: Videos) -> tuple[Tensor, Tensor, Tensor]:
        """What scores are made of: the best pair, the other roles, the whole; (texts, videos)."""
        fits = torch.einsum("trv,nsv->trns", wanted.roles, videos.tokens)
        fits = fits + torch.einsum("tro,nso->trns", wanted.own, videos.own)
        fits = fits + torch.where(videos.mask, 0.0, -1e4)
        pairs = fits[:, 0, :, :, None] + fits[:, 1, :, None, :]
        pairs = pairs + torch.einsum("tk,nabk->tnab", wanted.relations, videos.relations)
        alone = torch.eye(pairs.shape[-1], device=pairs.device) * ALONE
        pair = (pairs + alone).flatten(2).amax(2)
        return pair, fits[:, 2:].amax(3).sum(1), wanted.whole @ videos.whole.T


class Wanted(NamedTuple):
    """What texts look for: roles (t, ROLES, values), and weights of relations, segments, wholes."""

    roles: Tensor
    relations: Tensor
    own: Tensor
    whole: Tensor


def laid_out(tracks: Sequence[Track]) -> Videos:
    """Tracks side by side, with what their segments' order and durations say."""
    most = max(len(track.lengths) for track in tracks)
    values = tracks[0].values.shape[1]
    tokens = np.zeros((len(tracks), most, values), np.float32)
    mask = np.zeros((len(tracks), most), bool)
    relations = np.zeros((len(tracks), most, most, RELATIONS), np.float32)
    own = np.zeros((len(tracks), most, OWN), np.float32)
    whole = np.zeros((len(tracks), COUNTS + 1 + 2 * values), np.float32)
    for row, (shows, lengths) in enumerate(tracks):
        here = len(lengths)
        log = np.log(np.maximum(lengths, 0.1))
        ratio = log[:, None] - log[None]
        order = np.sign(np.arange(here)[None] - np.arange(here)[:, None])
        place = np.arange(here)
        mask[row, :here] = True
        tokens[row, :here] = logarithms(shows)
        relations[row, :here, :here] = np.stack(
            [order, 1.5 * np.tanh(ratio), np.tanh(4 * ratio)], axis=2
        )
        ends = [lengths == lengths.max(), lengths == lengths.min(), place == 0, place == here - 1]
        own[row, :here] = np.stack([log - 1, *ends], axis=1)
        whole[row, min(here, COUNTS) - 1] = 1
        whole[row, COUNTS] = log.mean() - 1
        whole[row, COUNTS + 1 :] = np.concatenate([shows.mean(0), shows.min(0)])
    return Videos(*map(torch.from_numpy, (tokens, mask, relations, own, whole)))


def texts(
    known: Lexicon, query: Query, context: Context, shown: Mapping[str, Sequence[int]]
) -> list[tuple[Text, float]]:
    """The texts that a query is read as, each with its weight.

    `last` and `all` are one text; `decayed` is one a turn, n turns back with weight 1/2 to the n.
    shown: by video id the values of the whole video, which a text of `all` begins with.
    """
    said = [*(each.utterance for each in query.history), query.utterance]
    back = range(len(said) - 1, -1, -1)
    if context == "last":
        return [(text(known, [(query.utterance, query.language, 0)]), 1.0)]
    if context == "decayed":
        return [
            (text(known, [(utterance, query.language, 0)]), 0.5**turns)
            for utterance, turns in zip(said, back, strict=True)
        ]
    parts = [
        (utterance, query.language, turns) for utterance, turns in zip(said, back, strict=True)
    ]
    return [(text(known, parts, shown.get(_shown_last(query) or "", ())), 1.0)]


def _shown_last(query: Query) -> str | None:
    """The video of the latest video turn of the history, else of its latest turn with a video.

    Under own history the video of a moment turn is a guess of its own, which rests on fewer words.
    """
    found = [each for each in reversed(query.history) if each.video_id is not None]
    searched = [each.video_id for each in found if each.task == "video"]
    return next(iter([*searched, *(each.video_id for each in found)]), None)


def track(
    rows: NDArray[np.float32], times: NDArray[np.int32], attributes: tuple[Attribute, ...]
) -> Track:
    """A video's track, from its recogniser's rows."""
    found: Segments = segments(rows, times, attributes)
    return Track(found.values, (found.spans[:, 1] - found.spans[:, 0]) / 1000)


def shown(seen: Track, attributes: Sequence[Attribute]) -> tuple[int, ...]:
    """The likeliest values of a whole video."""
    mean = seen.values.mean(axis=0)
    return tuple(
        attribute.first + int(mean[attribute.slice].argmax())
        for attribute in attributes
        if not attribute.of_event
    )
