"""Propagation: one system with `reference` minus with `own` history, after its own first error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from harness.comparison.differences import Contest, Difference, differences
from harness.comparison.entrants import Entrant, Field
from harness.metrics.retrieval import NO_VIDEOS
from harness.outcomes import Bools, Frame
from harness.outcomes.structure import count_earlier
from harness.scoring import SMALLEST_CELL

AFTER = "after the own run's first error"


class Propagation(Struct, frozen=True):
    """Two runs of one system that differ in history alone, as their cards say.

    `figures` are reference minus own, over the turns after the own run's first error, which stay as
    they are when answers are swapped. `failed`: dialogues with such an error, of `dialogues` with
    retrieval turns (type 7 left out). `first_turns`: video turns that open a dialogue, where no
    history exists yet; the runs put another video first in `unlike` of them, which should be 0.
    Which turns are counted depends on the labels: where those are hidden and the turns too few,
    their number and `failed` are None.
    """

    own: str
    reference: str
    failed: int | None
    dialogues: int
    first_turns: int
    unlike: int
    figures: tuple[Difference, ...]


class Link(NamedTuple):
    """The run with `own` history and the one with `reference` history."""

    own: Entrant
    reference: Entrant


def propagations(field: Field, links: Sequence[Link]) -> tuple[Propagation, ...]:
    """The propagation of each linked pair; p is corrected over the links, figure by figure."""
    tables = [tuple(_contests(field.frame, link)) for link in links]
    rows = zip(*tables, strict=True)
    found = differences(field, (contest for row in rows for contest in row))
    return tuple(
        _propagation(field, link, found[position :: len(links)])
        for position, link in enumerate(links)
    )


def links(field: Field) -> tuple[Link, ...]:
    """The pairs of runs that a card names and that differ in history as it says."""
    return tuple(
        Link(own, reference)
        for own, reference in permutations(field.entrants, 2)
        if (own.card.history, reference.card.history) == ("own", "reference")
        and (names(own, reference) or names(reference, own))
        and same_but_for_history(own, reference)
    )


def names(one: Entrant, other: Entrant) -> bool:
    """Whether the card of `one` names `other` as its pair: by the end of its folder's path.

    The text is compared, never followed: it comes from a stranger.
    """
    said = [part for part in (one.card.pair or "").split("/") if part not in ("", ".", "..")]
    return bool(said) and list(other.folder.resolve().parts[-len(said) :]) == said


def same_but_for_history(one: Entrant, other: Entrant) -> bool:
    """Whether the cards agree on team and use of candidates."""
    return (one.card.team, one.card.candidates) == (other.card.team, other.card.candidates)


def after_first_error(frame: Frame, right: Bools) -> Bools:
    """(turns,) retrieval turns that an earlier failed retrieval turn of their dialogue precedes.

    Dialogues of type 7 are left out: their turns are independent. `right`: (turns,).
    """
    failures = count_earlier(frame.dialogue_turns & ~right, frame.dialogue)
    return frame.dialogue_turns & np.greater(failures, 0)


def _contests(frame: Frame, link: Link) -> Iterator[Contest]:
    reference, own = link.reference, link.own
    turns = after_first_error(frame, own.right)
    ones, others = reference.right.astype(float), own.right.astype(float)
    why = _why(link)
    for name, part in (
        ("right", frame.retrieval),
        ("R@1", frame.is_video),
        ("R@1,IoU>=0.5", frame.is_moment),
    ):
        rows = turns & part
        yield Contest(
            name, AFTER, reference, own, ones * rows, others * rows, rows.astype(float), rows, why
        )


def _why(link: Link) -> str | None:
    for entrant in link:
        if not entrant.outcomes.gives_videos:
            return f"{entrant.label}: {NO_VIDEOS}"
    return None


def _propagation(field: Field, link: Link, figures: tuple[Difference, ...]) -> Propagation:
    frame, hidden = field.frame, field.hidden
    tell = not hidden or np.count_nonzero(frame.dialogue_turns) >= SMALLEST_CELL
    failed = len(np.unique(frame.dialogue[frame.dialogue_turns & ~link.own.right]))
    opening = np.flatnonzero(frame.is_video & (frame.turn == 1)).tolist()
    pairs = [(link.own.said[row].video, link.reference.said[row].video) for row in opening]
    return Propagation(
        own=link.own.label,
        reference=link.reference.label,
        failed=failed if tell else None,
        dialogues=len(np.unique(frame.dialogue[frame.dialogue_turns])),
        first_turns=len(pairs),
        unlike=sum(one != other for one, other in pairs),
        figures=tuple(_uncounted(each) if hidden and each.why else each for each in figures),
    )


def _uncounted(figure: Difference) -> Difference:
    return replace(figure, turns=None, dialogues=None)
