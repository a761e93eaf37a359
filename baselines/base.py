"""What a baseline is: one file that declares itself, prepares once and answers in batches.

A baseline's file holds a docstring (its first line is shown by `ivcr baseline list`), `ABOUT`, one
subclass of `Baseline` and, if anything can be set, one of `Settings`. `ABOUT` is read without
importing the file, so its arguments are literals; heavy imports may stand at its top.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

from msgspec import Struct, field, to_builtins

from harness.errors import EnvironmentFailure
from harness.records import (
    HISTORIES,
    Annotations,
    CandidateUse,
    Gold,
    History,
    Language,
    Moment,
    Task,
    Turn,
    TurnKey,
    Video,
    normalise,
    normalise_answer,
    plain_text,
    whole_number,
)

MILLISECONDS = "milliseconds"  # of `usage`: the one count that differs from run to run

# text: texts of the videos; checkpoint: weights in a folder, others' or trained ones;
# annotated_events: train/events.jsonl, which only IVCR-Mini has; network: a server.
Need = Literal["text", "frames", "checkpoint", "annotated_events", "train_labels", "network"]


class MissingInputError(EnvironmentFailure):
    """The benchmark lacks something that a baseline or a history needs (exit code 3)."""


class About(Struct, frozen=True):
    """What a baseline declares of itself.

    histories: the ones it supports. candidates: whether it is shown the turns' candidates; a
    setting of that name overrides it. needs: what it needs to answer; `train_labels` shows it the
    train split with its labels. trains: whether `ivcr baseline train` trains it. train_needs: what
    it needs for that; train_note: a sentence that qualifies this. explains: whether it can explain
    a moment that another baseline found. composed: whether it is made of other baselines, and needs
    what they need. languages: those it reads (none: it reads no text). paper: a link. team: whose
    it is, for the card, of baselines outside the project. example and train_example: settings
    without which it cannot run or train, for the example commands.
    """

    histories: tuple[History, ...] = HISTORIES
    candidates: CandidateUse = "unused"
    needs: tuple[Need, ...] = ()
    trains: bool = False
    train_needs: tuple[Need, ...] = ()
    train_note: str = ""
    explains: bool = False
    composed: bool = False
    languages: tuple[Language, ...] = ()
    paper: str | None = None
    team: str | None = None
    example: tuple[str, ...] = ()
    train_example: tuple[str, ...] = ()


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

    @property
    def key(self) -> TurnKey:
        """The dialogue's id and the turn's number."""
        return TurnKey(self.dialogue_id, self.turn)


class Answer(Struct, frozen=True):
    """What a baseline says: lists best first, as in Prediction; None: it says nothing of the kind.

    What the turn's task needs and the answer lacks becomes an abstention. Lists and NumPy values
    are taken as in Prediction; raises TypeError, with the field, at values of another kind.
    `usage`: what is counted of the answer (requests, tokens, abstentions by reason ...); the run
    adds it up, turn by turn.
    """

    videos: tuple[str, ...] | None = None
    moments: tuple[Moment, ...] | None = None
    choice: tuple[str, ...] | None = None
    response: str | None = None
    usage: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        normalise_answer(self)
        if self.usage:
            normalise(self, "usage", _counts)


def _counts(value: Any, what: str) -> dict[str, int]:
    return {
        plain_text(name, what): whole_number(count, f"{what}, {name}: expected a whole number")
        for name, count in dict(value).items()
    }


class LabelledSplit(NamedTuple):
    """The train split with its labels: `turns` and `gold` in the same order."""

    turns: tuple[Turn, ...]
    gold: tuple[Gold, ...]
    candidates: Mapping[TurnKey, tuple[str, ...]]


def silent(text: str) -> None:
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
    training: LabelledSplit | None = None
    validation: LabelledSplit | None = None
    cache: Path | None = None
    note: Callable[[str], None] = silent


class Provenance(Struct, frozen=True):
    """What a prepared baseline tells of itself, for the card and for run.json beside it.

    parameters: weights in all. frames_per_video: frames read of a video, a number or a rate such
    as "4 per second". training_data: what the weights were trained on. annotations: what of the
    train split's labels the weights learned from (None: nothing). details: whatever a reader
    needs to repeat the run (decoder fingerprint, checkpoint's hash, videos skipped), plain JSON
    values; the same run gives the same. remark: a sentence that the card's description ends with.
    """

    parameters: int | None = None
    frames_per_video: int | float | str | None = None
    training_data: tuple[str, ...] | None = None
    annotations: Annotations | None = None
    details: dict[str, Any] = field(default_factory=dict)
    remark: str = ""


class TrainerConfig(Struct, frozen=True):
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


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """What can be set in a baseline: a subclass declares one field for each setting.

    Its docstring describes each one as "name: what it is.", which `ivcr baseline info` shows.
    `RUNTIME_ONLY` names the settings that no answer depends on (where a server is, how long it is
    waited for, what may be spent): they may change when a run is resumed, and no card shows them.
    `PATHS` names those that may be a path; in a configuration file they are relative to the file.
    """

    RUNTIME_ONLY: ClassVar[tuple[str, ...]] = ()
    PATHS: ClassVar[tuple[str, ...]] = ("checkpoint",)

    def result_settings(self) -> dict[str, Any]:
        """The settings that answers depend on, by name, as plain values."""
        values: dict[str, Any] = to_builtins(self)
        return {name: value for name, value in values.items() if name not in self.RUNTIME_ONLY}


class NoSettings(Settings, frozen=True):
    """The settings of a baseline in which nothing can be set."""


class MemberConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """A baseline that another one is made of: its name, its settings by name, its weight."""

    baseline: str
    settings: dict[str, Any] = field(default_factory=dict)
    weight: float = 1.0


class Baseline:
    """A baseline, made from its settings. Answers depend on the queries and the seed alone.

    They must not depend on how queries are batched: a run that is resumed ends with the same bytes.
    A subclass defines `prepare` and `answer`; all other hooks are optional and do nothing here.
    `settings_type`: the class of its settings. `given`: the names of the settings that were given,
    for baselines whose other settings come from a trained folder.
    """

    settings_type: ClassVar[type[Settings]] = NoSettings
    _settings: Any
    given: frozenset[str] = frozenset()

    def __init__(self, settings: Any) -> None:
        """Keep the settings; nothing is read before `prepare`."""
        self._settings = settings

    def prepare(self, view: View) -> None:
        """Read and index what `answer` needs. Raises an IvcrError if something is missing."""
        raise NotImplementedError

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """One answer for each query, in order."""
        raise NotImplementedError

    def provenance(self) -> Provenance:
        """What the card and run.json say of the prepared baseline beyond its settings."""
        return Provenance()

    def candidate_use(self, declared: CandidateUse) -> CandidateUse:
        """Whether the turns' candidates are shown: as `ABOUT` declares, or as a setting has it."""
        return declared

    def reads_train_labels(self, declared: bool) -> bool:
        """Whether the train split is shown with its labels: as `ABOUT` declares, or a member's."""
        return declared

    def scores(self, query: Query) -> Any:
        """The scores that rank the corpus for one query: floats, (videos,), unranked ones -inf.

        For what fuses retrievers by their scores; one that ranks without scores has none.
        """
        raise NotImplementedError

    def scored_spans(self, query: Query) -> Any:
        """What a moment turn's moments are chosen from, a `localisation.proposals.ScoredSpans`.

        None where there is no video to search in. For what fuses localisers by their scores.
        """
        raise NotImplementedError

    def explain(self, moments: Sequence[tuple[Query, Moment]]) -> list[Answer]:
        """A response for each moment that another baseline found; declared by `About.explains`."""
        raise NotImplementedError

    def restore_usage(self, usage: Mapping[str, int]) -> None:
        """Count the usage of an earlier batch of this run, whose answers come from the journal."""

    def cost(self, usage: Mapping[str, int]) -> dict[str, int | float | str]:
        """The card's cost of a whole run, in which `usage` was counted."""
        return dict(usage)

    def train(self, view: View, config: TrainerConfig) -> None:
        """Train on `view.training` and write the checkpoint folder `config.out`.

        Called where `About.trains` is declared; the baseline then runs with `checkpoint=FOLDER`.
        """
        raise NotImplementedError
