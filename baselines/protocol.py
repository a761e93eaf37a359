"""What a baseline is: one file that declares itself, prepares once and answers in batches.

A baseline's file holds a docstring (its first line is shown by `ivcr baseline list`), `ABOUT`, a
class `Baseline` and, if anything can be set, a class `Settings`. `ABOUT` is read without importing
the file, so its arguments are literals, and heavy imports may stand at the top of the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from msgspec import Struct

from harness.errors import EnvironmentFailure
from harness.records import (
    HISTORIES,
    CandidateUse,
    Gold,
    History,
    Language,
    Moment,
    Task,
    Turn,
    TurnKey,
    Video,
)


class MissingInputError(EnvironmentFailure):
    """The benchmark lacks something that a baseline or a history needs (exit code 3)."""


class About(Struct, frozen=True):
    """What a baseline declares of itself.

    histories: the ones it supports. candidates: whether it is shown the turns' candidates; a
    setting of that name overrides it. train: whether it needs the train split with its labels.
    languages: those it reads (none: it reads no words). paper: a link.
    """

    histories: tuple[History, ...] = HISTORIES
    candidates: CandidateUse = "unused"
    train: bool = False
    languages: tuple[Language, ...] = ()
    paper: str | None = None


class Exchange(NamedTuple):
    """An earlier turn as the history shows it.

    Under `own` history `answer` and `video_id` are the system's own response and first video, under
    `reference` the reference answer and the gold video; `video_id` is None where there was none.
    `candidates` is empty unless the baseline uses them.
    """

    task: Task
    utterance: str
    answer: str
    video_id: str | None
    candidates: tuple[str, ...]


class Query(Struct, frozen=True):
    """One turn as a baseline sees it; `history` holds the earlier turns, oldest first.

    `video_id` is the given video: the gold video of a moment turn under `reference` history, else
    None. `candidates` is empty unless the baseline uses them and the turn has some.
    """

    dialogue_id: str
    turn: int
    language: Language
    task: Task
    utterance: str
    candidates: tuple[str, ...] = ()
    video_id: str | None = None
    history: tuple[Exchange, ...] = ()


class Answer(Struct, frozen=True):
    """What a baseline says: lists best first, as in Prediction; None: it says nothing of the kind.

    What the turn's task needs and the answer lacks becomes an abstention.
    """

    videos: tuple[str, ...] | None = None
    moments: tuple[Moment, ...] | None = None
    choice: tuple[str, ...] | None = None
    response: str | None = None


class Training(NamedTuple):
    """The train split with its labels: `turns` and `gold` in the same order."""

    turns: tuple[Turn, ...]
    gold: tuple[Gold, ...]
    candidates: Mapping[TurnKey, tuple[str, ...]]


class View(Struct, frozen=True):
    """What a baseline may prepare with: the public side of a benchmark, and train labels.

    `folder` is where the videos' paths start. `training` is None unless the baseline declares
    `train`.
    """

    videos: Mapping[str, Video]
    corpus: tuple[str, ...]
    folder: Path
    history: History
    seed: int
    training: Training | None = None


class Baseline(Protocol):
    """A baseline, made from its settings. Answers depend on the queries and the seed alone.

    They must not depend on how queries are batched: a run that goes on where it stopped ends with
    the same bytes.
    """

    def __init__(self, settings: Any) -> None:
        """Keep the settings; nothing is read before `prepare`."""

    def prepare(self, view: View) -> None:
        """Read and index what `answer` needs. Raises an IvcrError if something is missing."""

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """One answer for each query, in order."""


class NoSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of a baseline in which nothing can be set."""
