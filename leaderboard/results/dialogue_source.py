"""The content of the dialogue browser: gold, first answers of systems, frame strips."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.benchmark import Benchmark
from harness.comparison.entrants import Entrant, read_entrants
from harness.outcomes import frame
from harness.records import ABSENT_RANK, Gold, Span, Turn
from harness.scoring import design_of
from harness.statistics import Design
from leaderboard.results.frame_strips import frame_strip

Seconds = tuple[float, float]


class BrowsedAnswer(NamedTuple):
    """What one system put first in a turn, and whether it is right; None: nothing of the kind.

    `rank`: of the gold video in the system's list, from 1.
    """

    right: bool
    video: str | None
    moment: tuple[str, Seconds] | None
    rank: int | None


class BrowsedTurn(NamedTuple):
    """One turn with its gold; `duration` of the gold video in seconds; `answers`: one a system."""

    turn: int
    task: str
    language: str
    utterance: str
    answer: str
    video: str | None
    moment: Seconds | None
    duration: float | None
    answers: tuple[BrowsedAnswer, ...]


class BrowsedDialogue(NamedTuple):
    """A dialogue from its first turn to its last."""

    name: str
    type: int
    turns: tuple[BrowsedTurn, ...]


class DialogueSource(NamedTuple):
    """Where the content of the browser comes from.

    `dialogue`: (turns,) the number of each turn's dialogue, from 0 in the order of the split;
    `type`, `turn`: (turns,) the dialogue's type code, and the number of the turn in it; `design`:
    what varies together in the split; `names`: by number of the dialogue; `read`: all dialogues
    with the answers of the submissions in these folders; `strip`: a JPEG of some frames of a video,
    None where there are no pixels.
    """

    dialogue: NDArray[np.int64]
    type: NDArray[np.int64]
    turn: NDArray[np.int64]
    design: Callable[[], Design]
    names: tuple[str, ...]
    read: Callable[[Sequence[Path]], Iterable[BrowsedDialogue]]
    strip: Callable[[str], bytes | None]


def dialogue_source(benchmark: Benchmark, split: str = "test") -> DialogueSource:
    """The content of the browser, of a benchmark whose labels are public."""
    sources = {name: video.source for name, video in benchmark.videos.items()}
    turns = frame(benchmark.split(split), benchmark.gold(split), sources)
    return DialogueSource(
        turns.dialogue,
        turns.type,
        turns.turn,
        cache(lambda: design_of(turns)),
        turns.dialogues,
        lambda folders: read_dialogues(benchmark, split, folders),
        lambda video: frame_strip(benchmark, video),
    )


def read_dialogues(
    benchmark: Benchmark, split: str, folders: Sequence[Path]
) -> Iterator[BrowsedDialogue]:
    """Every dialogue of the split, in its order, with the first answers of the submissions."""
    turns, gold = benchmark.split(split).turns, benchmark.gold(split)
    entrants = read_entrants(folders, benchmark, split).entrants if folders else ()
    rights = [entrant.right for entrant in entrants]
    for name, group in groupby(range(len(turns)), key=lambda row: turns[row].dialogue_id):
        rows = list(group)
        browsed = tuple(
            _turn(benchmark, turns[row], gold[row], tuple(
                _answer(entrant, bool(right[row]), row)
                for entrant, right in zip(entrants, rights, strict=True)
            ))
            for row in rows
        )  # fmt: skip
        yield BrowsedDialogue(name, turns[rows[0]].type, browsed)


def _turn(
    benchmark: Benchmark, turn: Turn, gold: Gold, answers: tuple[BrowsedAnswer, ...]
) -> BrowsedTurn:
    video = benchmark.videos.get(gold.video_id) if gold.video_id else None
    return BrowsedTurn(
        turn=turn.turn,
        task=turn.task,
        language=turn.language,
        utterance=turn.utterance,
        answer=gold.answer,
        video=gold.video_id,
        moment=_seconds(gold.moment) if gold.moment else None,
        duration=video.duration / 1000 if video and video.duration else None,
        answers=answers,
    )


def _answer(entrant: Entrant, right: bool, row: int) -> BrowsedAnswer:
    first, rank = entrant.top_answers[row], int(entrant.outcomes.rank[row])
    moment = first.moment
    return BrowsedAnswer(
        right=right,
        video=first.video,
        moment=(moment.video_id, (moment.start / 1000, moment.end / 1000)) if moment else None,
        rank=rank if rank < ABSENT_RANK else None,
    )


def _seconds(span: Span) -> tuple[float, float]:
    return span.start / 1000, span.end / 1000
