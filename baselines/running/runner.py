"""Runs a baseline over a split: the first turn of all dialogues, then the second, and so on.

A baseline is handed a turn only after it has answered the one before, and its queries hold nothing
that the declared history does not show. Dialogues are independent, so they are taken in portions,
which bounds the memory that answers need, and can be shared between processes. Rounds are cut into
batches of one size, and each answered batch can be kept in a journal: a run that goes on after it
was killed asks the batches that are left, in the same order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from baselines.base import Answer, Baseline, Exchange, MissingInputError, Query
from baselines.registry import load
from baselines.running.journal import Journal
from baselines.running.provenance import card, record, run_key
from baselines.running.run_config import RunConfig, RunContext, view
from harness.benchmark import Benchmark, Split
from harness.errors import WrongUsageError
from harness.records import Card, History, Prediction, Reference, Turn, TurnKey

__all__ = ["Run", "RunConfig", "RunContext", "Shard", "start"]

PORTION = 4096  # dialogues
BATCH = 64  # queries
Progress = Callable[[int, int], None]


def start(plan: RunConfig, benchmark: Benchmark, around: RunContext = RunContext()) -> Run:  # noqa: B008 - immutable
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
    use = baseline.candidate_use(plan.entry.about.candidates)
    split = benchmark.split(plan.split)
    reference = _reference(benchmark, plan) if plan.history == "reference" else {}
    baseline.prepare(view(benchmark, split, plan, around))
    desk = HistoryView(plan.history, split.candidates if use == "used" else {}, reference)
    provenance = baseline.provenance()
    return Run(
        card(plan, settings, use, benchmark, provenance),
        record(plan, settings, benchmark, provenance),
        baseline,
        split,
        desk,
    )


class Shard(NamedTuple):
    """The dialogues number, number + of, number + 2 of ...: all of them are one process' work."""

    number: int = 0
    of: int = 1


class HistoryView(NamedTuple):
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
    """A prepared run: its card and record, and all it takes to answer."""

    card: Card
    record: dict[str, Any]
    baseline: Baseline
    split: Split
    desk: HistoryView

    def key(self, processes: int) -> str:
        """What names the run in the journals of so many processes."""
        order = {"portion": PORTION, "batch": BATCH, "processes": processes}
        return run_key(self.card, self.record, order)

    def predictions(self, progress: Progress = lambda done, total: None) -> Iterator[Prediction]:
        """Answer all turns, in file order; `progress` is told the turns answered and all turns."""
        for predictions in self.dialogues(progress=progress):
            yield from predictions

    def dialogues(
        self,
        share: Shard = Shard(),  # noqa: B008 - immutable
        journal: Journal | None = None,
        progress: Progress = lambda done, total: None,
    ) -> Iterator[list[Prediction]]:
        """Answer the dialogues of a share, in file order, and keep each batch in `journal`."""
        all_dialogues = list(self.split.dialogues().values())[share.number :: share.of]
        waiting, done, total = iter(all_dialogues), 0, sum(map(len, all_dialogues))
        while portion := list(islice(waiting, PORTION)):
            said: list[list[Prediction]] = [[] for _ in portion]
            for answered in self._rounds(portion, said, journal):
                done += answered
                progress(done, total)
            yield from said

    def _rounds(
        self,
        portion: list[tuple[Turn, ...]],
        said: list[list[Prediction]],
        journal: Journal | None,
    ) -> Iterator[int]:
        """Answer the first turns of all dialogues, then the second ...; yields how many."""
        histories: list[tuple[Exchange, ...]] = [()] * len(portion)
        for position in range(max(map(len, portion))):
            asked = ((at, turns[position]) for at, turns in enumerate(portion)
                     if position < len(turns))  # fmt: skip
            while batch := list(islice(asked, BATCH)):
                queries = [self.desk.query(turn, histories[at]) for at, turn in batch]
                answers = self._answered([turn for _, turn in batch], queries, journal)
                for (at, turn), answer in zip(batch, answers, strict=True):
                    said[at].append(answer)
                    histories[at] += self.desk.exchange(turn, answer)
                yield len(batch)

    def _answered(
        self, turns: list[Turn], queries: list[Query], journal: Journal | None
    ) -> list[Prediction]:
        """A batch's answers: from the journal, or else the baseline's, which it then keeps."""
        before = Counter(journal.usage) if journal else Counter()
        kept = journal and journal.answered([turn.key for turn in turns])
        if journal and kept:
            if earlier := journal.usage - before:
                self.baseline.restore_usage(earlier)
            return kept
        answers = self.baseline.answer(queries)
        said = [_prediction(turn, answer) for turn, answer in zip(turns, answers, strict=True)]
        if journal:
            usage: Counter[str] = Counter()
            for answer in answers:
                usage.update(answer.usage)
            journal.add(said, usage)
        return said


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


def _reference(benchmark: Benchmark, plan: RunConfig) -> dict[TurnKey, Reference]:
    lines = benchmark.reference(plan.split)
    if lines is None:
        raise MissingInputError(
            f"{benchmark.folder}: withholds the reference answers of {plan.split} (labels "
            f"{benchmark.header.labels}), so there is no history reference; take own or none"
        )
    return {TurnKey(line.dialogue_id, line.turn): line for line in lines}
