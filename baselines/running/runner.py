"""Runs a baseline over a split: the first turn of all dialogues, then the second, and so on.

A baseline gets a turn only after it has answered the one before, and its queries hold nothing that
the declared history does not show. Dialogues are independent, so the runner takes them in portions,
which bounds the memory that answers need, and processes can share them. It cuts rounds into batches
of one size and can keep each answered batch in a journal: a run that was killed and goes on answers
the batches that are left, in the same order.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from baselines.base import Answer, Baseline, Exchange, Query
from baselines.registry import load
from baselines.running.card_settings import check_variant
from baselines.running.journal import Journal
from baselines.running.own_code import own_code, turn_name
from baselines.running.provenance import (
    card,
    outside_code,
    plain_provenance,
    record,
    run_key,
)
from baselines.running.run_config import RunConfig, RunContext
from baselines.running.views import HistoryView, history_view, view
from harness.benchmark import Benchmark, Split
from harness.errors import WrongUsageError
from harness.files import shown
from harness.records import CandidateUse, Card, History, Prediction, Turn

__all__ = ["Run", "RunConfig", "RunContext", "Shard", "start"]

_LOG = logging.getLogger(__name__)
PORTION = 4096  # dialogues
BATCH = 64  # queries
Progress = Callable[[int, int], None]
ViewOf = Callable[[Benchmark, Split, History, CandidateUse], HistoryView]


def start(
    config: RunConfig,
    benchmark: Benchmark,
    context: RunContext = RunContext(),  # noqa: B008 - immutable
    view_of: ViewOf = history_view,
) -> Run:
    """Prepare a baseline for a split.

    view_of: makes what the history shows of the split's turns; others where a server shows them.
    Raises WrongUsageError if the baseline does not support the configuration, MissingInputError if
    the benchmark lacks what it needs.
    """
    entry = config.entry
    if config.history not in entry.about.histories:
        supported = ", ".join(entry.about.histories)
        raise WrongUsageError(
            f"{entry.name} does not support history {config.history}; it supports: {supported}"
        )
    if config.variant is not None:
        check_variant(config.variant, "variant")
    with own_code([entry.code] if entry.code else (), "__init__()"):
        baseline, settings = load(entry, config.assignments, config.settings)
    files = tuple(outside_code(entry, settings))
    with own_code(files, "candidate_use()"):
        use = baseline.candidate_use(entry.about.candidates)
    split = benchmark.split(config.split)
    shown_history = view_of(benchmark, split, config.history, use)
    labels = baseline.reads_train_labels("train_labels" in entry.about.needs)
    with own_code(files, "prepare()"):
        baseline.prepare(view(benchmark, split, config, context, labels=labels))
    with own_code(files, "provenance()"):
        provenance = plain_provenance(baseline.provenance())
    return Run(
        card(config, settings, use, benchmark, provenance, labels=labels),
        record(config, settings, benchmark, provenance),
        baseline,
        split,
        shown_history,
        entry.argument,
        files,
    )


class Shard(NamedTuple):
    """The dialogues number, number + of, number + 2 of ...: the work of one process."""

    number: int = 0
    of: int = 1


class Run(NamedTuple):
    """A prepared run: its card and record, and what it needs to answer.

    name: the baseline as errors name it. files: its code outside the project.
    """

    card: Card
    record: dict[str, Any]
    baseline: Baseline
    split: Split
    history_view: HistoryView
    name: str
    files: tuple[Path, ...]

    def key(self, processes: int) -> str:
        """The key of the run in the journals of so many processes."""
        order = {"portion": PORTION, "batch": BATCH, "processes": processes}
        return run_key(self.card, self.record, order)

    def predictions(self, progress: Progress = lambda done, total: None) -> Iterator[Prediction]:
        """Answer all turns, in file order; `progress` gets the turns answered and all turns."""
        for predictions in self.dialogues(progress=progress):
            yield from predictions

    def dialogues(
        self,
        shard: Shard = Shard(),  # noqa: B008 - immutable
        journal: Journal | None = None,
        progress: Progress = lambda done, total: None,
    ) -> Iterator[list[Prediction]]:
        """Answer the dialogues of a shard, in file order, and keep each batch in `journal`."""
        all_dialogues = list(self.split.dialogues().values())[shard.number :: shard.of]
        waiting, done, total = iter(all_dialogues), 0, sum(map(len, all_dialogues))
        while portion := list(islice(waiting, PORTION)):
            predictions: list[list[Prediction]] = [[] for _ in portion]
            for answered in self._rounds(portion, predictions, journal):
                done += answered
                progress(done, total)
                _LOG.debug("answered %d of %d turns", done, total)
            yield from predictions

    def _rounds(
        self,
        portion: list[tuple[Turn, ...]],
        predictions: list[list[Prediction]],
        journal: Journal | None,
    ) -> Iterator[int]:
        """Answer the first turns of all dialogues, then the second ...; yields how many."""
        histories: list[tuple[Exchange, ...]] = [()] * len(portion)
        for position in range(max(map(len, portion))):
            waiting = ((at, turns[position]) for at, turns in enumerate(portion)
                       if position < len(turns))  # fmt: skip
            while batch := list(islice(waiting, BATCH)):
                queries = [self.history_view.query(turn, histories[at]) for at, turn in batch]
                answers = self.answer_batch([turn for _, turn in batch], queries, journal)
                for (at, turn), answer in zip(batch, answers, strict=True):
                    predictions[at].append(answer)
                    histories[at] += self.history_view.exchange(turn, answer)
                yield len(batch)

    def answer_batch(
        self, turns: list[Turn], queries: list[Query], journal: Journal | None = None
    ) -> list[Prediction]:
        """A batch's answers, from the journal or else from the baseline, which the journal gets."""
        before = Counter(journal.usage) if journal else Counter()
        kept = journal and journal.answered([turn.key for turn in turns])
        if journal and kept:
            if earlier := journal.usage - before:
                with own_code(self.files, "restore_usage()"):
                    self.baseline.restore_usage(earlier)
            return kept
        with own_code(self.files, "answer()", queries):
            answers = self.baseline.answer(queries)
        _check_answers(self.name, answers, queries)
        found = [prediction_of(turn, answer) for turn, answer in zip(turns, answers, strict=True)]
        if journal:
            usage: Counter[str] = Counter()
            for answer in answers:
                usage.update(answer.usage)
            journal.add(found, usage)
        return found


def _check_answers(name: str, answers: Any, queries: Sequence[Query]) -> None:
    """Raise WrongUsageError unless `answers` are one Answer for each query."""
    advice = "return one Answer for each query, in order, in a list"
    if not isinstance(answers, (list, tuple)):
        raise WrongUsageError(
            f"{name}: answer() gave {shown(repr(answers))} ({type(answers).__name__}) to "
            f"{len(queries)} queries; {advice}"
        )
    if len(answers) != len(queries):
        raise WrongUsageError(
            f"{name}: answer() gave {len(answers)} answers to {len(queries)} queries; {advice}"
        )
    for answer, query in zip(answers, queries, strict=True):
        if not isinstance(answer, Answer):
            raise WrongUsageError(
                f"{name}: answer() gave {shown(repr(answer))} ({type(answer).__name__}) to turn "
                f"{turn_name(query)}; {advice}"
            )


def prediction_of(turn: Turn, answer: Answer) -> Prediction:
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
