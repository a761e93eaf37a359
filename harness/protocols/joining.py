"""Joins the entries of a result file to the items, also where the file is incomplete or unordered.

The published scorer trusts positions (D6). Here a file whose questions are at their positions is
joined by position. Any other file is joined by its questions. Where several items share a question
and their entries cannot be distinguished, those items have no answer.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from itertools import pairwise
from typing import NamedTuple

from harness.protocols.items import Item
from harness.protocols.result_file import ResultEntry

NO_ENTRY = "no entry asks this"
AMBIGUOUS = "several items share this question, and their entries cannot be told apart"
# What the shipped inference script writes before a question (D5); in moment turns the times of
# the sampled frames follow, in a form that is not known.
PREFIXES = ("Candidate videos : ", "Current video : ")
_LAST_MARK = "</VIDEO>."
_MOST_CUTS = 300  # full stops of a prefix after which the question may begin


class EntryJoin(NamedTuple):
    """For each item the position of its entry, or None and why; and the entries without an item.

    `aligned`: the questions are at the positions of their items. `strays`: entries whose question
    no item has; `spare`: entries of a question beyond the number of its items.
    """

    entries: tuple[int | None, ...]
    why: tuple[str | None, ...]
    aligned: bool
    strays: int
    spare: int


def join(items: Sequence[Item], entries: Sequence[ResultEntry]) -> EntryJoin:
    """Join the entries of a result file to the items, in linear time."""
    texts = [item.source_turn.utterance for item in items]
    pairs = zip(texts, entries, strict=False)
    if all(_is_asked_by(entry.question, text) for text, entry in pairs):
        return _by_position(len(texts), len(entries))
    return _by_question(texts, entries)


def _is_asked_by(question: str, utterance: str) -> bool:
    if question == utterance:
        return True
    return question.startswith(PREFIXES) and question.endswith(utterance)


def _by_position(items: int, entries: int) -> EntryJoin:
    found = tuple(place if place < entries else None for place in range(items))
    why = tuple(None if place < entries else NO_ENTRY for place in range(items))
    return EntryJoin(found, why, aligned=True, strays=0, spare=max(entries - items, 0))


def _by_question(texts: Sequence[str], entries: Sequence[ResultEntry]) -> EntryJoin:
    places = _positions(texts)
    questions = [question_of(entry.question, places) for entry in entries]
    given: dict[str, list[int]] = {}
    for position, question in enumerate(questions):
        if question is not None:
            given.setdefault(question, []).append(position)
    ordered = _in_order(places, given)
    found: list[int | None] = [None] * len(texts)
    why: list[str | None] = [NO_ENTRY] * len(texts)
    for text, theirs in given.items():
        chosen = _distinguish(places[text], theirs, entries, ordered)
        for number, place in enumerate(places[text]):
            found[place] = None if chosen is None else chosen[number]
            why[place] = AMBIGUOUS if chosen is None else None
    spare = sum(max(len(theirs) - len(places[text]), 0) for text, theirs in given.items())
    strays = sum(question is None for question in questions)
    return EntryJoin(tuple(found), tuple(why), aligned=False, strays=strays, spare=spare)


def _positions(texts: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for position, text in enumerate(texts):
        found.setdefault(text, []).append(position)
    return found


def question_of(question: str, places: Container[str]) -> str | None:
    """The utterance among `places` that a question asks, without its prefix; None if none is."""
    if question in places:
        return question
    if not question.startswith(PREFIXES):
        return None
    at = question.rfind(_LAST_MARK)
    cut = at + len(_LAST_MARK) if at >= 0 else 0
    for _ in range(_MOST_CUTS):
        if question[cut:] in places:
            return question[cut:]
        cut = question.find(".", cut) + 1
        if not cut:
            return None
    return None


def _in_order(places: dict[str, list[int]], given: dict[str, list[int]]) -> bool:
    """Whether the entries with a question of one item only are in the order of the items."""
    single = sorted(
        (theirs[0], places[text][0])
        for text, theirs in given.items()
        if len(theirs) == len(places[text]) == 1
    )
    return all(one[1] < other[1] for one, other in pairwise(single))


def _distinguish(
    places: list[int], given: list[int], entries: Sequence[ResultEntry], ordered: bool
) -> list[int] | None:
    """The entries of the items with one question, in order; None if they are ambiguous."""
    outputs = {entries[position].output for position in given}
    if len(places) == 1 or (len(outputs) == 1 and len(given) >= len(places)):
        return given[: len(places)]
    return given if ordered and len(given) == len(places) else None
