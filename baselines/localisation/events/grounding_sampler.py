"""Training batches of a localiser: questions, about half of them over a spliced video.

A spliced video is composed of the annotated events of the question's video, in other lengths and
with a recogniser's label noise. If the question names no relation between events, the events also
change their order, some are left out, and one of another video may be added: the answer stays the
event that the question describes. Relations are known only where questions are tagged with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from baselines.event_models.event_segments import (
    add_label_noise,
    apply_actionness,
    error_rates,
    event_frames,
    mean_pool,
)
from baselines.event_models.query_encoder import collate_texts
from baselines.localisation.events.cross_modal_encoder import GroundingBatch
from baselines.localisation.events.grounding_data import GroundingData, GroundingQuestion
from baselines.localisation.events.step_features import (
    Rows,
    StepFeatures,
    collate_steps,
    step_features,
)

BATCH = 32
SPLICED = 0.5  # share of questions over a spliced video, of those whose video is annotated
DROPPED, ADDED = 0.15, 0.5  # shares of events left out, and of videos with an event added
SHORTEST, LONGEST = 0.4, 1.6  # of the gaps between events, as shares of their lengths
STRETCH = 0.2  # deviation of the logarithm of an event's length


class GroundingSample(NamedTuple):
    """A question, the video that it is asked about, the gold moment, and the video's length in ms.

    gold: fractions of the video, (2,).
    """

    question: GroundingQuestion
    steps: StepFeatures
    gold: NDArray[np.float32]
    length: int


class _Piece(NamedTuple):
    """An event of a spliced video: its rows, and whether it is the gold one."""

    rows: Rows
    gold: bool


class GroundingSampler:
    """Draws batches of questions.

    error_rates: (attributes,), of the label noise in spliced videos.
    """

    def __init__(self, data: GroundingData, size: int = BATCH) -> None:
        """size: questions per batch."""
        self._data, self._size = data, size
        self._attributes = data.annotations.attributes
        self._tagged = any(each.related for each in data.train)
        annotated = data.annotations.videos
        self._events = {
            name: edges
            for name in sorted(data.videos.keys() & annotated.keys())
            if (edges := event_frames(data.times[name], annotated[name])) is not None
        }
        self._names = sorted(self._events)
        unseen = [each.values for name, each in data.videos.items() if name not in annotated]
        self.error_rates = error_rates(unseen, self._attributes)

    def __call__(self, step: int, generator: np.random.Generator) -> list[GroundingSample]:
        """A batch; it depends on `generator` alone."""
        train = self._data.train
        places = generator.integers(len(train), size=self._size)
        return [self.sample(train[at], generator) for at in places]

    def sample(
        self, question: GroundingQuestion, generator: np.random.Generator
    ) -> GroundingSample:
        """The question over its own video, or over a spliced one."""
        edges = self._events.get(question.video_id)
        if edges is not None and generator.random() < SPLICED:
            times, middle = self._data.times[question.video_id], (question.start + question.end) / 2
            hits = [at for at, (a, b) in enumerate(edges) if times[a] <= middle <= times[b - 1]]
            if hits:
                return self._splice(question, edges, hits[0], generator)
        video = self._data.videos[question.video_id]
        gold = np.array([question.start, question.end], np.float32) / video.length
        return GroundingSample(question, video.steps, np.minimum(gold, 1), video.length)

    def _splice(
        self, question: GroundingQuestion, edges: NDArray[np.int64], gold: int,
        generator: np.random.Generator,
    ) -> GroundingSample:  # fmt: skip
        """The question over a spliced video; edges: (events, 2) frames of the events."""
        video = self._data.videos[question.video_id]
        rows, related = video.rows, question.related
        pieces = [_Piece(rows[a:b], at == gold) for at, (a, b) in enumerate(edges)]
        if self._tagged and not related:
            pieces = self._rearrange(pieces, generator)
        spliced, bounds = self._join(pieces, _gaps(rows, edges), related, generator)
        values = mean_pool(apply_actionness(spliced, self._attributes), *bounds.T)
        fractions = bounds / len(spliced)
        steps = step_features(spliced, self._attributes, values, fractions)
        where = next(at for at, piece in enumerate(pieces) if piece.gold)
        length = video.length * len(spliced) // len(rows)
        return GroundingSample(question, steps, fractions[where].astype(np.float32), length)

    def _rearrange(self, pieces: list[_Piece], generator: np.random.Generator) -> list[_Piece]:
        """The gold event among some of the others and perhaps a foreign one, in random order."""
        pieces = [piece for piece in pieces if piece.gold or generator.random() > DROPPED]
        if generator.random() < ADDED:
            other = str(generator.choice(self._names))
            a, b = self._events[other][generator.integers(len(self._events[other]))]
            pieces.append(_Piece(np.asarray(self._data.videos[other].rows[a:b]), False))
        return [pieces[at] for at in generator.permutation(len(pieces))]

    def _join(
        self, pieces: list[_Piece], gaps: list[Rows], related: bool, generator: np.random.Generator
    ) -> tuple[Rows, NDArray[np.int64]]:
        """The rows of a spliced video, (frames, values + 1), and its events' frames, (events, 2).

        Lengths of events stay as they are if the question may be about them (related).
        """
        parts, bounds, now = [], [], 0
        for piece in [*pieces, None]:
            gap = gaps[generator.integers(len(gaps))]
            parts.append(_resample(gap, generator.uniform(SHORTEST, LONGEST)))
            now += len(parts[-1])
            if piece is not None:
                scale = 1.0 if related else float(np.exp(STRETCH * generator.standard_normal()))
                parts.append(self._noisy(_resample(piece.rows, scale), generator))
                bounds.append((now, now + len(parts[-1])))
                now += len(parts[-1])
        return np.concatenate(parts), np.array(bounds)

    def _noisy(self, event: Rows, generator: np.random.Generator) -> Rows:
        """An event's rows with one label noise in all of them."""
        mean = event.mean(axis=0, keepdims=True)
        noisy = add_label_noise(mean, self._attributes, self.error_rates, generator)
        return np.asarray(np.maximum(event + noisy - mean, 0), np.float32)


def _gaps(rows: Rows, edges: NDArray[np.int64]) -> list[Rows]:
    """The rows before, between and after the events; the first row if there are none."""
    ends = [0, *edges.ravel(), len(rows)]
    gaps = [rows[a:b] for a, b in zip(ends[::2], ends[1::2], strict=True) if b > a]
    return gaps or [rows[:1]]


def _resample(rows: Rows, scale: float) -> Rows:
    """Rows at another speed: at least one."""
    count = max(1, round(len(rows) * scale))
    return np.asarray(rows[np.arange(count) * len(rows) // count])


def collate_samples(samples: Sequence[GroundingSample]) -> GroundingBatch:
    """Pad the samples' texts and videos."""
    gold = torch.from_numpy(np.stack([each.gold for each in samples]))
    texts = collate_texts([each.question.text for each in samples])
    return GroundingBatch(texts, collate_steps([each.steps for each in samples]), gold)
