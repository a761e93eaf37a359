"""Training examples: the candidates of a video turn in an order that is drawn anew each time.

The candidates are those of the turn's list, which the benchmark's first stage made, or random
videos of the train corpus. The gold video is put in where it is missing. So the number in the
answer depends on the gold video's place in the drawn order and on nothing else. Places in the first
stage's list are told only where the list is whole, else the gold video would be known by its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from baselines.base import Query
from baselines.interllava import prompts
from baselines.interllava.listwise.listwise_network import (
    CANDIDATE_TOKENS,
    NOT_TOLD,
    FrameInputs,
)
from baselines.interllava.reference_answers import TargetAnswers, target_answer
from baselines.interllava.tokenizer import Tokenizer, time_word
from baselines.interllava.training import MAX_CANDIDATES, TurnBatch
from baselines.interllava.video_marks import candidate_marks, step_marks
from baselines.localisation.heads import STEPS
from baselines.localisation.moment_data import Encode
from baselines.localisation.video_steps import RowSource
from baselines.networks.text_network import collate_tokens
from baselines.video.feature_cache import Rows
from harness.records import Task

BATCH_SIZE = 16
GIVEN_SHARE = 0.75  # of video turns whose candidates are those of their list, not random ones
TOLD_SHARE = 0.75  # of whole lists whose places are told
CHAT_EVERY = 16  # one batch in so many is of chat turns


class ListTurn(NamedTuple):
    """A video turn: its query, its gold video, its list of candidates, without unreadable ones.

    places: of the candidates in the list as it was given, from 1.
    """

    query: Query
    gold: str
    given: tuple[str, ...]
    places: tuple[int, ...]


class SpanTurn(NamedTuple):
    """A moment turn: its query, its gold video and span in ms."""

    query: Query
    video_id: str
    start: int
    end: int


class ListwiseTurns(NamedTuple):
    """What examples are drawn from; pool: the videos that random candidates come from."""

    lists: Sequence[ListTurn]
    spans: Sequence[SpanTurn]
    chats: Sequence[tuple[Query, str]]
    pool: Sequence[str]
    answers: TargetAnswers


class ListwiseExample(NamedTuple):
    """One turn of a batch.

    answer: to train on; none: it is to be generated. videos: (STEPS, width) each; of a video turn
    all candidates, with their numbers and their places in the first stage's list (NOT_TOLD: not
    told); of a moment turn one, with its number and its length in ms. gold: the gold candidate's
    place among `videos`, from 1, or a moment as fractions of the video, (2,). names: the ids of the
    videos.
    """

    task: Task
    query: Query
    answer: str | None = None
    videos: tuple[Rows, ...] = ()
    numbers: tuple[int, ...] = ()
    ranks: tuple[int, ...] = ()
    length: int = 0
    gold: int | NDArray[np.float32] | None = None
    names: tuple[str, ...] = ()


class ListwiseSampler:
    """Draws batches of one task: moment and video turns by turns, chat turns now and then."""

    def __init__(
        self, turns: ListwiseTurns, rows: RowSource, *, chats: bool = True, size: int = BATCH_SIZE
    ) -> None:
        """chats: whether chat turns are drawn; size: of a batch."""
        self._turns, self._rows, self._size = turns, rows, size
        self._chats = turns.chats if chats else ()

    def __call__(self, step: int, rng: np.random.Generator) -> list[ListwiseExample]:
        """A batch; it depends on `rng` and the step alone."""
        turns = self._turns
        if self._chats and step % CHAT_EVERY == CHAT_EVERY - 1:
            return self._some(self._chats, lambda each, _: chat_example(*each), rng)
        if turns.spans and (step % 2 == 0 or not turns.lists):
            return self._some(turns.spans, self._moment, rng)
        return self._some(turns.lists, self._choice, rng)

    def _some(
        self,
        source: Sequence[Any],
        example: Callable[[Any, np.random.Generator], ListwiseExample],
        rng: np.random.Generator,
    ) -> list[ListwiseExample]:
        places = rng.integers(len(source), size=self._size)
        return [example(source[at], rng) for at in places]

    def _choice(self, turn: ListTurn, rng: np.random.Generator) -> ListwiseExample:
        is_given = bool(turn.given) and rng.random() < GIVEN_SHARE
        is_told = is_given and turn.gold in turn.given and rng.random() < TOLD_SHARE
        source = turn.given if is_given else self._turns.pool
        shuffled = [source[at] for at in rng.permutation(len(source))]
        others = [name for name in shuffled if name != turn.gold][: MAX_CANDIDATES - 1]
        names = [turn.gold, *others]
        order = [names[at] for at in rng.permutation(len(names))]
        number = order.index(turn.gold) + 1
        place = dict(zip(turn.given, turn.places, strict=True)) if is_told else {}
        answer = target_answer(
            self._turns.answers, turn.query.language, "video", int(rng.integers(1 << 30))
        )
        return ListwiseExample(
            "video",
            turn.query,
            prompts.rewrite_answer(answer, number),
            tuple(self._rows.draw(name, rng) for name in order),
            tuple(range(1, len(order) + 1)),
            tuple(place.get(name, NOT_TOLD) for name in order),
            gold=number,
            names=tuple(order),
        )

    def _moment(self, turn: SpanTurn, rng: np.random.Generator) -> ListwiseExample:
        number, end = int(rng.integers(MAX_CANDIDATES)) + 1, self._rows.end(turn.video_id)
        answer = target_answer(
            self._turns.answers, turn.query.language, "moment", int(rng.integers(1 << 30))
        )
        span = prompts.round_span(turn.start / 1000, turn.end / 1000)
        return ListwiseExample(
            "moment",
            turn.query,
            prompts.rewrite_answer(answer, number, span),
            (self._rows.draw(turn.video_id, rng),),
            (number,),
            length=end,
            gold=np.array([turn.start / end, turn.end / end], np.float32),
            names=(turn.video_id,),
        )


def chat_example(query: Query, answer: str | None) -> ListwiseExample:
    """A chat turn."""
    return ListwiseExample("chat", query, answer)


class ListwiseCollator:
    """Makes batches of examples."""

    def __init__(self, tokenizer: Tokenizer, encode: Encode, candidate_tokens: int) -> None:
        """encode: texts for the reader. candidate_tokens: of a candidate."""
        self._tokenizer, self._encode, self._tokens = tokenizer, encode, candidate_tokens

    def __call__(self, examples: Sequence[ListwiseExample]) -> TurnBatch:
        """A batch of examples of one task; all have an answer or none has."""
        rows = [self._token_row(each) for each in examples]
        tokens, answers = prompts.pad_rows(rows, self._tokenizer.end), [row.answer for row in rows]
        task = examples[0].task
        visual = None if task == "chat" else self._visual(examples)
        return TurnBatch(task, tokens, visual, answers)

    def _visual(self, examples: Sequence[ListwiseExample]) -> FrameInputs:
        texts = collate_tokens([self._encode(each.query.utterance) for each in examples])
        counts = [len(each.videos) for each in examples]
        videos = np.stack([video for each in examples for video in each.videos])
        known: dict[str, int] = {}
        numbers = [known.setdefault(name, len(known)) for each in examples for name in each.names]
        marks, spans = _gold(examples, counts)
        return FrameInputs(
            torch.from_numpy(videos),
            texts.tokens,
            texts.mask,
            torch.arange(len(examples)).repeat_interleave(torch.tensor(counts)),
            torch.tensor([rank for each in examples for rank in each.ranks], dtype=torch.long),
            counts,
            marks,
            spans,
            torch.tensor(numbers),
        )

    def _token_row(self, each: ListwiseExample) -> prompts.TokenRow:
        if each.task == "video":
            prompt = prompts.choice_prompt(each.query, each.numbers)
            words = [[self._word(str(number))] * self._tokens for number in each.numbers]
        elif each.task == "moment":
            prompt = prompts.grounding_prompt(each.query, each.numbers[0])
            words = [[self._word(time) for time in step_times(each.length)]]
        else:
            prompt, words = prompts.chat_prompt(each.query), []
        return prompts.encode_row(self._tokenizer, prompt, words, each.answer)

    def _word(self, word: str) -> int:
        return self._tokenizer.token_id(word)


def _gold(
    examples: Sequence[ListwiseExample], counts: Sequence[int]
) -> tuple[Tensor | None, Tensor | None]:
    """The marks and the spans of examples that have a gold candidate, or a gold moment."""
    golds = [each.gold for each in examples]
    if any(gold is None for gold in golds):
        return None, None
    if examples[0].task == "moment":
        spans: Any = golds
        return step_marks(spans), torch.from_numpy(np.stack(spans))
    places: Any = list(zip(golds, counts, strict=True))
    return candidate_marks(places, CANDIDATE_TOKENS), None


def step_times(length: int) -> list[str]:
    """The middle of each step of a video of `length` ms, in seconds."""
    return [time_word((2 * at + 1) * length // (2 * STEPS)) for at in range(STEPS)]
