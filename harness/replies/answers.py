"""What a model's reply means: the candidates or the span that it names, and its words to the user.

One reader for assistants, for the converter of official result files and for the audit. Thoughts
are no answer; JSON outranks the words around it. A reply that was cut off (`cut`) is read as far as
it is whole: its last number may go on, and words that name several candidates or spans do not yet
say which one is meant.
"""

from __future__ import annotations

import json
import re
from typing import TypeVar

from harness.records import CANDIDATES, Span
from harness.replies.json_answers import numbers_in_json, span_in_json
from harness.replies.numbers import number_in_words
from harness.replies.objects import json_places
from harness.replies.reading import CUT_OFF, EMPTY, REFUSAL, THOUGHTS, Reading
from harness.replies.spans import span_in_words
from harness.replies.thoughts import without_thoughts

T = TypeVar("T")
_WORDS = ("reply", "response", "message", "text", "answer", "explanation", "reason", "回答", "理由")
_PART = re.compile(rf'"(?:{"|".join(_WORDS)})"\s*+:\s*+"((?:[^"\\]|\\.)*+)', re.DOTALL)
_FENCE = re.compile(r"```(?:json)?\s*+(?:```)?", re.IGNORECASE)


def candidate_numbers(
    text: str, candidates: int = CANDIDATES, *, cut: bool = False
) -> Reading[tuple[int, ...]]:
    """The numbers, 1 to `candidates`, that a reply names, best first; or why there are none."""
    answer = without_thoughts(text, cut=cut)
    if not answer.strip():
        return Reading(None, _why_silent(text, cut))
    found = numbers_in_json(answer, candidates, cut=cut)
    if found is None:
        number, why = number_in_words(answer, candidates, cut=cut)
        found = Reading(None, CUT_OFF if cut else why) if number is None else Reading((number,))
    return _unless_cut(found, cut)


def candidate_number(text: str, candidates: int = CANDIDATES, *, cut: bool = False) -> Reading[int]:
    """The number, 1 to `candidates`, of the candidate that a reply names; or why there is none.

    >>> candidate_number("It is the 10th video.").value, candidate_number('{"video": 3}').value
    (10, 3)
    """
    numbers, why = candidate_numbers(text, candidates, cut=cut)
    return Reading(None if numbers is None else numbers[0], why)


def span(text: str, *, cut: bool = False) -> Reading[Span]:
    """The span that a reply names, in milliseconds, put in order; or why there is none.

    >>> span("2-3 people at 0:05-0:10.5").value
    Span(start=5000, end=10500)
    """
    answer = without_thoughts(text, cut=cut)
    if not answer.strip():
        return Reading(None, _why_silent(text, cut))
    found = span_in_json(answer)
    if found is None:
        found = span_in_words(answer, cut=cut)
        if cut and found.value is None:
            found = Reading(None, CUT_OFF)
    return _unless_cut(found, cut)


def response(text: str, *, cut: bool = False) -> str:
    """The words of a reply to the user: no thoughts and no JSON, but the words that it holds."""
    answer = without_thoughts(text, cut=cut).strip()
    place = json_places(answer)
    if place is None:
        return answer
    values, start, end = place
    for value in values:
        words = [value[name] for name in _WORDS if isinstance(value.get(name), str)]
        if words:
            return response(words[0])
    if not values and (parts := _PART.findall(answer[start:end])):
        return response(_unescaped(parts[-1]))
    around = f"{answer[:start]} {answer[end:]}"
    words_around = _FENCE.sub("", around).strip()
    return words_around if re.search(r"\w", words_around) else ""


def _why_silent(text: str, cut: bool) -> str:
    if cut:
        return CUT_OFF
    return THOUGHTS if text.strip() else EMPTY


def _unless_cut(found: Reading[T], cut: bool) -> Reading[T]:
    """The reading; of a reply that was cut off alone the whole JSON says that nothing matches."""
    return Reading(None, CUT_OFF) if cut and found.value is None and found.why != REFUSAL else found


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text
