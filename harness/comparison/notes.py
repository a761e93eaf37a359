"""Notes to a comparison: figures of different tasks, copies, pairs of runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations, permutations

from harness.comparison.entrants import Entrant, EntrantSet
from harness.comparison.headlines import HeadlineCell
from harness.comparison.propagation import HistoryPair, names_as_pair, same_but_for_history
from harness.publication.disclosure import FOR_ORGANIZERS, SMALLEST_CELL

CORRECTED = (
    "p is corrected over the pairs of one metric and slice, not over metrics, slices or turns."
)
ALWAYS = (
    CORRECTED,
    "History and candidates are declared in the cards, not verified.",
    "Rows by turn number are over fewer and longer dialogues the greater the number.",
)
GOLD_GIVEN = (
    "In moment turns reference history gives the gold video, so their difference holds that gift "
    "besides propagation."
)
SELECTION = (
    "The turns of propagation are chosen by the own run's errors and taken as given by the test: a "
    "dialogue on which the own run alone does badly throughout, for whatever reason, adds to it."
)


def notes(systems: EntrantSet, pairs: tuple[HistoryPair, ...]) -> tuple[str, ...]:
    """Sentences on histories, candidates, copies and pairs; systems are named by their labels."""
    return (
        *_unlike(systems, "history"),
        *_unlike(systems, "candidates"),
        *_copies(systems),
        *_pairs(systems, pairs),
        *_silent(pairs),
        *([GOLD_GIVEN, SELECTION] if pairs else []),
        *ALWAYS,
        *([f"{FOR_ORGANIZERS[0].upper()}{FOR_ORGANIZERS[1:]}."] if systems.labels_hidden else []),
    )


def left_out(
    cells: Sequence[HeadlineCell], shown: Sequence[HeadlineCell], *, hidden: bool
) -> Iterator[str]:
    """How many cells are not shown, of which slices, and what shows them; nothing if all are.

    `hidden`: the labels are, so what is small is withheld in any case.
    """
    kept = {(cell.metric, cell.slice) for cell in shown}
    if absent := [cell for cell in cells if (cell.metric, cell.slice) not in kept]:
        parts = ", ".join(dict.fromkeys(cell.slice for cell in absent))
        yield (
            f"{len(absent)} cells of fewer than {SMALLEST_CELL} turns are left out ({parts}); "
            f"{'labels are hidden' if hidden else '--small shows them'}."
        )


def _unlike(systems: EntrantSet, what: str) -> Iterator[str]:
    groups: dict[str, list[str]] = defaultdict(list)
    for entrant in systems.entrants:
        groups[getattr(entrant.card, what)].append(entrant.label)
    if len(groups) > 1:
        parts = "; ".join(f"{value}: {', '.join(labels)}" for value, labels in groups.items())
        title = {"history": "Histories", "candidates": "Uses of candidates"}[what]
        yield f"{title} differ ({parts}): their figures are of different tasks."


def _copies(systems: EntrantSet) -> Iterator[str]:
    for one, other in combinations(systems.entrants, 2):
        if one.sha256 == other.sha256:
            yield f"{one.label} and {other.label} are the same submission (equal SHA-256)."


def _pairs(systems: EntrantSet, pairs: tuple[HistoryPair, ...]) -> Iterator[str]:
    shown = {frozenset((own.label, reference.label)) for own, reference in pairs}
    for one, other in permutations(systems.entrants, 2):
        if names_as_pair(one, other) and frozenset((one.label, other.label)) not in shown:
            yield f"{one.label} names {other.label} as its pair, but {_hindrance(one, other)}."
    for entrant in systems.entrants:
        others = (other for other in systems.entrants if other is not entrant)
        if entrant.card.pair is not None and not any(
            names_as_pair(entrant, other) for other in others
        ):
            yield f"{entrant.label} names a pair that is not shown here."
    for own, reference in permutations(systems.entrants, 2):
        if _alike(own, reference) and frozenset((own.label, reference.label)) not in shown:
            yield (
                f"{own.label} and {reference.label} seem to be one system with own and with "
                "reference history: if they differ in nothing else, name the folder of one as "
                "`pair` in the other's card, and propagation is shown."
            )


def _silent(pairs: tuple[HistoryPair, ...]) -> Iterator[str]:
    for label, entrant in sorted({run.label: run for pair in pairs for run in pair}.items()):
        frame = entrant.outcomes.frame
        if frame.is_moment.any() and not (entrant.attempts & frame.is_moment).any():
            yield f"{label} gives no moment at all: each moment turn counts as an error of its own."


def _hindrance(one: Entrant, other: Entrant) -> str:
    if not same_but_for_history(one, other):
        return "their cards differ in team or use of candidates: no propagation"
    return "propagation is over runs with own and with reference history"


def _alike(own: Entrant, reference: Entrant) -> bool:
    return (
        (own.card.history, reference.card.history) == ("own", "reference")
        and _configuration(own) == _configuration(reference)
        and own.card.pair is None
        and reference.card.pair is None
        and same_but_for_history(own, reference)
    )


def _configuration(entrant: Entrant) -> tuple[object, ...]:
    """What distinguishes a run from others of its team, whatever its history."""
    card = entrant.card
    return card.system, card.variant, card.settings, card.control
