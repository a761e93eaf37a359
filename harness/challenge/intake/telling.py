"""What a team is told of a scored run: figures and ranks, as far as its phase's feedback allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct

from harness.challenge.challenge_file import Phase
from harness.metrics import METRICS
from harness.publication.disclosure import published
from harness.publication.headlines import HEADLINES
from harness.results import StoredResult
from harness.untrusted import json_document


class Figure(Struct, frozen=True, omit_defaults=True):
    """A figure in its metric's unit, with its interval where labels are public."""

    value: float
    low: float | None = None
    high: float | None = None


class Ranks(Struct, frozen=True):
    """The ranks that a run can have on a board, from 1, and how many runs the board has."""

    best: int
    worst: int
    of: int


class BoardRanks(Protocol):
    """Who makes rank ranges of results: the board, which this package does not know."""

    def __call__(self, phase: Phase, results: Mapping[str, str]) -> Mapping[str, Ranks]:
        """By TEAM/RUN the ranks on a board of these runs; `results`: by TEAM/RUN the result key."""
        ...


class Ladder(Protocol):
    """Who says what the feedback `ladder` releases."""

    def __call__(
        self, phase: Phase, earlier: Sequence[StoredResult], new: StoredResult
    ) -> Mapping[str, float]:
        """By metric the figures of `new` that are released; empty: none.

        `earlier`: the team's results in this phase, in the order in which they were accepted.
        """
        ...


class Disclosed(NamedTuple):
    """What a team is told: figures of the slice `all` by metric, else a note that says why not."""

    figures: Mapping[str, Figure] | None
    note: str | None = None


class _Cell(Struct):
    value: float | None
    low: float | None = None
    high: float | None = None


class _Scores(Struct):
    metrics: dict[str, dict[str, _Cell]]


AFTERWARDS = "this phase tells no figures; they are shown when the organizers publish them"
NOT_BETTER = "not clearly better than the best figure that your team was told in this phase"


def tell(
    phase: Phase,
    new: StoredResult,
    earlier: Sequence[StoredResult],
    *,
    hidden: bool,
    ladder: Ladder | None,
) -> Disclosed:
    """What the feedback of a phase allows to tell of a result; `hidden`: its split's labels are.

    `earlier`: the team's results in the phase, in their order. Without a `ladder`, nothing is told
    where the phase asks for one.
    """
    if phase.feedback == "exact":
        return Disclosed(headline_figures(new, hidden=hidden))
    if phase.feedback == "ladder" and ladder is not None:
        released = ladder(phase, earlier, new)
        if released:
            return Disclosed({name: Figure(value) for name, value in released.items()})
        return Disclosed(None, NOT_BETTER)
    return Disclosed(None, AFTERWARDS)


def headline_figures(result: StoredResult, *, hidden: bool) -> dict[str, Figure]:
    """The headline figures of a result; of hidden labels rounded, and without intervals."""
    cells = json_document(result.scores, _Scores).metrics["all"]
    found = {}
    for name in HEADLINES:
        cell = cells.get(name)
        if cell is None or cell.value is None:
            continue
        if hidden:
            found[name] = Figure(published(cell.value, METRICS[name].unit))
        else:
            found[name] = Figure(cell.value, cell.low, cell.high)
    return found
