"""The frame of a split: properties of its turns that no answer changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.benchmark import Split
from harness.outcomes.structure import Segments, count_earlier, segments
from harness.records import CONCATENATION, Gold

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NO_TARGET, NEW, REPEATED = 0, 1, 2


class Frame(NamedTuple):
    """Properties of a split's turns: one entry a turn, in the order of turns.jsonl.

    Indices into `dialogues`, `videos` (gold; -1 in chat turns), `sources` (of the gold video; -1)
    and `languages`; `length` counts all turns of the dialogue; `target` is NO_TARGET, NEW or
    REPEATED (an earlier turn of the dialogue has the same gold video); `one_language`: all turns of
    the dialogue are in the turn's language; `segments` leave type 7 out.
    """

    dialogues: tuple[str, ...]
    videos: tuple[str, ...]
    sources: tuple[str, ...]
    languages: tuple[str, ...]
    tags: Mapping[str, Bools]
    dialogue: Ints
    turn: Ints
    type: Ints
    language: Ints
    length: Ints
    video: Ints
    source: Ints
    target: Ints
    is_video: Bools
    is_moment: Bools
    one_language: Bools
    segments: Segments

    @property
    def retrieval(self) -> Bools:
        """(turns,) whether the turn is a video or a moment turn."""
        return self.is_video | self.is_moment

    @property
    def dialogue_turns(self) -> Bools:
        """(turns,) the turns of dialogue metrics: retrieval turns of all types but 7.

        The turns of type 7 do not depend on each other; chat turns neither fail nor count.
        """
        dependent: Bools = self.type != CONCATENATION
        return self.retrieval & dependent

    @property
    def nth(self) -> Ints:
        """(turns,) the number of a retrieval turn among those of its dialogue, from 1; else 0."""
        return np.where(self.retrieval, count_earlier(self.retrieval, self.dialogue) + 1, 0)


def frame(split: Split, gold: Sequence[Gold], sources: Mapping[str, str]) -> Frame:
    """The frame of a split. `sources`: by video id. `gold` is in the order of the split's turns."""
    turns = split.turns
    dialogues, dialogue = _factorize([turn.dialogue_id for turn in turns])
    videos, video = _factorize([answer.video_id for answer in gold])
    names = [None if answer.video_id is None else sources[answer.video_id] for answer in gold]
    source_names, source = _factorize(names)
    languages, language = _factorize([turn.language for turn in turns])
    lengths = Counter(turn.dialogue_id for turn in turns)
    types = np.array([turn.type for turn in turns], dtype=np.int64)
    is_video = np.array([turn.task == "video" for turn in turns], dtype=bool)
    return Frame(
        dialogues=dialogues,
        videos=videos,
        sources=source_names,
        languages=languages,
        tags=_tags(gold),
        dialogue=dialogue,
        turn=np.array([turn.turn for turn in turns], dtype=np.int64),
        type=types,
        language=language,
        length=np.array([lengths[turn.dialogue_id] for turn in turns], dtype=np.int64),
        video=video,
        source=source,
        target=_targets(gold),
        is_video=is_video,
        is_moment=np.array([turn.task == "moment" for turn in turns], dtype=bool),
        one_language=_one_language(language, dialogue),
        segments=segments(is_video & (types != CONCATENATION), dialogue, video),
    )


def _factorize(names: Sequence[str | None]) -> tuple[tuple[str, ...], Ints]:
    """Distinct names in order of first appearance, and the index of each entry (-1: None)."""
    known: dict[str, int] = {}
    codes = [-1 if name is None else known.setdefault(name, len(known)) for name in names]
    return tuple(known), np.array(codes, dtype=np.int64)


def _targets(gold: Sequence[Gold]) -> Ints:
    pairs: set[tuple[str, str]] = set()
    targets = np.full(len(gold), NO_TARGET, dtype=np.int64)
    for row, answer in enumerate(gold):
        if answer.video_id is not None:
            pair = (answer.dialogue_id, answer.video_id)
            targets[row] = REPEATED if pair in pairs else NEW
            pairs.add(pair)
    return targets


def _tags(gold: Sequence[Gold]) -> dict[str, Bools]:
    names = sorted({tag for answer in gold for tag in answer.tags})
    return {name: np.array([name in answer.tags for answer in gold], dtype=bool) for name in names}


def _one_language(language: Ints, dialogue: Ints) -> Bools:
    """Whether all turns of a turn's dialogue have its language, (turns,)."""
    turns = np.bincount(dialogue)
    first = language[np.flatnonzero(np.diff(dialogue, prepend=-1))]  # (dialogues,)
    alike = np.bincount(dialogue, weights=language == first[dialogue])
    return np.asarray((alike == turns)[dialogue])
