"""Running a baseline where a server shows the turns, each after the answer to the one before.

The same baseline, queries and answers as in a run over files: only where turns come from, and where
answers go, is another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from baselines.base import Exchange, Query
from baselines.running.run_config import RunConfig, RunContext
from baselines.running.runner import BATCH, Progress, Run, start
from baselines.running.views import HistoryView, own_exchange
from harness.benchmark import Benchmark
from harness.records import Prediction, Turn


class ShownTurn(NamedTuple):
    """A turn as a server shows it. `history`: the earlier turns, under reference history alone."""

    turn: Turn
    candidates: tuple[str, ...] = ()
    video_id: str | None = None
    history: tuple[Exchange, ...] = ()


class AnsweredTurn(NamedTuple):
    """A turn that has an answer."""

    shown: ShownTurn
    prediction: Prediction


class TurnSource(Protocol):
    """Where the turns of an exam come from, and where answers go."""

    def answered(self) -> Iterable[AnsweredTurn]:
        """The answers so far, in their order."""

    def open_turns(self) -> Sequence[ShownTurn]:
        """The turns that wait for an answer, by number; none once all are answered."""

    def put(self, prediction: Prediction) -> None:
        """Hand an answer in; it counts when this returns."""


def start_exam(
    config: RunConfig,
    benchmark: Benchmark,
    context: RunContext = RunContext(),  # noqa: B008 - immutable
) -> Run:
    """Prepare a baseline for an exam, from a copy whose split has no turns.

    Raises what `start` raises.
    """
    return start(
        config, benchmark, context, lambda _, split, history, use: HistoryView(history, {}, {})
    )


def answer_exam(run: Run, source: TurnSource, turns: int, progress: Progress) -> None:
    """Answer all turns of an exam; `turns`: how many there are, for `progress`.

    A run that was cut off goes on behind the answers that the source has.
    """
    history = run.history_view.history
    earlier: defaultdict[str, tuple[Exchange, ...]] = defaultdict(tuple)
    done = 0
    for shown, prediction in source.answered():
        done += 1
        if history == "own":
            earlier[shown.turn.dialogue_id] += (
                own_exchange(shown.turn, prediction, shown.candidates),
            )
    progress(done, turns)
    while waiting := source.open_turns():
        for first in range(0, len(waiting), BATCH):
            batch = waiting[first : first + BATCH]
            queries = [_query(each, earlier[each.turn.dialogue_id]) for each in batch]
            answers = run.answer_batch([each.turn for each in batch], queries)
            for shown, prediction in zip(batch, answers, strict=True):
                source.put(prediction)
                if history == "own":
                    earlier[shown.turn.dialogue_id] += (
                        own_exchange(shown.turn, prediction, shown.candidates),
                    )
            done += len(batch)
            progress(done, turns)


def _query(shown: ShownTurn, earlier: tuple[Exchange, ...]) -> Query:
    turn = shown.turn
    return Query(
        turn.dialogue_id,
        turn.turn,
        turn.language,
        turn.task,
        turn.utterance,
        shown.candidates,
        shown.video_id,
        shown.history or earlier,
    )
