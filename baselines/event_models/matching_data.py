"""What a matcher is trained on: queries, and the videos of their golds and foils."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from baselines.base import (
    LabelledSplit,
    MissingInputError,
)
from baselines.dialogue_context import told_by_reference
from baselines.event_models import lexicon
from baselines.event_models.event_annotations import Annotations, Attribute
from baselines.event_models.event_segments import doubts, gate, of_events, pooled
from baselines.event_models.lexicon import Lexicon
from baselines.event_models.matching import (
    Track,
    shown,
    texts,
    track,
)
from baselines.event_models.query_encoder import Text
from baselines.event_models.recogniser import Seen
from harness.records import CONCATENATION


class Pair(NamedTuple):
    """A training query: its text without and with context, gold and foil, whether order matters."""

    alone: Text
    whole: Text
    gold: str
    foil: str | None
    ordered: bool


class Lesson(NamedTuple):
    """What is trained on.

    tracks: of all videos; events: of annotated ones, one segment an event; doubt: by value how
    often a sound recogniser errs about such.
    """

    lexicon: Lexicon
    train: list[Pair]
    val: list[Pair]
    tracks: dict[str, Track]
    events: dict[str, Track]
    attributes: tuple[Attribute, ...]
    doubt: NDArray[np.float64]


def named(training: LabelledSplit, validation: LabelledSplit | None) -> set[str]:
    """The videos of all golds and foils."""
    golds = [*training.gold, *(validation.gold if validation else ())]
    named = [name for gold in golds for name in (gold.video_id, gold.foil)]
    return {name for name in named if name is not None}


def prepared(
    seen: Seen, found: Annotations, training: LabelledSplit, validation: LabelledSplit | None
) -> Lesson:
    attributes = found.attributes
    tracks = {name: track(seen.rows[name], seen.times[name], attributes) for name in seen.rows}
    events = _annotated(seen, found)
    known = lexicon.of(training, found)
    whole = {name: shown(each, attributes) for name, each in tracks.items()}
    unseen = [tracks[name].values for name in tracks if name not in found.scripts]
    doubt = doubts(unseen, attributes)
    train = _pairs(training, known, whole)
    if not train:
        raise MissingInputError("no video turn of the train split has a video that can be read")
    val = _pairs(validation, known, whole, openings=False) if validation else []
    return Lesson(known, train, val, tracks, events, attributes, doubt)


def _annotated(seen: Seen, found: Annotations) -> dict[str, Track]:
    """Tracks with one segment for each annotated event."""
    tracks = {}
    for name in sorted(found.scripts.keys() & seen.rows.keys()):
        script = found.scripts[name]
        edges = of_events(seen.times[name], script)
        if edges is not None:
            lengths = np.array([event.end - event.start for event in script.events]) / 1000
            rows = gate(seen.rows[name], found.attributes)
            tracks[name] = Track(pooled(rows, *edges.T), lengths)
    return tracks


def _pairs(
    training: LabelledSplit,
    known: Lexicon,
    whole: Mapping[str, Sequence[int]],
    *,
    openings: bool = True,
) -> list[Pair]:
    """Video turns, and moment turns that describe their video too, whose video can be read."""
    found: list[Pair] = []
    told = told_by_reference(training)
    for turn, gold, query in zip(training.turns, training.gold, told, strict=True):
        opens = turn.task == "moment" and (turn.turn == 1 or turn.type == CONCATENATION)
        asks = turn.task == "video" or (openings and opens)
        if asks and gold.video_id is not None and gold.video_id in whole:
            [(alone, _)] = texts(known, query, "last", whole)
            [(everything, _)] = texts(known, query, "all", whole)
            foil = gold.foil if gold.foil in whole else None
            found.append(Pair(alone, everything, gold.video_id, foil, "order" in gold.tags))
    return found
