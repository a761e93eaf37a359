"""Propagation: one system with `reference` minus with `own` history, after its own first error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from harness.comparison.differences import Difference, PairedValues, differences
from harness.comparison.entrants import Entrant, EntrantSet
from harness.metrics.retrieval import NO_VIDEOS
from harness.outcomes import Bools, Frame
from harness.outcomes.structure import count_earlier
from harness.publication.disclosure import SMALLEST_CELL

AFTER = "after the own run's first error"


class Propagation(Struct, frozen=True):
    """Two runs of one system that differ in history alone, as their cards say.

    `figures` are reference minus own, over the turns after the own run's first error, which
    the tests take as given. `failed`: dialogues with such an error, of `dialogues`
    with retrieval turns (type 7 left out). `first_turns`: video turns that open a dialogue, where
    no history exists yet; in `unlike` of them the first videos of the runs differ (it should be 0).
    The labels decide which turns count: where they are hidden and the turns too few, the number of
    turns and `failed` are None.
    """

    own: str
    reference: str
    failed: int | None
    dialogues: int
    first_turns: int
    unlike: int
    figures: tuple[Difference, ...]


class HistoryPair(NamedTuple):
    """The run with `own` history and the one with `reference` history."""

    own: Entrant
    reference: Entrant


def propagations(systems: EntrantSet, pairs: Sequence[HistoryPair]) -> tuple[Propagation, ...]:
    """The propagation of each pair; p is corrected over the pairs, figure by figure."""
    tables = [tuple(_paired_values(systems.frame, pair)) for pair in pairs]
    rows = zip(*tables, strict=True)
    found = differences(systems, (pair for row in rows for pair in row))
    return tuple(
        _propagation(systems, pair, found[position :: len(pairs)])
        for position, pair in enumerate(pairs)
    )


def history_pairs(systems: EntrantSet) -> tuple[HistoryPair, ...]:
    """The pairs of runs, with own and with reference history, in which one card names the other."""
    return tuple(
        HistoryPair(own, reference)
        for own, reference in permutations(systems.entrants, 2)
        if (own.card.history, reference.card.history) == ("own", "reference")
        and (names_as_pair(own, reference) or names_as_pair(reference, own))
        and same_but_for_history(own, reference)
    )


def names_as_pair(one: Entrant, other: Entrant) -> bool:
    """Whether the card of `one` names `other` as its pair: by the end of its folder's path.

    The path is untrusted: it is compared, never followed.
    """
    path = [part for part in (one.card.pair or "").split("/") if part not in ("", ".", "..")]
    return bool(path) and list(other.folder.resolve().parts[-len(path) :]) == path


def same_but_for_history(one: Entrant, other: Entrant) -> bool:
    """Whether the cards agree on team and use of candidates."""
    return (one.card.team, one.card.candidates) == (other.card.team, other.card.candidates)


def after_first_error(frame: Frame, right: Bools) -> Bools:
    """(turns,) retrieval turns that an earlier failed retrieval turn of their dialogue precedes.

    Dialogues of type 7 are left out: their turns are independent. `right`: (turns,).
    """
    failures = count_earlier(frame.dialogue_turns & ~right, frame.dialogue)
    return frame.dialogue_turns & np.greater(failures, 0)


def _paired_values(frame: Frame, pair: HistoryPair) -> Iterator[PairedValues]:
    reference, own = pair.reference, pair.own
    turns = after_first_error(frame, own.right)
    ones, others = reference.right.astype(float), own.right.astype(float)
    why = _why(pair)
    for name, part in (
        ("right", frame.retrieval),
        ("R@1", frame.is_video),
        ("R@1,IoU>=0.5", frame.is_moment),
    ):
        rows = turns & part
        yield PairedValues(
            name, AFTER, reference, own, ones * rows, others * rows, rows.astype(float), rows, why
        )


def _why(pair: HistoryPair) -> str | None:
    for entrant in pair:
        if not entrant.outcomes.gives_videos:
            return f"{entrant.label}: {NO_VIDEOS}"
    return None


def _propagation(
    systems: EntrantSet, pair: HistoryPair, figures: tuple[Difference, ...]
) -> Propagation:
    frame, hidden = systems.frame, systems.labels_hidden
    show = not hidden or np.count_nonzero(frame.dialogue_turns) >= SMALLEST_CELL
    failed = len(np.unique(frame.dialogue[frame.dialogue_turns & ~pair.own.right]))
    opening = np.flatnonzero(frame.is_video & (frame.turn == 1)).tolist()
    answers = [
        (pair.own.top_answers[row].video, pair.reference.top_answers[row].video) for row in opening
    ]
    return Propagation(
        own=pair.own.label,
        reference=pair.reference.label,
        failed=failed if show else None,
        dialogues=len(np.unique(frame.dialogue[frame.dialogue_turns])),
        first_turns=len(answers),
        unlike=sum(one != other for one, other in answers),
        figures=tuple(_without_counts(each) if hidden and each.why else each for each in figures),
    )


def _without_counts(figure: Difference) -> Difference:
    return replace(figure, turns=None, dialogues=None)
