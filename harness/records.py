"""The nouns of the benchmark as frozen records: integer milliseconds inside, seconds in files."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any, Literal, NamedTuple, Self, get_args

from msgspec import Struct, field
from msgspec.structs import force_setattr

Task = Literal["video", "moment", "chat"]
Language = Literal["en", "zh"]
History = Literal["none", "own", "reference"]
CandidateUse = Literal["used", "unused"]
HISTORIES: tuple[History, ...] = ("none", "own", "reference")
# What of a train split's labels a system learned from, each with what stands before it.
Annotations = Literal["none", "gold videos", "gold spans", "annotated events"]
ANNOTATIONS: tuple[Annotations, ...] = get_args(Annotations)
# Whether everybody can get all weights that a system uses.
Weights = Literal["open", "closed"]
WEIGHTS: tuple[Weights, ...] = get_args(Weights)
SPLITS = ("train", "val", "test")
RANK_LIMIT = 100  # videos that a ranking holds; a gold video past them counts as absent
ABSENT_RANK = RANK_LIMIT + 1  # the rank of an absent video
MOMENT_LIMIT = 100  # moments that an answer holds
RESPONSE_LIMIT = 100_000  # characters of a response
CANDIDATES = 10  # videos that the first stage gives a turn; `choice` ranks at most so many
# Containers of moving pictures. Playlists and concatenation scripts are left out, because they name
# other files and addresses.
VIDEO_CONTAINERS = "mov,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf,gif,apng,rm,nut"
# Type code of a dialogue of independent turns joined together (official data format).
CONCATENATION = 7
CHAT = 0


def milliseconds(seconds: float) -> int:
    """Seconds to the nearest integer millisecond."""
    return round(seconds * 1000)


def whole_number(value: Any, what: str) -> int:
    """A whole number of whatever integer type, NumPy's too, as an int.

    Raises TypeError, which names `what`, at anything else: a float, a text, a truth value.
    """
    if type(value) is int:
        return value
    if not isinstance(value, bool):
        try:
            return operator.index(value)
        except TypeError:
            pass
    raise TypeError(f"{what}, found {found_value(value)}")


def plain_text(value: Any, what: str) -> str:
    """A text of whatever kind, NumPy's too, as a str. Raises TypeError, which names `what`."""
    if type(value) is str:
        return value
    if not isinstance(value, str):
        raise TypeError(f"{what}: expected text, found {found_value(value)}")
    return str(value)


def plain_texts(value: Any, what: str) -> tuple[str, ...]:
    """Texts in order, as any sequence has them (list, NumPy array, column), as a tuple of str.

    Raises TypeError, which names `what`, at a single text, what has no order, and other values.
    """
    found = _in_order(value, what, "ids")
    if set(map(type, found)) <= {str}:
        return found
    return tuple(plain_text(each, f"{what}, entry {at}") for at, each in enumerate(found, start=1))


def moment_records(value: Any, what: str) -> tuple[Moment, ...]:
    """Moments in order, as any sequence has them, as a tuple.

    Raises TypeError, which names `what`, at anything else.
    """
    found = _in_order(value, what, "Moment values")
    for at, each in enumerate(found, start=1):
        if type(each) is not Moment:
            raise TypeError(
                f"{what}, entry {at}: expected a Moment, found {found_value(each)}; "
                "Moment.from_seconds(video_id, start, end) makes one"
            )
    return found


def _in_order(value: Any, what: str, of: str) -> tuple[Any, ...]:
    if type(value) is tuple:
        return value
    if isinstance(value, (str, bytes, Mapping, Set)) or not isinstance(value, Iterable):
        raise TypeError(
            f"{what}: expected {of} in a list or tuple, best first, found {found_value(value)}; "
            "None says that nothing is given"
        )
    return tuple(value)


def found_value(value: Any) -> str:
    """A value and its type, as the finding of a message; cut where it is long."""
    text = " ".join(repr(value).split())
    kept = text if len(text) <= 60 else f"{text[:59]}…"
    return f"{kept} ({type(value).__name__})"


def normalise(record: Struct, name: str, plain: Callable[[Any, str], Any], what: str = "") -> None:
    """Give a field of a frozen record its plain value; raises what `plain` raises."""
    value = getattr(record, name)
    made = plain(value, what or f"{type(record).__name__}.{name}")
    if made is not value:
        force_setattr(record, name, made)


def normalise_answer(record: Struct) -> None:
    """Give what `record` answers, where not None, plain values; raises TypeError with the field."""
    for name, plain in (
        ("videos", plain_texts),
        ("moments", moment_records),
        ("choice", plain_texts),
        ("response", plain_text),
    ):
        if getattr(record, name) is not None:
            normalise(record, name, plain)


def _whole_milliseconds(record: Span | Moment) -> None:
    kind, before = type(record).__name__, "video_id, " if isinstance(record, Moment) else ""
    for name in ("start", "end"):
        what = (
            f"{kind}.{name}: expected whole milliseconds ({kind}.from_seconds({before}start, end) "
            "takes seconds)"
        )
        normalise(record, name, whole_number, what)


def _check_span(record: Span | Moment) -> None:
    if not (type(record.start) is int and type(record.end) is int):
        _whole_milliseconds(record)
    if not 0 <= record.start < record.end:
        raise ValueError(f"expected 0 <= start < end, got {record.start} and {record.end} ms")


def finite_seconds(value: Any, what: str) -> float:
    """Seconds of whatever number type, NumPy's too, as a float.

    Raises TypeError, which names `what`, at anything else: a text, a truth value, an array, NaN.
    """
    kind = str(getattr(value, "dtype", type(value).__name__))
    try:
        number = math.nan
        if not (isinstance(value, (str, bytes)) or "bool" in kind or getattr(value, "ndim", 0) > 0):
            number = float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    if not math.isfinite(number):
        raise TypeError(f"{what}: expected seconds as a finite number, found {found_value(value)}")
    return number


def _seconds(value: Any, what: str) -> int:
    return milliseconds(finite_seconds(value, what))


class TurnKey(NamedTuple):
    """The name of a turn: the dialogue's id and the turn's number, from 1."""

    dialogue_id: str
    turn: int


class Span(Struct, frozen=True):
    """A span of a video, integer milliseconds from its first frame, 0 <= start < end.

    Raises TypeError at a float, which would be seconds: `from_seconds` takes those.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        _check_span(self)

    @classmethod
    def from_seconds(cls, start: float, end: float) -> Self:
        """A span from its times in seconds. Raises TypeError if they are no numbers."""
        return cls(_seconds(start, "start"), _seconds(end, "end"))


class Moment(Struct, frozen=True):
    """A span of a named video, integer milliseconds from its first frame, 0 <= start < end.

    Raises TypeError at a float, which would be seconds: `from_seconds` takes those.
    """

    video_id: str
    start: int
    end: int

    def __post_init__(self) -> None:
        if type(self.video_id) is not str:
            normalise(self, "video_id", plain_text)
        _check_span(self)

    @classmethod
    def from_seconds(cls, video_id: str, start: float, end: float) -> Self:
        """A moment from its times in seconds. Raises TypeError if they are no numbers."""
        return cls(video_id, _seconds(start, "start"), _seconds(end, "end"))


class Video(Struct, frozen=True):
    """One video; `duration` in milliseconds (None: unknown); `text` by field name."""

    video_id: str
    duration: int | None = None
    source: str = ""
    text: dict[str, str] = field(default_factory=dict)
    path: str | None = None

    def __post_init__(self) -> None:
        if self.duration is not None:
            what = "Video.duration: expected whole milliseconds (`milliseconds` takes seconds)"
            normalise(self, "duration", whole_number, what)


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
    CANDIDATES of the turn's candidates; response: free text, at most RESPONSE_LIMIT characters.
    Lists, NumPy arrays and columns of pandas become tuples, and NumPy's texts and integers plain
    ones; raises TypeError, with the field, at values of another kind.
    """

    dialogue_id: str
    turn: int
    videos: tuple[str, ...] | None = None
    moments: tuple[Moment, ...] | None = None
    choice: tuple[str, ...] | None = None
    response: str | None = None

    def __post_init__(self) -> None:
        normalise(self, "dialogue_id", plain_text)
        normalise(self, "turn", whole_number, "Prediction.turn: expected a whole number")
        normalise_answer(self)

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
    annotations: Annotations | None = None
    languages: tuple[str, ...] | None = None
    parameters: int | float | str | None = None
    frames_per_video: int | float | str | None = None
    weights: Weights | None = None
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
