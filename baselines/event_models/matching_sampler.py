"""Training batches of a matcher: queries with their gold videos, half of them with a foil.

Gold and foil are changed in the same way (order, lengths, an event of another video), so that the
difference between them stays what the query states. Labels are noisy as a recogniser's are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from baselines.dialogue_context import Context
from baselines.event_models.event_segments import add_label_noise
from baselines.event_models.matching import SegmentFeatures, VideoBatch, collate_videos
from baselines.event_models.matching_data import MatchingData, MatchingExample
from baselines.event_models.query_encoder import TextBatch, TokenizedText, collate_texts

BATCH = 48
IN_CONTEXT = 0.8  # share of training queries that are read with the dialogue before them
REORDERED, DISTRACTED = 0.5, 0.3  # shares of pairs in another order, and with an event added
FROM_EVENTS = 0.5  # share of other queries whose gold has annotated instead of found segments
STRETCH = 0.15  # deviation of a duration's logarithm in training


class MatchingSample(NamedTuple):
    """One query of a batch with its gold video, and its foil if it has one."""

    text: TokenizedText
    gold: str
    gold_video: SegmentFeatures
    foil: str | None
    foil_video: SegmentFeatures | None


class MatchingBatch(NamedTuple):
    """A batch of queries.

    texts: of the n queries. videos: their n golds, then the m foils. numbers: (n + m,), equal for
    equal videos. with_foil: (m,), the queries that the foils belong to.
    """

    texts: TextBatch
    videos: VideoBatch
    numbers: Tensor
    with_foil: Tensor


class MatchingSampler:
    """Draws batches: half of the queries have a foil, if the data has foils."""

    def __init__(self, data: MatchingData, context: Context) -> None:
        """context: what the queries read of the dialogue before them."""
        self._data = data
        self._in_context = 0.0 if context == "last" else IN_CONTEXT
        usable = [each for each in data.train if each.foil]
        self._foiled = [e for e in usable if {e.gold, e.foil or ""} <= data.events.keys()]
        self._names = sorted(data.events) or sorted(data.videos)

    def __call__(self, step: int, generator: np.random.Generator) -> list[MatchingSample]:
        """A batch; it depends on `generator` alone."""
        train = self._data.train
        half = BATCH // 2 if self._foiled else 0
        samples = [
            self._with_foil(self._foiled[at], generator)
            for at in generator.integers(max(1, len(self._foiled)), size=half)
        ]
        samples += [
            self._without_foil(train[at], generator)
            for at in generator.integers(len(train), size=BATCH - half)
        ]
        return samples

    def _with_foil(
        self, example: MatchingExample, generator: np.random.Generator
    ) -> MatchingSample:
        events = self._data.events
        gold, foil = events[example.gold], events[example.foil or ""]
        if len(gold.lengths) != len(foil.lengths):
            return self._without_foil(example, generator)
        both = [gold, foil]
        if not example.ordered and generator.random() < REORDERED:
            order = generator.permutation(len(gold.lengths))
            both = [each.reorder(order) for each in both]
        if generator.random() < DISTRACTED:
            both = self._with_distractor(both, generator)
        stretch = np.exp(STRETCH * generator.standard_normal(len(both[0].lengths)))
        both = [each._replace(lengths=each.lengths * stretch) for each in both]
        gold, foil = (self._noisy(each, generator) for each in both)
        text = self._text(example, generator)
        return MatchingSample(text, example.gold, gold, example.foil, foil)

    def _without_foil(
        self, example: MatchingExample, generator: np.random.Generator
    ) -> MatchingSample:
        data = self._data
        source = data.events if generator.random() < FROM_EVENTS else data.videos
        video = source.get(example.gold, data.videos[example.gold])
        stretch = np.exp(STRETCH / 3 * generator.standard_normal(len(video.lengths)))
        video = self._noisy(video._replace(lengths=video.lengths * stretch), generator)
        return MatchingSample(self._text(example, generator), example.gold, video, None, None)

    def _text(self, example: MatchingExample, generator: np.random.Generator) -> TokenizedText:
        return example.in_context if generator.random() < self._in_context else example.alone

    def _with_distractor(
        self, both: list[SegmentFeatures], generator: np.random.Generator
    ) -> list[SegmentFeatures]:
        """The videos with an event of another video, at the same place in each."""
        other = self._data.events[str(generator.choice(self._names))]
        event = generator.integers(len(other.lengths))
        place = generator.integers(len(both[0].lengths) + 1)
        return [
            SegmentFeatures(
                np.insert(each.values, place, other.values[event], axis=0),
                np.insert(each.lengths, place, other.lengths[event]),
            )
            for each in both
        ]

    def _noisy(self, video: SegmentFeatures, generator: np.random.Generator) -> SegmentFeatures:
        data = self._data
        values = add_label_noise(video.values, data.attributes, data.error_rates, generator)
        return video._replace(values=values)


def collate_samples(samples: Sequence[MatchingSample]) -> MatchingBatch:
    """Pad the samples' texts and videos."""
    with_foil = [at for at, sample in enumerate(samples) if sample.foil_video is not None]
    names = [sample.gold for sample in samples] + [str(samples[at].foil) for at in with_foil]
    numbers = {name: at for at, name in enumerate(dict.fromkeys(names))}
    videos = [sample.gold_video for sample in samples]
    videos += [each for sample in samples if (each := sample.foil_video) is not None]
    return MatchingBatch(
        collate_texts([sample.text for sample in samples]),
        collate_videos(videos),
        torch.tensor([numbers[name] for name in names]),
        torch.tensor(with_foil, dtype=torch.int64),
    )
