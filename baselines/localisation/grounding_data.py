"""The questions that a localiser is trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.base import LabelledSplit, MissingInputError
from baselines.event_models.event_annotations import Annotations
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.query_encoder import Text, text
from baselines.event_models.recogniser import Seen
from baselines.localisation.step_features import (
    Footage,
    footage,
)


def named(
    training: LabelledSplit, validation: LabelledSplit | None, found: Annotations
) -> list[str]:
    """The videos of all gold moments, and all annotated ones."""
    golds = [*training.gold, *(validation.gold if validation else ())]
    moments = {str(gold.video_id) for gold in golds if gold.moment is not None}
    return sorted(moments | found.scripts.keys())


class Question(NamedTuple):
    """A moment turn: its text, its video, its gold span in ms, whether it names a relation.

    turn: its place in the split.
    """

    text: Text
    video_id: str
    start: int
    end: int
    related: bool
    turn: int


class Asked(NamedTuple):
    """The questions of both splits and the videos, by id: what is known of them, times of rows."""

    train: list[Question]
    val: list[Question]
    known: Lexicon
    films: dict[str, Footage]
    times: Mapping[str, NDArray[np.int32]]
    found: Annotations

    @classmethod
    def of(
        cls, training: LabelledSplit, validation: LabelledSplit | None, known: Lexicon, seen: Seen,
        found: Annotations,
    ) -> Asked:  # fmt: skip
        """All questions whose video can be read. Raises MissingInputError if train has none."""
        films = footage(seen.rows, seen.times, found.attributes)
        train = _questions(training, known, films)
        if not train:
            raise MissingInputError(
                "no moment turn of the train split has a video that can be read"
            )
        val = _questions(validation, known, films) if validation else []
        return cls(train, val, known, films, seen.times, found)

    def dealt(self, seed: int) -> Asked:
        """A control: the questions' texts dealt out anew among their gold moments."""
        order = np.random.default_rng(seed).permutation(len(self.train))
        texts = [self.train[at].text for at in order]
        return self._replace(
            train=[each._replace(text=text) for each, text in zip(self.train, texts, strict=True)]
        )


def _questions(
    training: LabelledSplit, known: Lexicon, films: Mapping[str, Footage]
) -> list[Question]:
    """The moment turns of a split whose video can be read."""
    found = []
    for at, (turn, gold) in enumerate(zip(training.turns, training.gold, strict=True)):
        video_id = gold.video_id
        if turn.task == "moment" and gold.moment and video_id and video_id in films:
            read = text(known, [(turn.utterance, turn.language, 0)])
            related = "relation" in gold.tags
            span = (gold.moment.start, gold.moment.end)
            found.append(Question(read, video_id, *span, related, at))
    return found
