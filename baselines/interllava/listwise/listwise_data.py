"""The turns of the labelled splits over features: nothing but gold videos and gold spans is read.

Most videos train the reader. The others are held out from it and train the language model on what
the reader makes of videos that it does not know by heart, as in stacked generalisation (Wolpert,
Neural Networks 1992): so its weight against the first stage's order is that for new videos.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from baselines.base import LabelledSplit, MissingInputError, Query
from baselines.dialogue_context import reference_queries
from baselines.interllava.listwise.listwise_examples import (
    ListTurn,
    ListwiseExample,
    ListwiseTurns,
    SpanTurn,
)
from baselines.interllava.reference_answers import chat_turns, target_answers
from baselines.localisation.video_steps import RowSource, TimedRows, mean_steps, video_end

HELD_OUT = 5  # one video in so many is held out from the reader
VALIDATION_TURNS = 48  # moment turns that are answered in validation; of video turns all are


class TurnParts(NamedTuple):
    """The turns that train the reader, and those that train the language model at the end."""

    reader: ListwiseTurns
    assistant: ListwiseTurns


def named_videos(split: LabelledSplit | None) -> set[str]:
    """The videos that a split's turns name: golds and candidates, no foils."""
    if split is None:
        return set()
    golds = {gold.video_id for gold in split.gold if gold.video_id}
    return golds | {name for each in split.candidates.values() for name in each}


def training_turns(
    training: LabelledSplit, rows: RowSource, readable: Collection[str]
) -> ListwiseTurns:
    """The turns whose gold video has features; readable: the videos that have.

    Raises MissingInputError if there is neither a video nor a moment turn.
    """
    queries = reference_queries(training)
    lists = list_turns(queries, training, readable)
    spans = span_turns(queries, training, rows)
    if not lists and not spans:
        raise MissingInputError(
            "train split: expected a video or moment turn whose gold video has features, found "
            "none; name features that were made for this benchmark"
        )
    golds = {gold.video_id for gold in training.gold}
    pool = sorted(name for name in readable if name in golds)
    return ListwiseTurns(
        lists, spans, chat_turns(queries, training), pool, target_answers(training)
    )


def list_turns(
    queries: Sequence[Query], split: LabelledSplit, readable: Collection[str]
) -> list[ListTurn]:
    """The video turns of a split whose gold video has features."""
    turns = []
    for query, gold in zip(queries, split.gold, strict=True):
        if query.task == "video" and gold.video_id is not None and gold.video_id in readable:
            listed = [(at, name) for at, name in enumerate(query.candidates, 1) if name in readable]
            turns.append(
                ListTurn(query, gold.video_id, tuple(name for _, name in listed),
                         tuple(at for at, _ in listed))
            )  # fmt: skip
    return turns


def span_turns(queries: Sequence[Query], split: LabelledSplit, rows: RowSource) -> list[SpanTurn]:
    """The moment turns of a split whose video has features, with spans of some length in it."""
    turns = []
    for query, gold in zip(queries, split.gold, strict=True):
        video_id, moment = gold.video_id, gold.moment
        if query.task == "moment" and moment and video_id is not None and video_id in rows:
            end = min(moment.end, rows.end(video_id))
            if moment.start < end:
                turns.append(SpanTurn(query, video_id, moment.start, end))
    return turns


def divide(turns: ListwiseTurns, seed: int) -> TurnParts:
    """Divide the turns by their gold videos; both parts are whole if one would lack a task."""
    golds = sorted({each.gold for each in turns.lists} | {each.video_id for each in turns.spans})
    order = np.random.default_rng(seed).permutation(len(golds))
    held_out = {golds[at] for at in order[::HELD_OUT]}

    def part(*, held: bool) -> ListwiseTurns:
        return turns._replace(
            lists=[each for each in turns.lists if (each.gold in held_out) == held],
            spans=[each for each in turns.spans if (each.video_id in held_out) == held],
        )

    parts = TurnParts(part(held=False), part(held=True))
    whole = all(
        bool(each.lists) == bool(turns.lists) and bool(each.spans) == bool(turns.spans)
        for each in parts
    )
    return parts if whole else TurnParts(turns, turns)


def choice_example(
    query: Query, rows: TimedRows, readable: Collection[str]
) -> ListwiseExample | None:
    """A video turn without an answer, its candidates in the given order; None if it has none.

    Candidates without features are left out, the others keep their numbers.
    """
    listed = [(at, name) for at, name in enumerate(query.candidates, 1) if name in readable]
    if not listed:
        return None
    numbers = tuple(at for at, _ in listed)
    videos = tuple(mean_steps(rows, name) for _, name in listed)
    names = tuple(name for _, name in listed)
    return ListwiseExample("video", query, None, videos, numbers, numbers, names=names)


def moment_example(query: Query, rows: TimedRows, video_id: str, number: int) -> ListwiseExample:
    """A moment turn without an answer, in the video of that number."""
    return ListwiseExample(
        "moment", query, None, (mean_steps(rows, video_id),), (number,),
        length=video_end(rows.times[video_id]), names=(video_id,),
    )  # fmt: skip
