"""The fast path: accepts most sound lines at the price of typed decoding.

It accepts a line only if the slow path would find nothing in it by the rules in COVERED; any doubt
sends the line there. The video ids are a Literal in the decoder, so that an unknown video ends the
decoding and a known one costs no new string.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType, defstruct

from harness.records import CANDIDATES, MOMENT_LIMIT, RANK_LIMIT, RESPONSE_LIMIT, Moment, Prediction
from harness.submission import ANSWERED_BY
from harness.validation.public import PublicSplit
from harness.validation.rules.json_text import NUMBER_LIMIT

# The rules about a line that no accepted line breaks: those of JSON and of shape, which the decoder
# holds, and those of content and moments, which `accept` holds. Every other rule about a line is
# applied to accepted lines as well.
COVERED = frozenset(
    [
        *("L101", "L102", "L103", "L104", "L105", "L106", "L107", "L108"),
        *("L109", "L110", "L111", "L112"),
        *("T102", "T103", "V100", "V101", "V102", "V103", "H100", "H101", "H102", "R100", "R101"),
        *("M100", "M101", "M102", "M103", "M201", "M202", "M203", "M204", "M205", "M206"),
    ]
)
_UNBOUNDED = NUMBER_LIMIT * 1000  # ms
# Quotation marks, in pairs: around the two naming keys and the dialogue's id; around a part's key;
# around an entry of a list; around the keys and the video of a moment.
_NAMING, _KEY, _ENTRY, _MOMENT = 6, 2, 2, 8


def _decoder(public: PublicSplit, ordered: bool) -> msgspec.json.Decoder[Any]:
    # No video at all: a Literal cannot be empty, and no id is empty.
    video: Any = Literal[tuple(public.durations) or ("",)]
    moment: Any = defstruct(
        "moment",
        [("video_id", video), ("start", float), ("end", float)],
        forbid_unknown_fields=True,
        gc=False,
    )
    ranking: Any = tuple[video, ...] if ordered else frozenset[video]
    line = defstruct(
        "line",
        [
            ("dialogue_id", str),
            ("turn", int),
            ("videos", _at_most(RANK_LIMIT, ranking), UNSET),
            ("moments", _at_most(MOMENT_LIMIT, tuple[moment, ...]), UNSET),
            ("choice", _at_most(CANDIDATES, tuple[str, ...]), UNSET),
            ("response", _at_most(RESPONSE_LIMIT, str), UNSET),
        ],
        forbid_unknown_fields=True,
        gc=False,
    )
    return msgspec.json.Decoder(line)


def _at_most(number: int, kind: Any) -> Any:
    return Annotated[kind, Meta(max_length=number)] | UnsetType


class AcceptedLine(NamedTuple):
    """A line without a finding: its turn's position, whether it abstains, its parts.

    Parts that the line does not have are UNSET; times are seconds.
    """

    position: int
    abstains: bool
    answer: Any


class FastPath:
    """Decodes and checks lines of one split; unless `ordered`, rankings as sets, a bit faster."""

    def __init__(self, public: PublicSplit, *, ordered: bool) -> None:
        self._decode = _decoder(public, ordered).decode
        self._public = public
        self._dialogues = public.dialogues
        self._tasks = public.tasks
        self._undated = {name for name, length in public.durations.items() if length is None}
        self._durations = {
            name: _UNBOUNDED if duration is None else duration
            for name, duration in public.durations.items()
        }

    def accept(self, line: bytes) -> AcceptedLine | None:
        """The decoded line, or None if something may be wrong with it."""
        try:
            answer = self._decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        place = self._dialogues.get(answer.dialogue_id)
        if place is None or not 0 < answer.turn <= place.turns:
            return None
        position = place.first + answer.turn - 1
        # A key or video that occurs twice has its quotation marks twice. A mark inside a name
        # makes too many as well, and costs the slow path, no more.
        if line.count(b'"') != self._marks(line, answer, position):
            return None
        abstains = False
        for key in ANSWERED_BY[self._tasks[position]]:
            if (part := getattr(answer, key)) is not UNSET:
                if part:
                    return AcceptedLine(position, False, answer)
                abstains = True
        return AcceptedLine(position, True, answer) if abstains else None

    def undated(self, answer: Any) -> int:
        """The number of an answer's moments in videos of unknown duration."""
        if not self._undated or not answer.moments:
            return 0
        return sum(moment.video_id in self._undated for moment in answer.moments)

    def _marks(self, line: bytes, answer: Any, position: int) -> int:
        """The quotation marks of a line in which nothing occurs twice; -1 if it is not sound."""
        marks = _NAMING
        if (videos := answer.videos) is not UNSET:
            marks += _KEY + _ENTRY * len(frozenset(videos))
        if (moments := answer.moments) is not UNSET:
            marks += _KEY + _MOMENT * len(moments)
            if moments and not self._sound(moments):
                return -1
        if (choice := answer.choice) is not UNSET:
            chosen = frozenset(choice)
            marks += _KEY + _ENTRY * len(chosen)
            if chosen and not chosen.issubset(self._public.candidates[position]):
                return -1
        if (response := answer.response) is not UNSET:
            # Without escapes by number, each mark of the text is one mark of the line.
            marks += _KEY + _ENTRY + (0 if b"\\u" in line else response.count('"'))
        return marks

    def _sound(self, moments: tuple[Any, ...]) -> bool:
        """Whether all moments are different, run forwards and are within their videos."""
        durations = self._durations
        spans = set()
        for moment in moments:
            start, end = round(moment.start * 1000), round(moment.end * 1000)
            if not 0 <= start < end <= durations[moment.video_id]:
                return False
            spans.add((moment.video_id, start, end))
        return len(spans) == len(moments)


def to_prediction(answer: Any) -> Prediction:
    """The record of an accepted line."""
    moments = None
    if answer.moments is not UNSET:
        moments = tuple(
            Moment(entry.video_id, round(entry.start * 1000), round(entry.end * 1000))
            for entry in answer.moments
        )
    return Prediction(
        answer.dialogue_id,
        answer.turn,
        _or_none(answer.videos),
        moments,
        _or_none(answer.choice),
        _or_none(answer.response),
    )


def _or_none(part: Any) -> Any:
    return None if part is UNSET else part
