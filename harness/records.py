"""The nouns of the benchmark as frozen records: integer milliseconds inside, seconds in files."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from msgspec import Struct, field

Task = Literal["video", "moment", "chat"]
Language = Literal["en", "zh"]
History = Literal["none", "own", "reference"]
CandidateUse = Literal["used", "unused"]
HISTORIES: tuple[History, ...] = ("none", "own", "reference")
SPLITS = ("train", "val", "test")
RANK_LIMIT = 100  # videos that a ranking holds; a gold video past them counts as absent
ABSENT_RANK = RANK_LIMIT + 1  # the rank of an absent video
MOMENT_LIMIT = 100  # moments that an answer holds
CANDIDATES = 10  # videos that the first stage gives a turn; `choice` ranks at most so many
# Type code of a dialogue of independent turns joined together (official data format).
CONCATENATION = 7
CHAT = 0


def milliseconds(seconds: float) -> int:
    """Seconds to the nearest integer millisecond."""
    return round(seconds * 1000)


class TurnKey(NamedTuple):
    """The name of a turn: the dialogue's id and the turn's number, from 1."""

    dialogue_id: str
    turn: int


class Span(Struct, frozen=True):
    """A span of a video, integer milliseconds from its first frame, 0 <= start < end."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"expected 0 <= start < end, got {self.start} and {self.end} ms")


class Moment(Struct, frozen=True):
    """A span of a named video, integer milliseconds from its first frame, 0 <= start < end."""

    video_id: str
    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"expected 0 <= start < end, got {self.start} and {self.end} ms")


class Video(Struct, frozen=True):
    """One video; `duration` in milliseconds (None: unknown); `text` by field name."""

    video_id: str
    duration: int | None = None
    source: str = ""
    text: dict[str, str] = field(default_factory=dict)
    path: str | None = None


class Turn(Struct, frozen=True):
    """One utterance and its task, as participants see it. `type` is the dialogue's type code."""

    dialogue_id: str
    turn: int
    type: int
    language: Language
    task: Task
    utterance: str

    @property
    def key(self) -> TurnKey:
        """The dialogue's id and the turn's number."""
        return TurnKey(self.dialogue_id, self.turn)


class Gold(Struct, frozen=True):
    """The right answer of one turn: video (None in chat turns), moment (moment turns), answer."""

    dialogue_id: str
    turn: int
    video_id: str | None = None
    moment: Span | None = None
    answer: str = ""
    text_id: str | None = None
    tags: tuple[str, ...] = ()
    foil: str | None = None

    @property
    def key(self) -> TurnKey:
        """The dialogue's id and the turn's number."""
        return TurnKey(self.dialogue_id, self.turn)


class Reference(Struct, frozen=True):
    """A past turn in `reference` history: its reference answer and gold video."""

    dialogue_id: str
    turn: int
    answer: str
    video_id: str | None


class Prediction(Struct, frozen=True):
    """A system's answer to one turn; lists best first; None: not given, empty: an abstention.

    videos: at most RANK_LIMIT ids of the corpus; moments: at most MOMENT_LIMIT; choice: at most
    CANDIDATES of the turn's candidates; response: free text.
    """

    dialogue_id: str
    turn: int
    videos: tuple[str, ...] | None = None
    moments: tuple[Moment, ...] | None = None
    choice: tuple[str, ...] | None = None
    response: str | None = None

    @property
    def key(self) -> TurnKey:
        """The dialogue's id and the turn's number."""
        return TurnKey(self.dialogue_id, self.turn)


class Card(Struct, frozen=True, omit_defaults=True):
    """Who and what made a submission, as declared in card.toml."""

    schema: int
    team: str
    system: str
    history: History
    candidates: CandidateUse
    kind: Literal["predictions", "reported"] = "predictions"
    description: str | None = None
    training_data: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    parameters: int | float | str | None = None
    frames_per_video: int | float | str | None = None
    seed: int | None = None
    date: str | None = None
    paper: str | None = None
    code: str | None = None
    contact: str | None = None
    hardware: str | None = None
    cost: int | float | str | dict[str, Any] | None = None
    pair: str | None = None
    variant: str | None = None
    control: str | None = None
    settings: dict[str, Any] | None = None
    figures: dict[str, float] | None = None
    source: str | None = None
