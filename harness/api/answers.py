"""Answers as people write them: checked, and made the prediction of one turn. Times are seconds.

An answer is a list of video ids (video turn), a list of moments `(video_id, start, end)` (moment
turn), a text (chat turn), or a mapping of `videos`, `moments`, `choice` and `response`. A list may
be whatever has an order (tuple, generator, NumPy array, column of pandas), a time any real number.
What an answer says is checked by the rules of `ivcr validate`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, NoReturn

from baselines.base import Query
from harness.errors import SubmissionError, did_you_mean
from harness.records import (
    Prediction,
    finite_seconds,
    found_value,
    plain_text,
    plain_texts,
)
from harness.submission import ANSWERED_BY, MOMENT_KEYS, PARTS
from harness.validation.public import PublicSplit
from harness.validation.report import display
from harness.validation.rules.rule import Finding

_RANKING = "give video ids in a list, best first and without scores; [] abstains"
_MOMENTS = (
    "give (video_id, start, end) in a list, best first; times are seconds from the first frame; "
    "[] abstains"
)
# The field that rules are about, by the letter of their codes.
_FIELD_OF = {"V": "videos", "M": "moments", "H": "choice", "R": "response"}
_STEPS = {
    "video": f"a video turn: {_RANKING}",
    "moment": f"a moment turn: {_MOMENTS}",
    "chat": 'a chat turn: give a text; "" abstains',
}


class AnswerReader:
    """Reads the answers to the turns of one split."""

    def __init__(self, public: PublicSplit) -> None:
        """`public`: what participants see of the split, as validation needs it."""
        self._public = public

    def place(self, dialogue_id: object, turn: object) -> str:
        """A turn of the split, as messages name it."""
        return f"split {self._public.split}, turn {display(str(dialogue_id))}/{turn}"

    def read(self, answer: object, query: Query) -> Prediction:
        """The prediction that an answer to `query` says.

        Raises SubmissionError at the first thing that is wrong with it: split, dialogue, turn,
        field, what is expected there, what was found, what to do.
        """
        from harness.validation import check_answer

        place = self.place(query.dialogue_id, query.turn)
        values = {"dialogue_id": query.dialogue_id, "turn": query.turn}
        checked = check_answer(values | _Fields(place, query).read(answer), self._public)
        if checked.prediction is None:
            raise SubmissionError(f"{place}: {self._message(checked.errors)}")
        return checked.prediction

    def _message(self, errors: Sequence[Finding]) -> str:
        """The first error, with its field, and how many more there are."""
        first, more = errors[0], len(errors) - 1
        field = _FIELD_OF.get(first.code[0])
        text = first.text if field is None else f"{field}: {first.text}"
        if first.code in ("V100", "M101"):
            text += f"; the ids are those of corpus({self._public.split!r})"
        return f"{text} [{first.code}]" + (f" (and {more:,} more)" if more else "")


class _Fields:
    """The fields of one answer as plain values; errors begin with `place`."""

    def __init__(self, place: str, query: Query) -> None:
        self._place = place
        self._task = query.task

    def read(self, answer: object) -> dict[str, Any]:
        """By name the fields that the answer gives."""
        if isinstance(answer, Mapping):
            given = {name: value for name, value in answer.items() if value is not None}
        else:
            given = {ANSWERED_BY[self._task][0]: self._bare(answer)}
        for name in given:
            if name not in PARTS:
                hint = did_you_mean(str(name), PARTS)
                self._fail(
                    f"unknown field {found_value(name)}; {hint}expected {', '.join(PARTS)}; "
                    f"{_STEPS[self._task]}"
                )
        return {name: self._field(name, value) for name, value in given.items()}

    def _bare(self, answer: object) -> object:
        """An answer that is no mapping: of the kind that the turn's task asks for."""
        if answer is None:
            self._fail(f"expected an answer, found None; {_STEPS[self._task]}")
        if isinstance(answer, str) != (self._task == "chat"):
            wanted = "a text" if self._task == "chat" else "a list"
            self._fail(f"expected {wanted}, found {found_value(answer)}; {_STEPS[self._task]}")
        return answer

    def _field(self, name: str, value: Any) -> Any:
        if name == "response":
            return self._text(value)
        if name == "moments":
            entries = self._listed(name, value, 2, _MOMENTS)
            return [self._moment(at, each) for at, each in enumerate(entries, start=1)]
        try:
            return list(plain_texts(self._listed(name, value, 1, _RANKING), name))
        except TypeError as error:
            self._fail(f"{error}; {_RANKING}", error)

    def _text(self, value: object) -> str:
        try:
            text = plain_text(value, "response")
            text.encode()
        except TypeError as error:
            self._fail(f"{error}; {_STEPS['chat']}", error)
        except UnicodeEncodeError as error:
            self._fail("response: expected text, found half a character (a surrogate); leave it "
                       "out", error)  # fmt: skip
        return text

    def _listed(self, name: str, value: Any, dimensions: int, step: str) -> list[Any]:
        """The entries of a field, in order; of an array at most so many dimensions."""
        shape = tuple(getattr(value, "shape", ()))
        if len(shape) > dimensions:
            self._fail(f"{name}: expected a list, found the shape {shape}; {step}")
        unordered = isinstance(value, (str, bytes, Mapping, Set))
        if unordered or not isinstance(value, Iterable):
            self._fail(f"{name}: expected a list, found {found_value(value)}; {step}")
        return list(value)

    def _moment(self, at: int, entry: Any) -> dict[str, Any]:
        where = f"moments, entry {at}"
        video_id, start, end = self._parts(where, entry)
        try:
            return {
                "video_id": plain_text(video_id, f"{where}, video_id"),
                "start": finite_seconds(start, f"{where}, start"),
                "end": finite_seconds(end, f"{where}, end"),
            }
        except TypeError as error:
            self._fail(f"{error}; {_MOMENTS}", error)

    def _parts(self, where: str, entry: Any) -> Sequence[Any]:
        if isinstance(entry, Mapping) and set(entry) == set(MOMENT_KEYS):
            return [entry[key] for key in MOMENT_KEYS]
        whole = isinstance(entry, (str, bytes, Mapping)) or not isinstance(entry, Iterable)
        parts = [] if whole else list(entry)
        if len(parts) != len(MOMENT_KEYS):
            self._fail(
                f"{where}: expected (video_id, start, end), found {found_value(entry)}; {_MOMENTS}"
            )
        return parts

    def _fail(self, text: str, error: Exception | None = None) -> NoReturn:
        raise SubmissionError(f"{self._place}: {text}") from error
