"""Several submissions on one split, read and judged, to be compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from harness.benchmark import Benchmark, Split
from harness.errors import WrongUsageError
from harness.metrics import METRICS, Column
from harness.metrics.dialogues import right
from harness.outcomes import Bools, Frame, Outcomes, outcomes
from harness.records import Card, Gold, Moment, Prediction
from harness.scoring import design_of, require_valid
from harness.statistics import Design
from harness.validation import check, public_of


class Said(NamedTuple):
    """What a system put first in a turn; None where it put nothing."""

    video: str | None
    moment: Moment | None


class SystemShown(Struct, frozen=True):
    """Who stands behind a label, as the card declares it."""

    label: str
    team: str
    system: str
    history: str
    candidates: str
    sha256: str


class Entrant(NamedTuple):
    """A valid submission and what it did.

    `label` (A, B, ...) stands for it wherever its own names are not shown; `said`: one entry a
    turn.
    """

    label: str
    folder: Path
    card: Card
    sha256: str
    outcomes: Outcomes
    said: tuple[Said, ...]

    @property
    def right(self) -> Bools:
        """(turns,) video turn: gold first in `videos`; moment turn: IoU >= 0.5; else False."""
        return right(self.outcomes)

    @property
    def answers(self) -> Bools:
        """(turns,) retrieval turns of the tasks that the system answers at all.

        Without a line that has `videos`, it answers no video turn; without a single moment, no
        moment turn.
        """
        frame = self.outcomes.frame
        found = frame.is_video & self.outcomes.gives_videos
        return found | (frame.is_moment & any(said.moment is not None for said in self.said))

    @property
    def shown(self) -> SystemShown:
        """The label and what the card says of it."""
        card = self.card
        return SystemShown(
            self.label, card.team, card.system, card.history, card.candidates, self.sha256
        )

    def column(self, metric: str) -> Column:
        """A metric of the METRICS table, turn by turn."""
        return METRICS[metric].column(self.outcomes)


class Field(NamedTuple):
    """The submissions that stand side by side, and the split that they answer."""

    benchmark: Benchmark
    split: Split
    gold: tuple[Gold, ...]
    frame: Frame
    design: Design
    entrants: tuple[Entrant, ...]

    @property
    def hidden(self) -> bool:
        """Whether the labels are hidden, so that nothing may be shown of a single turn."""
        return self.benchmark.header.labels == "hidden"


def read(folders: Sequence[Path], benchmark: Benchmark, split: str = "test") -> Field:
    """Validate and judge the submissions in `folders`.

    Raises WrongUsageError if a folder is named twice or none is, SubmissionError with the first
    problem if one of them is not valid.
    """
    _distinct(folders)
    public, gold = benchmark.checked(split).split(split), benchmark.gold(split)
    known = public_of(benchmark, public, benchmark.videos)
    sources = {name: video.source for name, video in benchmark.videos.items()}
    entrants = []
    for position, folder in enumerate(folders):
        checked = check(folder, benchmark, split, public=known)
        card, sha256 = require_valid(folder, checked, "compared")
        given = checked.predictions
        told = card.history == "reference"
        found = outcomes(public, gold, given, sources, told=told)
        said = tuple(map(_said, given))
        entrants.append(Entrant(letters(position), folder, card, sha256, found, said))
    frame = entrants[0].outcomes.frame
    return Field(benchmark, public, gold, frame, design_of(frame), tuple(entrants))


def letters(position: int) -> str:
    """A, B, ..., Z, AA, AB, ...: the label of the position, from 0."""
    before, last = divmod(position, 26)
    return (letters(before - 1) if before else "") + chr(ord("A") + last)


def _distinct(folders: Sequence[Path]) -> None:
    if not folders:
        raise WrongUsageError("no submission named; expected one folder or more")
    seen: set[Path] = set()
    for folder in folders:
        place = folder.resolve()
        if place in seen:
            raise WrongUsageError(f"{folder}: named twice; name each submission once")
        seen.add(place)


def _said(given: Prediction | None) -> Said:
    if given is None:
        return Said(None, None)
    return Said(next(iter(given.videos or ()), None), next(iter(given.moments or ()), None))
