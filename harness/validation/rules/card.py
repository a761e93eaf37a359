"""The rules about a card, over its table and the published schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

from harness.schemas.documents import Mismatch, mismatches, quote_key, schema
from harness.submission import template_keys
from harness.validation.report import Severity
from harness.validation.rules.rule import checking, declare
from harness.validation.suggestions import Suggestions

CARD_LIMIT = 64 << 10  # bytes
EXAMPLES = {
    "schema": "schema = 1",
    "history": 'history = "own"',
    "candidates": 'candidates = "unused"',
    "kind": 'kind = "predictions"',
    "training_data": 'training_data = ["IVCR-200K train"]',
    "annotations": 'annotations = "gold spans"',
    "languages": 'languages = ["en", "zh"]',
    "parameters": "parameters = 7_000_000_000",
    "frames_per_video": "frames_per_video = 12",
    "weights": 'weights = "open"',
    "cost": 'cost = {"GPU hours" = 12}',
    "seed": "seed = 1",
    "date": 'date = "2025-12-01"',
    "settings": 'settings = {"context" = "last"}',
    "figures": 'figures = {"R@1" = 0.25}',
}


class CardTable(NamedTuple):
    """A card's table, and where it departs from the published schema."""

    values: dict[str, Any]
    mismatches: tuple[Mismatch, ...]

    @classmethod
    def of(cls, values: dict[str, Any]) -> CardTable:
        """The table with its mismatches."""
        return cls(values, tuple(mismatches("card", values)))

    def of_values(self) -> Iterator[Mismatch]:
        """The mismatches of single values."""
        for found in self.mismatches:
            if not (found.conditional or is_missing(found) or is_unknown(found)):
                yield found


CardCheck = Callable[[CardTable], Iterator[str]]


def card_rule(
    code: str, states: str, bad: str, severity: Severity = "error"
) -> Callable[[CardCheck], CardCheck]:
    """Enter the decorated function as the rule `code` about a card; it yields texts."""
    return checking("card", code, states, bad, severity)


NO_CARD = declare("card", "C100", "error", "there is a card.toml", "a folder without card.toml")
LARGE_CARD = declare(
    "card", "C101", "error", "the card holds at most 64 KiB", "a log file as card.toml"
)
CARD_NOT_UTF8 = declare("card", "C102", "error", "the card is UTF-8", "card.toml saved as UTF-16")
NOT_TOML = declare("card", "C103", "error", "the card is TOML", "team: us")


@card_rule("C104", "schema, team, system, history, candidates and kind are there", "no `team`")
def missing_keys(card: CardTable) -> Iterator[str]:
    """No required key is missing."""
    for found in card.mismatches:
        if is_missing(found) and not found.conditional:
            key = str(found.keys[0])
            yield f"{key} is missing; add a line such as {example(key)}"


@card_rule("C105", "keys are those of the format", 'sytem = "ours"')
def unknown_keys(card: CardTable) -> Iterator[str]:
    """No key is unknown."""
    unknown = (str(found.keys[0]) for found in card.mismatches if is_unknown(found))
    for key in sorted(unknown)[:100]:
        yield f"unknown key {quote_key(key)}{near_key()(key) or '; remove it'}"


@card_rule("C106", "values have the type of their key", "team = 7")
def types(card: CardTable) -> Iterator[str]:
    """Every value has its type."""
    wrong = (found for found in card.of_values() if found.keyword == "type")
    for key, found in first_of_each_key(wrong):
        yield f"{found.text}; write {example(key)}"


@card_rule("C107", "values are among those allowed", 'history = "all"')
def allowed_values(card: CardTable) -> Iterator[str]:
    """Every value of the right type is allowed."""
    found = list(card.of_values())
    other_types = {entry.keys[0] for entry in found if entry.keyword == "type"}
    for _, entry in first_of_each_key(e for e in found if e.keys[0] not in other_types):
        yield f"{entry.text}; write {example(str(entry.keys[0]))}"


@card_rule(
    "C108", "reported cards, and no others, have figures and source",
    'kind = "reported" without `figures`',
)  # fmt: skip
def figures_of_reported_cards(card: CardTable) -> Iterator[str]:
    """Figures and source where the kind is reported, and nowhere else."""
    for found in card.mismatches:
        if found.conditional:
            key = str(found.keys[0])
            if is_missing(found):
                yield f"a reported card needs {key}; add {example(key)}"
            else:
                yield f'{key} belongs to reported cards alone; remove it, or set kind = "reported"'


@card_rule("C109", "team and system are one's own", 'system = "Your system"', "warning")
def template_values(card: CardTable) -> Iterator[str]:
    """Team and system are not those of the template."""
    for key in template_keys(card.values):
        yield f"{key} is still the template's, {quote_key(card.values[key])}; write your own"


def is_missing(found: Mismatch) -> bool:
    """Whether the mismatch is a required key of the card that is missing."""
    return found.keyword == "required" and len(found.keys) == 1


def is_unknown(found: Mismatch) -> bool:
    """Whether the mismatch is a key that cards do not have."""
    return found.keyword == "additionalProperties" and len(found.keys) == 1


def first_of_each_key(found: Iterable[Mismatch]) -> Iterator[tuple[str, Mismatch]]:
    """The first mismatch under each key of the card, with the key."""
    seen: set[str] = set()
    for entry in found:
        key = str(entry.keys[0])
        if key not in seen:
            seen.add(key)
            yield key, entry


def example(key: str) -> str:
    """A line of a card that gives the key."""
    return EXAMPLES.get(key, f'{key} = "..."')


@cache
def near_key() -> Suggestions:
    """Suggests keys of a card."""
    return Suggestions(list(schema("card")["properties"]))
