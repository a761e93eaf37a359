"""What a baseline is: one file that declares itself, prepares once and answers in batches.

A baseline's file holds a docstring (its first line is shown by `ivcr baseline list`), `ABOUT`, a
class `Baseline` and, if anything can be set, a class `Settings`. `ABOUT` is read without importing
the file, so its arguments are literals, and heavy imports may stand at the top of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from msgspec import Struct, field

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

MILLISECONDS = "milliseconds"  # of `spent`: the one count that differs from run to run


class MissingInputError(EnvironmentFailure):
    """The benchmark lacks something that a baseline or a history needs (exit code 3)."""


class About(Struct, frozen=True):
    """What a baseline declares of itself.

    histories: the ones it supports. candidates: whether it is shown the turns' candidates; a
    setting of that name overrides it. train: whether it needs the train split with its labels to
    answer. trains: whether `ivcr baseline train` trains it (its class is then a Trainable).
    languages: those it reads (none: it reads no words). paper: a link.
    """

    histories: tuple[History, ...] = HISTORIES
    candidates: CandidateUse = "unused"
    train: bool = False
    trains: bool = False
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

    What the turn's task needs and the answer lacks becomes an abstention. `spent`: what is counted
    of the answer (requests, tokens, abstentions by reason ...); the run adds it up, turn by turn.
    """

    videos: tuple[str, ...] | None = None
    moments: tuple[Moment, ...] | None = None
    choice: tuple[str, ...] | None = None
    response: str | None = None
    spent: dict[str, int] = field(default_factory=dict)


class Training(NamedTuple):
    """The train split with its labels: `turns` and `gold` in the same order."""

    turns: tuple[Turn, ...]
    gold: tuple[Gold, ...]
    candidates: Mapping[TurnKey, tuple[str, ...]]


def _silent(text: str) -> None:
    """Note nothing."""


class View(Struct, frozen=True):
    """What a baseline may prepare with: the public side of a benchmark, and train labels.

    `folder` is where the videos' paths start. `training` is None unless the baseline declares
    `train` or is being trained; `validation`, the val split with its labels, is there while it is
    trained and the benchmark has one. `cache` is the folder for features that may be kept from run
    to run (None: nothing is kept). `note` shows a line to whoever runs the baseline.
    """

    videos: Mapping[str, Video]
    corpus: tuple[str, ...]
    folder: Path
    history: History
    seed: int
    training: Training | None = None
    validation: Training | None = None
    cache: Path | None = None
    note: Callable[[str], None] = _silent


class Provenance(Struct, frozen=True):
    """What a prepared baseline tells of itself, for the card and for run.json beside it.

    parameters: weights in all. frames_per_video: frames read of a video, a number or a rate such
    as "4 per second". training_data: what the weights were trained on. details: whatever a reader
    needs to repeat the run (decoder fingerprint, checkpoint's hash, videos skipped), plain JSON
    values; the same run gives the same. remark: a sentence that the card's description ends with.
    """

    parameters: int | None = None
    frames_per_video: int | float | str | None = None
    training_data: tuple[str, ...] | None = None
    details: dict[str, Any] = field(default_factory=dict)
    remark: str = ""


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


class Telling(Protocol):
    """A baseline that tells more of itself than its settings do."""

    def provenance(self) -> Provenance:
        """What the card and run.json should say; called after `prepare`."""


class Paying(Protocol):
    """A baseline whose answers cost something: they carry `spent`."""

    def paid_before(self, spent: Mapping[str, int]) -> None:
        """Told what an earlier batch of this run has spent, which is not asked again."""

    def bill(self, spent: Mapping[str, int]) -> dict[str, int | float | str]:
        """What the card says of the cost of the whole run, in which `spent` was spent."""


class Course(Struct, frozen=True):
    """How a training run is carried out, the same for every baseline.

    out: the checkpoint folder to make. devices and nodes: processes in all are their product.
    strategy and precision: as PyTorch Lightning names them. wandb: the project to log to (None: no
    logging). resume: go on from what an interrupted run left in `out`. steps: the most optimizer
    steps of each stage (None: as the baseline has it).
    """

    out: Path
    seed: int = 0
    devices: int = 1
    nodes: int = 1
    strategy: str = "auto"
    precision: str = "32-true"
    wandb: str | None = None
    resume: bool = False
    steps: int | None = None


class Trainable(Baseline, Protocol):
    """A baseline that can be trained; it then runs with `--set checkpoint=FOLDER`."""

    def train(self, view: View, course: Course) -> None:
        """Train on `view.training` and write the checkpoint folder `course.out`."""


class NoSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of a baseline in which nothing can be set."""
