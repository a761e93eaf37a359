"""Tiny InterLLaVA's training examples (IVCR-Mini only: needs annotated events), as drawn.

The candidates of a video turn are in random order. They are the given ones, or hard negatives: the
videos that the matcher scores highest. The gold video is always among them. So the number in the
answer depends on the gold video's position and on nothing else. A moment turn is drawn as
baselines/localisation/events/grounding_sampler.py draws it. Candidates get the label noise of an
uncertain recogniser.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.base import Query
from baselines.event_models.event_annotations import Attribute
from baselines.event_models.event_segments import add_label_noise
from baselines.event_models.query_encoder import TokenizedText
from baselines.interllava import prompts
from baselines.interllava.reference_answers import TargetAnswers
from baselines.interllava.tiny.tiny_frame_encoder import CandidateFeatures
from baselines.interllava.training import MAX_CANDIDATES
from baselines.localisation.events.grounding_sampler import GroundingSample, GroundingSampler
from baselines.localisation.events.step_features import StepFeatures

BATCH_SIZE = 16
GIVEN_SHARE = 0.5  # of lists made from the given candidates, not from hard negatives
FOIL_SHARE = 0.7  # of lists that contain the foil, where there is one
CHAT_EVERY = 16  # one batch in so many is of chat turns


class SearchTurn(NamedTuple):
    """A video turn: its query, its text for the matcher, gold, foil, the candidates given.

    negatives: hard ones: the videos that the matcher scores highest, without the gold one.
    """

    query: Query
    text: TokenizedText
    gold: str
    foil: str | None
    given: tuple[str, ...]
    negatives: tuple[str, ...] = ()


class TinyTrainingData(NamedTuple):
    """What examples are drawn from.

    candidates: by video id. error_rates: (attributes,) of the recogniser. moments: draws moment
    turns. queries: all turns of the train split, in order. chats: chat turns and their answers.
    answers: by language and task, reference answers that name a number or a span.
    """

    candidates: Mapping[str, CandidateFeatures]
    attributes: tuple[Attribute, ...]
    error_rates: NDArray[np.float64]
    searches: Sequence[SearchTurn]
    moments: GroundingSampler
    queries: Sequence[Query]
    chats: Sequence[tuple[Query, str]]
    answers: TargetAnswers


class TurnExample(NamedTuple):
    """One turn of a batch; what it shows depends on its task.

    answer: to train on; none: it is to be generated. text: for the matcher, or for the grounder.
    candidates: of a video turn; numbers: theirs (none: 1, 2, ...). steps and length in ms: of a
    moment turn's video; gold: (2,) its moment in fractions of that video. number: of the gold
    candidate, or of the moment turn's video.
    """

    query: Query
    answer: str | None = None
    text: TokenizedText | None = None
    candidates: tuple[CandidateFeatures, ...] = ()
    numbers: tuple[int, ...] = ()
    steps: StepFeatures | None = None
    length: int = 0
    gold: NDArray[np.float32] | None = None
    number: int = 1


class ExampleSampler:
    """Draws batches of one task: moment and video turns by turns, chat turns now and then."""

    def __init__(self, data: TinyTrainingData, *, with_chats: bool = True) -> None:
        """with_chats: whether chat turns are drawn."""
        self._data, self._chats = data, data.chats if with_chats else ()

    def __call__(self, step: int, rng: np.random.Generator) -> list[TurnExample]:
        """A batch; it depends on `rng` and the step alone."""
        data = self._data
        if self._chats and step % CHAT_EVERY == CHAT_EVERY - 1:
            places = rng.integers(len(self._chats), size=BATCH_SIZE)
            return [TurnExample(*self._chats[at]) for at in places]
        if step % 2:
            places = rng.integers(len(data.searches), size=BATCH_SIZE)
            return [self._search(data.searches[at], rng) for at in places]
        return [self._moment(each, rng) for each in data.moments(step, rng)]

    def _search(self, turn: SearchTurn, rng: np.random.Generator) -> TurnExample:
        source = turn.given if rng.random() < GIVEN_SHARE else turn.negatives
        others = [str(name) for name in rng.permutation([n for n in source if n != turn.gold])]
        if turn.foil is not None and rng.random() < FOIL_SHARE:
            others = [turn.foil, *(name for name in others if name != turn.foil)]
        names = [turn.gold, *others[: MAX_CANDIDATES - 1]]
        order = [names[at] for at in rng.permutation(len(names))]
        number = order.index(turn.gold) + 1
        answer = prompts.rewrite_answer(self._answer(turn.query, "video", rng), number)
        candidates = tuple(self._add_noise(self._data.candidates[name], rng) for name in order)
        return TurnExample(turn.query, answer, turn.text, candidates, number=number)

    def _moment(self, each: GroundingSample, rng: np.random.Generator) -> TurnExample:
        query = self._data.queries[each.question.turn]
        number = int(rng.integers(MAX_CANDIDATES)) + 1
        start, end = (float(at) * each.length / 1000 for at in each.gold)
        answer = prompts.rewrite_answer(
            self._answer(query, "moment", rng), number, prompts.round_span(start, end)
        )
        return TurnExample(
            query, answer, each.question.text, steps=each.steps, length=each.length, gold=each.gold,
            number=number,
        )  # fmt: skip

    def _answer(
        self, query: Query, task: Literal["video", "moment"], rng: np.random.Generator
    ) -> str:
        """A reference answer of the query's language that names a number or a span."""
        key = (query.language, task)
        answers = self._data.answers.get(key) or [prompts.DEFAULT_ANSWERS[key]]
        return answers[int(rng.integers(len(answers)))]

    def _add_noise(
        self, candidate: CandidateFeatures, rng: np.random.Generator
    ) -> CandidateFeatures:
        attributes, rates = self._data.attributes, self._data.error_rates
        contents = add_label_noise(candidate.contents, attributes, rates / 2, rng)
        values = add_label_noise(candidate.segments.values, attributes, rates, rng)
        segments = candidate.segments._replace(values=values)
        return CandidateFeatures(contents, segments, candidate.length)
