"""Batches of queries with their golds' videos and foils."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from baselines.dialogue_context import Context
from baselines.event_models.event_segments import unsure
from baselines.event_models.matching import (
    Track,
    Videos,
    laid_out,
)
from baselines.event_models.matching_data import Lesson, Pair
from baselines.event_models.query_encoder import Text, Texts, batch

BATCH = 48


IN_CONTEXT = 0.8  # share of training queries that are read with the dialogue before them
STRETCH = 0.15  # deviation of a duration's logarithm in training


class Draw:
    """Draws batches: half of the queries have a foil, where there are such."""

    def __init__(self, lesson: Lesson, context: Context) -> None:
        self._lesson = lesson
        self._in_context = 0.0 if context == "last" else IN_CONTEXT
        usable = [pair for pair in lesson.train if pair.foil]
        self._foiled = [p for p in usable if {p.gold, p.foil or ""} <= lesson.events.keys()]
        self._others = lesson.train
        self._names = sorted(lesson.events) or sorted(lesson.tracks)

    def __call__(self, step: int, drawn: np.random.Generator) -> list[Row]:
        half = BATCH // 2 if self._foiled else 0
        rows = [
            self._foil(self._foiled[at], drawn)
            for at in drawn.integers(max(1, len(self._foiled)), size=half)
        ]
        rows += [
            self._plain(self._others[at], drawn)
            for at in drawn.integers(len(self._others), size=BATCH - half)
        ]
        return rows

    def _foil(self, pair: Pair, drawn: np.random.Generator) -> Row:
        events = self._lesson.events
        gold, foil = events[pair.gold], events[pair.foil or ""]
        if len(gold.lengths) != len(foil.lengths):
            return self._plain(pair, drawn)
        both = [gold, foil]
        if not pair.ordered and drawn.random() < 0.5:
            order = drawn.permutation(len(gold.lengths))
            both = [each.taken(order) for each in both]
        if drawn.random() < 0.3:
            both = self._distracted(both, drawn)
        stretch = np.exp(STRETCH * drawn.standard_normal(len(both[0].lengths)))
        both = [each._replace(lengths=each.lengths * stretch) for each in both]
        one, other = (self._noisy(each, drawn) for each in both)
        return Row(self._text(pair, drawn), pair.gold, one, pair.foil, other)

    def _plain(self, pair: Pair, drawn: np.random.Generator) -> Row:
        source = self._lesson.events if drawn.random() < 0.5 else self._lesson.tracks
        found = source.get(pair.gold, self._lesson.tracks[pair.gold])
        stretch = np.exp(STRETCH / 3 * drawn.standard_normal(len(found.lengths)))
        found = self._noisy(found._replace(lengths=found.lengths * stretch), drawn)
        return Row(self._text(pair, drawn), pair.gold, found, None, None)

    def _text(self, pair: Pair, drawn: np.random.Generator) -> Text:
        return pair.whole if drawn.random() < self._in_context else pair.alone

    def _distracted(self, both: list[Track], drawn: np.random.Generator) -> list[Track]:
        """The tracks with an event of another video, at the same place in each."""
        other = self._lesson.events[str(drawn.choice(self._names))]
        event, place = drawn.integers(len(other.lengths)), drawn.integers(len(both[0].lengths) + 1)
        return [
            Track(
                np.insert(each.values, place, other.values[event], axis=0),
                np.insert(each.lengths, place, other.lengths[event]),
            )
            for each in both
        ]

    def _noisy(self, each: Track, drawn: np.random.Generator) -> Track:
        lesson = self._lesson
        return each._replace(values=unsure(each.values, lesson.attributes, lesson.doubt, drawn))


class Row(NamedTuple):
    """One query of a batch with its gold video, and its foil if it has one."""

    text: Text
    gold: str
    shows: Track
    foil: str | None
    foil_shows: Track | None


class Rows(NamedTuple):
    """A batch: texts, their golds' videos and then the foils', which video each is, whose foil."""

    texts: Texts
    videos: Videos
    numbers: Tensor
    foiled: Tensor


def collate(rows: Sequence[Row]) -> Rows:
    foiled = [at for at, row in enumerate(rows) if row.foil_shows is not None]
    names = [row.gold for row in rows] + [str(rows[at].foil) for at in foiled]
    number = {name: at for at, name in enumerate(dict.fromkeys(names))}
    tracks = [row.shows for row in rows]
    tracks += [each for row in rows if (each := row.foil_shows) is not None]
    return Rows(
        batch([row.text for row in rows]),
        laid_out(tracks),
        torch.tensor([number[name] for name in names]),
        torch.tensor(foiled, dtype=torch.int64),
    )
