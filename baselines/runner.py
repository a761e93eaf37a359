"""Runs a baseline over a split: the first turn of all dialogues, then the second, and so on.

A baseline is handed a turn only after it has answered the one before, and its queries hold nothing
that the declared history does not show. Dialogues are independent, so they are taken in portions,
which bounds the memory that answers need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from msgspec import Struct

from baselines.catalogue import Entry, changed, load
from baselines.protocol import Answer, Baseline, Exchange, MissingInputError, Query, Training, View
from harness.benchmark import Benchmark, Split
from harness.errors import WrongUsageError
from harness.records import CandidateUse, Card, History, Prediction, Reference, Turn, TurnKey

TEAM = "IVCR harness"
PORTION = 4096  # dialogues
Progress = Callable[[int, int], None]


class Plan(Struct, frozen=True):
    """What to run: the baseline, its settings (`key=value`), the history, the split, the seed."""

    entry: Entry
    history: History
    assignments: tuple[str, ...] = ()
    split: str = "test"
    seed: int = 0


def start(plan: Plan, benchmark: Benchmark) -> Run:
    """Prepare a baseline for a split.

    Raises WrongUsageError if the baseline does not support the plan, MissingInputError if the
    benchmark lacks what it needs.
    """
    if plan.history not in plan.entry.about.histories:
        supported = ", ".join(plan.entry.about.histories)
        raise WrongUsageError(
            f"{plan.entry.name} does not support history {plan.history}; it supports: {supported}"
        )
    baseline, settings = load(plan.entry, plan.assignments)
    use: CandidateUse = getattr(settings, "candidates", plan.entry.about.candidates)
    split = benchmark.split(plan.split)
    reference = _reference(benchmark, plan) if plan.history == "reference" else {}
    baseline.prepare(_view(benchmark, split, plan))
    desk = _Desk(plan.history, split.candidates if use == "used" else {}, reference)
    return Run(_card(plan, settings, use, benchmark), baseline, split, desk)


class _Desk(NamedTuple):
    """What may be shown of a turn, and when."""

    history: History
    candidates: dict[TurnKey, tuple[str, ...]]
    reference: dict[TurnKey, Reference]

    def query(self, turn: Turn, exchanges: tuple[Exchange, ...]) -> Query:
        """The turn as the baseline sees it, before it has answered."""
        given = self.history == "reference" and turn.task == "moment"
        return Query(
            turn.dialogue_id,
            turn.turn,
            turn.language,
            turn.task,
            turn.utterance,
            self.candidates.get(turn.key, ()),
            self.reference[turn.key].video_id if given else None,
            exchanges,
        )

    def exchange(self, turn: Turn, said: Prediction) -> tuple[Exchange, ...]:
        """What the history shows of a turn from the next one on: nothing under `none`."""
        if self.history == "none":
            return ()
        if self.history == "reference":
            answer, video_id = self.reference[turn.key].answer, self.reference[turn.key].video_id
        else:
            answer, video_id = said.response or "", _first_video(said)
        shown = self.candidates.get(turn.key, ())
        return (Exchange(turn.task, turn.utterance, answer, video_id, shown),)


class Run(NamedTuple):
    """A prepared run: its card, and all it takes to answer."""

    card: Card
    baseline: Baseline
    split: Split
    desk: _Desk

    def predictions(self, progress: Progress = lambda done, total: None) -> Iterator[Prediction]:
        """Answer all turns, in file order; `progress` is told the turns answered and all turns."""
        waiting, done = iter(self.split.dialogues().values()), 0
        while portion := list(islice(waiting, PORTION)):
            said: list[list[Prediction]] = [[] for _ in portion]
            for answered in self._rounds(portion, said):
                done += answered
                progress(done, len(self.split.turns))
            for predictions in said:
                yield from predictions

    def _rounds(
        self, portion: list[tuple[Turn, ...]], said: list[list[Prediction]]
    ) -> Iterator[int]:
        """Answer the first turns of all dialogues, then the second ...; yields how many."""
        histories: list[tuple[Exchange, ...]] = [()] * len(portion)
        for position in range(max(map(len, portion))):
            asked = [
                (at, turns[position]) for at, turns in enumerate(portion) if position < len(turns)
            ]
            answers = self.baseline.answer(
                [self.desk.query(turn, histories[at]) for at, turn in asked]
            )
            for (at, turn), answer in zip(asked, answers, strict=True):
                said[at].append(_prediction(turn, answer))
                histories[at] += self.desk.exchange(turn, said[at][-1])
            yield len(asked)


def _prediction(turn: Turn, answer: Answer) -> Prediction:
    """The answer to a turn; what its task needs and the answer lacks becomes an abstention.

    In a video turn that is an empty choice: a system that never ranks videos has no figure over
    rankings, rather than a zero.
    """
    choice, moments, response = answer.choice, answer.moments, answer.response
    if turn.task == "video" and answer.videos is None and choice is None:
        choice = ()
    if turn.task == "moment" and moments is None:
        moments = ()
    if turn.task == "chat" and response is None:
        response = ""
    return Prediction(turn.dialogue_id, turn.turn, answer.videos, moments, choice, response)


def _first_video(said: Prediction) -> str | None:
    """The video that an answer stands for: of its first moment, its first video, its choice."""
    if said.moments:
        return said.moments[0].video_id
    return next(iter(said.videos or said.choice or ()), None)


def _reference(benchmark: Benchmark, plan: Plan) -> dict[TurnKey, Reference]:
    lines = benchmark.reference(plan.split)
    if lines is None:
        raise MissingInputError(
            f"{benchmark.folder}: withholds the reference answers of {plan.split} (labels "
            f"{benchmark.header.labels}), so there is no history reference; take own or none"
        )
    return {TurnKey(line.dialogue_id, line.turn): line for line in lines}


def _view(benchmark: Benchmark, split: Split, plan: Plan) -> View:
    return View(
        videos=benchmark.videos,
        corpus=split.corpus,
        folder=benchmark.folder,
        history=plan.history,
        seed=plan.seed,
        training=_training(benchmark, plan.entry) if plan.entry.about.train else None,
    )


def _training(benchmark: Benchmark, entry: Entry) -> Training:
    if not (benchmark.folder / "train" / "gold.jsonl").is_file():
        raise MissingInputError(
            f"{benchmark.folder}: has no train split with labels, which {entry.name} needs; "
            "import the train file along with the others"
        )
    split = benchmark.split("train")
    return Training(split.turns, benchmark.gold("train"), split.candidates)


def _card(plan: Plan, settings: Struct, use: CandidateUse, benchmark: Benchmark) -> Card:
    entry, values = plan.entry, changed(settings)
    return Card(
        schema=1,
        team=TEAM,
        system=" ".join([entry.name, *(f"{key}={value}" for key, value in values.items())]),
        history=plan.history,
        candidates=use,
        description=entry.summary,
        training_data=(f"{benchmark.header.name} train",) if entry.about.train else (),
        languages=entry.about.languages,
        seed=plan.seed,
        paper=entry.about.paper,
        code=entry.file,
    )
