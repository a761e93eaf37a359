"""The fast path: tells of most lines, at the price of typed decoding, that nothing is to be said.

It accepts only what the slow path (harness.validation.reading.json_line, answer, meaning, moments)
would accept without a finding; any doubt sends the line there. The video ids stand as a Literal in
the decoder, so that an unknown video ends the decoding and a known one costs no new string.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType, defstruct

from harness.records import Moment, Prediction, Task
from harness.validation.public import Public
from harness.validation.reading.json_line import NUMBER_LIMIT
from harness.validation.rules.answer import MOST_CHOICES, MOST_MOMENTS, MOST_VIDEOS

_UNBOUNDED = NUMBER_LIMIT * 1000  # ms
# Quotation marks, in pairs: around the two naming keys and the dialogue's id; around a part's key;
# around an entry of a list; around the keys and the video of a moment.
_NAMING, _KEY, _ENTRY, _MOMENT = 6, 2, 2, 8


def _decoder(known: Public, ordered: bool) -> msgspec.json.Decoder[Any]:
    # No video at all: a Literal cannot be empty, and no id is empty.
    video: Any = Literal[tuple(known.durations) or ("",)]
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
            ("videos", _at_most(MOST_VIDEOS, ranking), UNSET),
            ("moments", _at_most(MOST_MOMENTS, tuple[moment, ...]), UNSET),
            ("choice", _at_most(MOST_CHOICES, tuple[str, ...]), UNSET),
            ("response", str | UnsetType, UNSET),
        ],
        forbid_unknown_fields=True,
        gc=False,
    )
    return msgspec.json.Decoder(line)


def _at_most(number: int, kind: Any) -> Any:
    return Annotated[kind, Meta(max_length=number)] | UnsetType


class Accepted(NamedTuple):
    """A line that nothing is to be said of: its turn's position, whether it abstains, its parts.

    Parts that the line does not have are UNSET; times are seconds.
    """

    position: int
    abstains: bool
    answer: Any


class FastPath:
    """Decodes and checks lines of one split; unless `ordered`, rankings as sets, a bit faster."""

    def __init__(self, known: Public, *, ordered: bool) -> None:
        self._decode = _decoder(known, ordered).decode
        self._known = known
        self._dialogues = known.dialogues
        self._tasks = known.tasks
        self._undated = {name for name, length in known.durations.items() if length is None}
        self._durations = {
            name: _UNBOUNDED if duration is None else duration
            for name, duration in known.durations.items()
        }

    def accepted(self, line: bytes) -> Accepted | None:
        """The decoded line, or None if something may be wrong with it."""
        try:
            answer = self._decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        place = self._dialogues.get(answer.dialogue_id)
        if place is None or not 0 < answer.turn <= place.turns:
            return None
        position = place.first + answer.turn - 1
        # Whatever stands twice, key or video, has its quotation marks twice. A mark inside a name
        # makes too many as well, and costs the slow path, no more.
        if line.count(b'"') != self._marks(line, answer, position):
            return None
        given = False
        for key in PARTS[self._tasks[position]]:
            if (part := getattr(answer, key)) is not UNSET:
                if part:
                    return Accepted(position, False, answer)
                given = True
        return Accepted(position, True, answer) if given else None

    def undated(self, answer: Any) -> int:
        """The number of an answer's moments in videos of unknown duration."""
        if not self._undated or not answer.moments:
            return 0
        return sum(moment.video_id in self._undated for moment in answer.moments)

    def _marks(self, line: bytes, answer: Any, position: int) -> int:
        """The quotation marks of a line in which nothing stands twice; -1 if it is not sound."""
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
            if chosen and not chosen.issubset(self._known.candidates[position]):
                return -1
        if (response := answer.response) is not UNSET:
            # Without escapes by number, each mark of the text is one mark of the line.
            marks += _KEY + _ENTRY + (0 if b"\\u" in line else response.count('"'))
        return marks

    def _sound(self, moments: tuple[Any, ...]) -> bool:
        """Whether all moments are different, run forwards and lie in their videos."""
        durations = self._durations
        spans = set()
        for moment in moments:
            start, end = round(moment.start * 1000), round(moment.end * 1000)
            if not 0 <= start < end <= durations[moment.video_id]:
                return False
            spans.add((moment.video_id, start, end))
        return len(spans) == len(moments)


PARTS: dict[Task, tuple[str, ...]] = {
    "video": ("videos", "choice"),
    "moment": ("moments",),
    "chat": ("response",),
}


def prediction(answer: Any) -> Prediction:
    """The record of an accepted line."""
    given = answer.moments
    moments = None
    if given is not UNSET:
        moments = tuple(
            Moment(entry.video_id, round(entry.start * 1000), round(entry.end * 1000))
            for entry in given
        )
    return Prediction(
        answer.dialogue_id,
        answer.turn,
        _set(answer.videos),
        moments,
        _set(answer.choice),
        _set(answer.response),
    )


def _set(part: Any) -> Any:
    return None if part is UNSET else part
