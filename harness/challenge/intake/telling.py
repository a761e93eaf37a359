"""What a team is told of a scored run: figures and ranks, as far as its phase's feedback allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct

from harness.benchmark import Labels
from harness.challenge.challenge_file import Phase
from harness.challenge.state import Version
from harness.metrics import METRICS
from harness.publication.disclosure import published
from harness.publication.headlines import HEADLINES
from harness.results import ScoredWith, StoredResult
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
FORGOTTEN = (
    "results of the team's earlier runs are not kept any more, so nothing is told: what was told "
    "before cannot be compared"
)
NOT_BETTER = "not clearly better than the best figure that your team was told in this phase"


def scored_with(version: Version) -> ScoredWith:
    """What the last scores of a version were computed with."""
    return ScoredWith(version.fingerprint, version.gold_sha256, version.scorer)


def tell(
    phase: Phase,
    new: StoredResult,
    earlier: Sequence[StoredResult] | None,
    *,
    labels: Labels,
    metric: str,
    ladder: Ladder,
) -> Disclosed:
    """What a phase tells of a result.

    `labels`: of its split; of public ones all is told. `earlier`: the team's results in the phase,
    in their order, None if some are not kept any more. `metric`: the only one of which it tells
    where labels are hidden (docs/organizing.md).
    """
    if labels == "public":
        return Disclosed(headline_figures(new))
    if phase.feedback == "none":
        return Disclosed(None, AFTERWARDS)
    if phase.feedback == "exact":
        return Disclosed(rounded_figure(new, metric))
    if earlier is None:
        return Disclosed(None, FORGOTTEN)
    released = ladder(phase, earlier, new)
    figures = {name: Figure(value) for name, value in released.items()}
    return Disclosed(figures) if figures else Disclosed(None, NOT_BETTER)


def headline_figures(result: StoredResult) -> dict[str, Figure]:
    """The headline figures of a result with their intervals."""
    cells = json_document(result.scores, _Scores).metrics["all"]
    return {
        name: Figure(cell.value, cell.low, cell.high)
        for name in HEADLINES
        if (cell := cells.get(name)) is not None and cell.value is not None
    }


def rounded_figure(result: StoredResult, metric: str) -> dict[str, Figure]:
    """The figure of one metric as hidden labels allow it: rounded, without its interval."""
    value = json_document(result.scores, _Scores).metrics["all"][metric].value
    if value is None:
        return {}
    return {metric: Figure(published(value, METRICS[metric].unit))}
