"""Views of a benchmark: what of it a baseline may read, to answer a split or to train.

And what of a dialogue's earlier turns it is shown, turn by turn.
"""

from __future__ import annotations

from typing import NamedTuple

from baselines.base import Exchange, LabelledSplit, MissingInputError, Query, View
from baselines.running.run_config import RunConfig, RunContext
from harness.benchmark import Benchmark, Split
from harness.records import CandidateUse, History, Prediction, Reference, Turn, TurnKey


def view(
    benchmark: Benchmark,
    split: Split,
    config: RunConfig,
    context: RunContext,
    *,
    labels: bool = False,
) -> View:
    """The view with which a baseline prepares to answer `split`; `labels`: with those of train."""
    return View(
        videos=benchmark.videos,
        corpus=split.corpus,
        folder=benchmark.folder,
        history=config.history,
        seed=config.seed,
        training=labelled_split(benchmark, "train", config.entry.name) if labels else None,
        cache=context.cache,
        note=context.note,
    )


def training_view(benchmark: Benchmark, name: str, seed: int, context: RunContext) -> View:
    """The view with which the baseline `name` trains: labels of train and, if any, of val.

    The corpus is that of train. Nothing of the test split is in it but its videos' descriptions,
    which are listed with all others.
    """
    training = labelled_split(benchmark, "train", name)
    return View(
        videos=benchmark.videos,
        corpus=benchmark.split("train").corpus,
        folder=benchmark.folder,
        history="own",
        seed=seed,
        training=training,
        validation=labelled_split(benchmark, "val", name)
        if _has_labels(benchmark, "val")
        else None,
        cache=context.cache,
        note=context.note,
    )


def labelled_split(benchmark: Benchmark, split: str, name: str) -> LabelledSplit:
    """A split with its labels. Raises MissingInputError, for the baseline `name`, without them."""
    if not _has_labels(benchmark, split):
        raise MissingInputError(
            f"{benchmark.folder}: has no {split} split with labels, which {name} needs; "
            f"import the {split} file along with the others"
        )
    public = benchmark.split(split)
    return LabelledSplit(public.turns, benchmark.gold(split), public.candidates)


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

    def exchange(self, turn: Turn, prediction: Prediction) -> tuple[Exchange, ...]:
        """What the history shows of a turn from the next one on: nothing under `none`."""
        shown = self.candidates.get(turn.key, ())
        if self.history == "none":
            return ()
        if self.history == "own":
            return (own_exchange(turn, prediction, shown),)
        reference = self.reference[turn.key]
        return (Exchange(turn.task, turn.utterance, reference.answer, reference.video_id, shown),)


def own_exchange(turn: Turn, prediction: Prediction, candidates: tuple[str, ...]) -> Exchange:
    """What own history shows of an answered turn; candidates: as they were shown with it."""
    answer, video_id = prediction.response or "", _first_video(prediction)
    return Exchange(turn.task, turn.utterance, answer, video_id, candidates)


def history_view(
    benchmark: Benchmark, split: Split, history: History, candidates: CandidateUse
) -> HistoryView:
    """What a declared history and use of candidates show of a split's turns.

    Raises MissingInputError if the benchmark withholds the reference answers that it needs.
    """
    reference = _reference(benchmark, split.name) if history == "reference" else {}
    return HistoryView(history, split.candidates if candidates == "used" else {}, reference)


def _reference(benchmark: Benchmark, split: str) -> dict[TurnKey, Reference]:
    lines = benchmark.reference(split)
    if lines is None:
        raise MissingInputError(
            f"{benchmark.folder}: withholds the reference answers of {split} (labels "
            f"{benchmark.labels(split)}), so there is no history reference; take own or none"
        )
    return {TurnKey(line.dialogue_id, line.turn): line for line in lines}


def _first_video(prediction: Prediction) -> str | None:
    """The video that an answer stands for: of its first moment, its first video, its choice."""
    if prediction.moments:
        return prediction.moments[0].video_id
    return next(iter(prediction.videos or prediction.choice or ()), None)


def _has_labels(benchmark: Benchmark, split: str) -> bool:
    return (benchmark.folder / split / "gold.jsonl").is_file()
