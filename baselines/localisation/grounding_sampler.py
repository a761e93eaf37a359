"""Batches of questions, some in a video put together anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from baselines.event_models.event_segments import doubts, gate, of_events, pooled, unsure
from baselines.event_models.query_encoder import batch
from baselines.localisation.cross_modal_encoder import (
    Batch,
)
from baselines.localisation.grounding_data import Asked, Question
from baselines.localisation.step_features import (
    Rows,
    Scene,
    scene,
    together,
)

BATCH = 32


SPLICED = 0.5  # share of training scenes that are put together anew, where that is sound


class Drawn(NamedTuple):
    """A question, a scene that it is asked of, its gold moment and the scene's length in ms.

    gold: fractions of the scene, (2,).
    """

    asked: Question
    scene: Scene
    gold: NDArray[np.float32]
    length: int


class Draw:
    """Draws questions, some of them in a video that is put together anew.

    What a question without a relation asks for stays what it is if the other events change places,
    go, or are joined by one of another video. Only where relations are tagged is that known.
    """

    def __init__(self, asked: Asked, size: int = BATCH) -> None:
        """size: questions of a batch."""
        self._asked, self._films, self._size = asked.train, asked.films, size
        found = asked.found
        self._attributes = found.attributes
        self._tagged = any(each.related for each in asked.train)
        self._events = {
            name: edges
            for name in sorted(asked.films.keys() & found.scripts.keys())
            if (edges := of_events(asked.times[name], found.scripts[name])) is not None
        }
        self._names = sorted(self._events)
        unseen = [film.values for name, film in asked.films.items() if name not in found.scripts]
        self._doubt = doubts(unseen, found.attributes)
        self._times = asked.times

    def __call__(self, step: int, drawn: np.random.Generator) -> list[Drawn]:
        """A batch; nothing but `drawn` decides."""
        places = drawn.integers(len(self._asked), size=self._size)
        return [self._one(self._asked[at], drawn) for at in places]

    def _one(self, asked: Question, drawn: np.random.Generator) -> Drawn:
        film = self._films[asked.video_id]
        middle = (asked.start + asked.end) / 2
        edges = self._events.get(asked.video_id)
        if edges is not None and drawn.random() < SPLICED:
            times = self._times[asked.video_id]
            hits = [at for at, (a, b) in enumerate(edges) if times[a] <= middle <= times[b - 1]]
            if hits:
                made, where, rows = self._anew(film.rows, edges, hits[0], asked.related, drawn)
                return Drawn(asked, made, where, film.length * rows // len(film.rows))
        gold = np.array([asked.start, asked.end], np.float32) / film.length
        return Drawn(asked, film.scene, np.minimum(gold, 1), film.length)

    def _anew(
        self, rows: Rows, edges: NDArray[np.int64], gold: int, related: bool,
        drawn: np.random.Generator,
    ) -> tuple[Scene, NDArray[np.float32], int]:  # fmt: skip
        """A scene of the events in other lengths, and if not related in another order.

        Also returns the gold moment as fractions of it, and how many rows it has.
        """
        pieces = [(rows[a:b], at == gold) for at, (a, b) in enumerate(edges)]
        if self._tagged and not related:
            pieces = [p for p in pieces if p[1] or drawn.random() > 0.15]
            if drawn.random() < 0.5:
                other = str(drawn.choice(self._names))
                a, b = self._events[other][drawn.integers(len(self._events[other]))]
                pieces.append((np.asarray(self._films[other].rows[a:b]), False))
            pieces = [pieces[at] for at in drawn.permutation(len(pieces))]
        ends = [0, *edges.ravel(), len(rows)]
        gaps = [rows[a:b] for a, b in zip(ends[::2], ends[1::2], strict=True) if b > a] or [
            rows[:1]
        ]
        film, bounds, now = [], [], 0
        for piece, _ in [*pieces, (None, False)]:
            gap = _resampled(gaps[drawn.integers(len(gaps))], drawn.uniform(0.4, 1.6))
            film.append(gap)
            now += len(gap)
            if piece is not None:
                scale = 1.0 if related else float(np.exp(0.2 * drawn.standard_normal()))
                shot = self._doubted(_resampled(piece, scale), drawn)
                film.append(shot)
                bounds.append((now, now + len(shot)))
                now += len(shot)
        everything, cuts = np.concatenate(film), np.array(bounds)
        values = pooled(gate(everything, self._attributes), *cuts.T)
        made = scene(everything, self._attributes, values, cuts / len(everything))
        which = next(at for at, (_, is_gold) in enumerate(pieces) if is_gold)
        return made, (cuts[which] / len(everything)).astype(np.float32), len(everything)

    def _doubted(self, shot: Rows, drawn: np.random.Generator) -> Rows:
        """An event as an unsure recogniser would have it throughout."""
        mean = shot.mean(axis=0, keepdims=True)
        return np.asarray(
            np.maximum(shot + unsure(mean, self._attributes, self._doubt, drawn) - mean, 0),
            np.float32,
        )


def _resampled(rows: Rows, scale: float) -> Rows:
    """Rows at another speed: one at least."""
    count = max(1, round(len(rows) * scale))
    return np.asarray(rows[np.arange(count) * len(rows) // count])


def collate(rows: Sequence[Drawn]) -> Batch:
    gold = torch.from_numpy(np.stack([each.gold for each in rows]))
    return Batch(batch([each.asked.text for each in rows]), together([r.scene for r in rows]), gold)
