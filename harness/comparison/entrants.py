"""Submissions on one split, validated and with their outcomes, for a comparison."""

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


class TopAnswer(NamedTuple):
    """The first video and the first moment of an answer; None where it gives none."""

    video: str | None
    moment: Moment | None


class SystemInfo(Struct, frozen=True):
    """The system behind a label, as its card declares it."""

    label: str
    team: str
    system: str
    history: str
    candidates: str
    sha256: str


class Entrant(NamedTuple):
    """A valid submission and its outcomes.

    `label` (A, B, ...): its name in a comparison; `top_answers`: one entry a turn.
    """

    label: str
    folder: Path
    card: Card
    sha256: str
    outcomes: Outcomes
    top_answers: tuple[TopAnswer, ...]

    @property
    def right(self) -> Bools:
        """(turns,) video turn: gold first in `videos`; moment turn: IoU >= 0.5; else False."""
        return right(self.outcomes)

    @property
    def attempts(self) -> Bools:
        """(turns,) retrieval turns of the tasks that the system answers.

        Without a line that has `videos`, it answers no video turn; without a single moment, no
        moment turn.
        """
        frame = self.outcomes.frame
        videos = frame.is_video & self.outcomes.gives_videos
        return videos | (frame.is_moment & any(top.moment is not None for top in self.top_answers))

    @property
    def info(self) -> SystemInfo:
        """The label, and the system as its card declares it."""
        card = self.card
        return SystemInfo(
            self.label, card.team, card.system, card.history, card.candidates, self.sha256
        )

    def column(self, metric: str) -> Column:
        """A metric of the METRICS table, turn by turn."""
        return METRICS[metric].column(self.outcomes)


class EntrantSet(NamedTuple):
    """The submissions of a comparison, and their split."""

    benchmark: Benchmark
    split: Split
    gold: tuple[Gold, ...]
    frame: Frame
    design: Design
    entrants: tuple[Entrant, ...]

    @property
    def labels_hidden(self) -> bool:
        """Whether the labels are hidden: then no single turn may be shown."""
        return self.benchmark.labels(self.split.name) == "hidden"


def read_entrants(folders: Sequence[Path], benchmark: Benchmark, split: str = "test") -> EntrantSet:
    """Validate the submissions in `folders` and compute their outcomes.

    Raises WrongUsageError if a folder is named twice or none is, SubmissionError with the first
    problem if one of them is not valid.
    """
    _check_distinct(folders)
    public, gold = benchmark.checked(split).split(split), benchmark.gold(split)
    known = public_of(benchmark, public, benchmark.videos)
    sources = {name: video.source for name, video in benchmark.videos.items()}
    entrants = []
    for position, folder in enumerate(folders):
        checked = check(folder, benchmark, split, public=known)
        card, sha256 = require_valid(folder, checked, benchmark.options(split), "compared")
        answers, reference = checked.predictions, card.history == "reference"
        found = outcomes(public, gold, answers, sources, gold_in_history=reference)
        top = tuple(map(_top_answer, answers))
        entrants.append(Entrant(label_of(position), folder, card, sha256, found, top))
    frame = entrants[0].outcomes.frame
    return EntrantSet(benchmark, public, gold, frame, design_of(frame), tuple(entrants))


def label_of(position: int) -> str:
    """The label of a position, from 0: A, B, ..., Z, AA, AB, ..."""
    before, last = divmod(position, 26)
    return (label_of(before - 1) if before else "") + chr(ord("A") + last)


def _check_distinct(folders: Sequence[Path]) -> None:
    if not folders:
        raise WrongUsageError("no submission named; expected one folder or more")
    places: set[Path] = set()
    for folder in folders:
        place = folder.resolve()
        if place in places:
            raise WrongUsageError(f"{folder}: named twice; name each submission once")
        places.add(place)


def _top_answer(answer: Prediction | None) -> TopAnswer:
    if answer is None:
        return TopAnswer(None, None)
    return TopAnswer(next(iter(answer.videos or ()), None), next(iter(answer.moments or ()), None))
