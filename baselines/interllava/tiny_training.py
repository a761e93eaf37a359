"""What InterLLaVA's tiny configuration learns from: words, then tokens of videos, then both.

Published language models read, and published Q-Formers see, before they are put together; so here.
First the language model learns, all its weights, to read the train split's dialogues, in which
tokens of videos are made up: each says (in directions that are drawn once, `marks`) whether its
candidate is the gold one, or whether its frame is inside the moment, its first, its last. Then
what leads from frames to tokens learns to say that. At last both are put together (teaching.py):
the language model is frozen but for its LoRA adapters, and all that leads to tokens learns on.

A video turn is asked of candidates in random order, the given ones or the gold video's rivals by
the matcher's scores, the gold always among them: so the number in the answer says nothing but where
the gold stands. A moment turn is asked as grounding_training.py draws it. Videos are seen as an
unsure recogniser might see them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from baselines.base import Query
from baselines.event_models.event_annotations import Attribute
from baselines.event_models.event_segments import add_label_noise
from baselines.event_models.matching import collate_videos
from baselines.event_models.query_encoder import TokenizedText, collate_texts
from baselines.interllava import losses, prompts
from baselines.interllava.prompts import Row
from baselines.interllava.tiny_model import (
    FIRST,
    FORM,
    FRAMES,
    GOLD,
    INSIDE,
    LAST,
    MARKS,
    Eyes,
    Glimpse,
    TinyNet,
)
from baselines.interllava.tokenizer import Words
from baselines.interllava.training import CANDIDATES, Batch, Form
from baselines.localisation.grounding_sampler import GroundingSample, GroundingSampler
from baselines.localisation.step_features import STEPS, StepFeatures
from baselines.training.fit import one_cycle
from harness.records import Language

SIZE, DECAY = 16, 1e-2
READ_RATE, SEE_RATE = 3e-3, 3e-3
PROMPTS = 0.3  # how much the words of prompts count beside those of answers
BLUR, NOISE = 0.2, 0.05  # of made-up tokens: of what they say, and of all else
SHARP = 10.0  # logits of what tokens say
TRUE = 0.1  # weight of the squared error of what tokens say
RIVALS = 30  # of which a list is drawn
LISTED, FOILED = (
    0.5,
    0.7,
)  # shares of the given lists, and of lists with the foil where there is one
TALK = 16  # each so many steps one is of chat turns


class Search(NamedTuple):
    """A video turn: its query, its text for the matcher, gold, foil, the candidates it was given.

    rivals: the videos that the matcher puts highest, the gold aside.
    """

    query: Query
    text: TokenizedText
    gold: str
    foil: str | None
    listed: tuple[str, ...]
    rivals: tuple[str, ...] = ()


class Lesson(NamedTuple):
    """What is learnt from.

    doubt: by attribute how often a sound recogniser errs. queries: of all turns of the train split,
    in order. talks: chat turns with their answers. answers: reference answers that name what is
    asked for, by language and task.
    """

    words: Words
    eyes: Eyes
    glimpses: Mapping[str, Glimpse]
    attributes: tuple[Attribute, ...]
    doubt: NDArray[np.float64]
    searches: Sequence[Search]
    moments: GroundingSampler
    queries: Sequence[Query]
    talks: Sequence[tuple[Query, str]]
    answers: Mapping[tuple[Language, Literal["video", "moment"]], Sequence[str]]


class Example(NamedTuple):
    """One turn of a batch; what is looked at depends on its kind.

    answer: to learn; none: to be generated. text: for the matcher, or for the reader of steps.
    candidates: of a video turn, numbers: theirs (none: 1, 2 ...). scene, length in ms: of a moment
    turn's video, gold: its moment in fractions of that. number: of the gold candidate, or of the
    moment's video.
    """

    query: Query
    answer: str | None = None
    text: TokenizedText | None = None
    candidates: tuple[Glimpse, ...] = ()
    numbers: tuple[int, ...] = ()
    scene: StepFeatures | None = None
    length: int = 0
    gold: NDArray[np.float32] | None = None
    number: int = 1


def with_rivals(
    searches: Sequence[Search], eyes: Eyes, seen: Mapping[str, Glimpse]
) -> list[Search]:
    """Searches with their golds' rivals among the videos of all searches."""
    names = sorted({each.gold for each in searches} | {f for s in searches if (f := s.foil)})
    videos = collate_videos([seen[name].track for name in names])
    found = []
    with torch.no_grad():
        for each in searches:
            scores = eyes.matcher.scores(
                eyes.matcher.query_weights(collate_texts([each.text])), videos
            )[0]
            best = [names[at] for at in scores.argsort(descending=True, stable=True)[: RIVALS + 1]]
            found.append(each._replace(rivals=tuple(name for name in best if name != each.gold)))
    return found


class Examples:
    """Draws batches of one kind each: video and moment turns in turn, now and then chat turns."""

    def __init__(self, lesson: Lesson, *, talking: bool = True) -> None:
        """talking: whether chat turns are drawn."""
        self._lesson, self._talks = lesson, lesson.talks if talking else ()

    def __call__(self, step: int, drawn: np.random.Generator) -> list[Example]:
        """A batch; nothing but `drawn` and the step decides."""
        lesson = self._lesson
        if self._talks and step % TALK == TALK - 1:
            places = drawn.integers(len(self._talks), size=SIZE)
            return [Example(*self._talks[at]) for at in places]
        if step % 2:
            places = drawn.integers(len(lesson.searches), size=SIZE)
            return [self._search(lesson.searches[at], drawn) for at in places]
        return [self._moment(each, drawn) for each in lesson.moments(step, drawn)]

    def _search(self, asked: Search, drawn: np.random.Generator) -> Example:
        source = asked.listed if drawn.random() < LISTED else asked.rivals
        others = [str(name) for name in drawn.permutation([n for n in source if n != asked.gold])]
        if asked.foil is not None and drawn.random() < FOILED:
            others = [asked.foil, *(name for name in others if name != asked.foil)]
        names = [asked.gold, *others[: CANDIDATES - 1]]
        shown = [names[at] for at in drawn.permutation(len(names))]
        number = shown.index(asked.gold) + 1
        told = prompts.retold(self._answer(asked.query, "video", drawn), number)
        seen = tuple(self._noisy(self._lesson.glimpses[name], drawn) for name in shown)
        return Example(asked.query, told, asked.text, seen, number=number)

    def _moment(self, each: GroundingSample, drawn: np.random.Generator) -> Example:
        query = self._lesson.queries[each.question.turn]
        number = int(drawn.integers(CANDIDATES)) + 1
        start, end = (float(at) * each.length / 1000 for at in each.gold)
        answer = self._answer(query, "moment", drawn)
        told = prompts.retold(answer, number, prompts.tidy(start, end))
        return Example(
            query, told, each.question.text, scene=each.steps, length=each.length, gold=each.gold,
            number=number,
        )  # fmt: skip

    def _answer(
        self, query: Query, kind: Literal["video", "moment"], drawn: np.random.Generator
    ) -> str:
        """Some reference answer of that language that names what such a turn asks for."""
        where = (query.language, kind)
        among = self._lesson.answers.get(where) or (prompts.PLAIN[where],)
        return among[int(drawn.integers(len(among)))]

    def _noisy(self, seen: Glimpse, drawn: np.random.Generator) -> Glimpse:
        lesson = self._lesson
        shows = add_label_noise(seen.shows, lesson.attributes, lesson.doubt / 2, drawn)
        values = add_label_noise(seen.track.values, lesson.attributes, lesson.doubt, drawn)
        return Glimpse(shows, seen.track._replace(values=values), seen.length)


class Collate:
    """Makes batches of examples: their tokens, and what frozen eyes see."""

    def __init__(self, words: Words, eyes: Eyes) -> None:
        self._words, self._eyes = words, eyes

    def __call__(self, examples: Sequence[Example]) -> Batch:
        """A batch of examples of one kind, all with an answer or none."""
        rows = [self._row(each) for each in examples]
        spelt = [row.spelt for row in rows]
        laid = prompts.rows(rows, self._words.end)
        texts = [each.text for each in examples if each.text is not None]
        if examples[0].candidates:
            sight = self._eyes.candidates(texts, [each.candidates for each in examples])
            marks = numbered([(each.number, len(each.candidates)) for each in examples])
            return Batch("video", laid, sight._replace(marks=marks), spelt)
        scenes = [each.scene for each in examples if each.scene is not None]
        if not scenes:
            return Batch("chat", laid, None, spelt)
        sight = self._eyes.steps(texts, scenes, [each.length for each in examples])
        golds = [each.gold for each in examples if each.gold is not None]
        if golds:
            sight = sight._replace(marks=timed(golds))
        return Batch("moment", laid, sight, spelt)

    def _row(self, each: Example) -> Row:
        if each.candidates:
            numbers = each.numbers or tuple(range(1, len(each.candidates) + 1))
            prompt, added = (
                prompts.choosing(each.query, numbers),
                self._eyes.number_words(numbers),
            )
        elif each.scene is not None:
            prompt = prompts.grounding(each.query, each.number)
            added = [self._eyes.time_words(each.length)]
        else:
            prompt, added = prompts.talking(each.query), []
        return prompts.row(self._words, prompt, added, each.answer)


def numbered(golds: Sequence[tuple[int, int]]) -> Tensor:
    """The marks of candidates' tokens, from the gold one's number and how many there are."""
    gold = [number == at for number, count in golds for at in range(1, count + 1)]
    marks = torch.zeros(len(gold), FORM.tokens(FRAMES), MARKS)
    marks[gold, :, GOLD] = 1
    return marks.flatten(0, 1)


def timed(golds: Sequence[NDArray[np.float32]]) -> Tensor:
    """The marks of steps' tokens, from the gold moments as fractions of the videos."""
    centres = (torch.arange(STEPS) + 0.5) / STEPS
    gold = torch.from_numpy(np.stack(golds))
    marks = torch.zeros(len(gold), STEPS, MARKS)
    marks[..., INSIDE] = ((centres >= gold[:, :1]) & (centres < gold[:, 1:])).float()
    own = torch.arange(len(gold))
    marks[own, (gold[:, 0] * STEPS).long().clamp(0, STEPS - 1), FIRST] = 1
    marks[own, ((gold[:, 1] * STEPS).ceil().long() - 1).clamp(0, STEPS - 1), LAST] = 1
    return marks.flatten(0, 1)


class Reading(pl.LightningModule):
    """Trains the language model on dialogues with made-up tokens of videos."""

    def __init__(self, network: TinyNet, words: Words, form: Form) -> None:
        """form: if numbers and spans are learnt as `spelt`, they are so here."""
        super().__init__()
        self.network, self._spelling, self._form = network, words.spelling(CANDIDATES), form
        self._placeholder = words.placeholder

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """The losses of answers, of prompts, of numbers and spans."""
        logits = self.network.net(batch.rows, self._made_up(batch))
        unsaid = (batch.rows.mask == 0) | (batch.rows.ids == self._placeholder)
        everything = batch.rows.ids.masked_fill(unsaid, losses.IGNORED)
        loss = losses.of_words(logits, batch.rows.labels)
        loss = loss + PROMPTS * losses.of_words(logits, everything)
        if self._form != "spelt":
            return loss
        return loss + losses.spelt(logits, batch.spelt, self._spelling)

    def _made_up(self, batch: Batch) -> Tensor | None:
        if batch.sight is None:
            return None
        marks = batch.sight.marks
        tokens = self.network.saying(marks + BLUR * torch.randn_like(marks))
        return tokens + NOISE * torch.randn_like(tokens)

    def configure_gradient_clipping(self, optimizer: Any, *_: Any, **__: Any) -> None:
        """Gradients of length 1 at most."""
        self.clip_gradients(optimizer, gradient_clip_val=1.0, gradient_clip_algorithm="norm")

    def configure_optimizers(self) -> Any:
        """AdamW with one cycle of its rate, for the language model alone."""
        return one_cycle(self, READ_RATE, DECAY, self.network.net.language.parameters())


class Seeing(pl.LightningModule):
    """Trains what leads from frames to tokens."""

    def __init__(self, network: TinyNet) -> None:
        super().__init__()
        self.network = network

    def training_step(self, batch: Batch, _: int) -> Tensor:
        """Which candidate is the gold one; which steps are inside, the first, the last."""
        tokens = self.network.looked(batch)
        if tokens is None:
            raise ValueError("a batch without videos teaches nothing to see")
        said, marks = self.network.said(tokens), batch.sight.marks
        loss = TRUE * nn.functional.mse_loss(said, marks)
        if batch.kind == "video":
            return loss + _choice(said, batch)
        said, marks = (part.view(-1, STEPS, MARKS) for part in (said, marks))
        inside = SHARP * (said[..., INSIDE] - 0.5)
        loss = loss + nn.functional.binary_cross_entropy_with_logits(inside, marks[..., INSIDE])
        for mark in (FIRST, LAST):
            loss = loss + nn.functional.cross_entropy(SHARP * said[..., mark], marks[..., mark])
        return loss

    def configure_optimizers(self) -> Any:
        """AdamW with one cycle of its rate, for all but the language model."""
        seeing = (self.network.choosing, self.network.grounding, self.network.net.tokens)
        return one_cycle(self, SEE_RATE, DECAY, [w for part in seeing for w in part.parameters()])


def _choice(said: Tensor, batch: Batch) -> Tensor:
    """Cross entropy over each question's candidates, of what their tokens say in the mean."""
    tokens = FORM.tokens(FRAMES)
    scores = SHARP * said[:, GOLD].view(-1, tokens).mean(1)
    golds = batch.sight.marks[:, GOLD].view(-1, tokens)[:, 0]
    each = (torch.split(part, batch.sight.counts) for part in (scores, golds))
    parts = zip(*each, strict=True)
    return torch.stack([nn.functional.cross_entropy(part, gold) for part, gold in parts]).mean()
