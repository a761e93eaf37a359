"""Scoring one submission: from its folder to the document of scores.json."""

from __future__ import annotations

import logging
import shlex
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from harness.benchmark import Benchmark
from harness.errors import SubmissionError
from harness.metrics import METRICS, Column
from harness.outcomes import Frame, Outcomes, frame, outcomes
from harness.records import Card, Gold
from harness.scoring.figures import figures
from harness.statistics import Design, resampling_units
from harness.validation import CheckResult, PublicSplit, check, public_of
from harness.validation.rules.text_files import MISSING

_LOG = logging.getLogger(__name__)
PROTOCOL = "ivcr"
# The version of the harness since which no figure moved: a release that moves one changes this.
SCORER = "0.2.0"


class ScoringResult(NamedTuple):
    """The document of scores.json, and the columns behind it by metric."""

    document: dict[str, Any]
    frame: Frame
    columns: dict[str, Column]


class SplitScorer:
    """Scores submissions against one split, whose files are read once.

    `public`: what participants see of it, as validation needs it.
    """

    def __init__(self, benchmark: Benchmark, split: str = "test") -> None:
        """Raises EnvironmentFailure if the benchmark changed or has no such split with gold."""
        self.benchmark = benchmark.checked(split)
        self.split = split
        self._split = self.benchmark.split(split)
        self.public: PublicSplit = public_of(self.benchmark, self._split, self.benchmark.videos)
        self._sources = {name: video.source for name, video in self.benchmark.videos.items()}

    def score(self, folder: Path, *, partial: bool = False) -> ScoringResult:
        """Validate and score the submission in `folder`.

        `partial`: missing turns count as abstentions instead of being refused. Raises
        SubmissionError with the first problem if the submission is not valid.
        """
        checked = check(folder, self.benchmark, self.split, public=self.public)
        return self.score_checked(folder, checked, partial=partial)

    def score_checked(
        self, folder: Path, checked: CheckResult, *, partial: bool = False
    ) -> ScoringResult:
        """The same for a submission of which `check` has kept the predictions."""
        benchmark, split = self.benchmark, self.split
        card, sha256 = require_valid(folder, checked, benchmark.options(split), partial=partial)
        gold_in_history = card.history == "reference"
        found = outcomes(
            self._split,
            self._gold,
            checked.predictions,
            self._sources,
            gold_in_history=gold_in_history,
        )
        columns = {name: metric.column(found) for name, metric in METRICS.items()}
        _LOG.debug("computed %d metrics of %s", len(columns), folder)
        missing = sum(given is None for given in checked.predictions)
        header, design = benchmark.header, self._design
        document = {
            "schema": 1,
            "signature": signature(benchmark, split, card, design, found, missing),
            "protocol": PROTOCOL,
            "benchmark": {
                "name": header.name,
                "version": header.version,
                "fingerprint": header.fingerprint,
                "gold_sha256": header.gold_sha256[split],
                "split": split,
            },
            "submission": {
                "team": card.team,
                "system": card.system,
                "history": card.history,
                "candidates": card.candidates,
                "sha256": sha256,
            },
            "metrics": figures(
                found.frame, columns, design, hidden=benchmark.labels(split) == "hidden"
            ),
        }
        return ScoringResult(document, found.frame, columns)

    @cached_property
    def _gold(self) -> tuple[Gold, ...]:
        # Not before a submission is valid: the problems of one are told without gold too.
        return self.benchmark.gold(self.split)

    @cached_property
    def _design(self) -> Design:
        return design_of(frame(self._split, self._gold, self._sources))


def score(
    folder: Path, benchmark: Benchmark, split: str = "test", *, partial: bool = False
) -> ScoringResult:
    """Validate and score the submission in `folder`; see SplitScorer."""
    return SplitScorer(benchmark, split).score(folder, partial=partial)


def design_of(frame: Frame) -> Design:
    """The units and clusters of a split's turns (see harness.statistics)."""
    unit = resampling_units(frame.dialogue, frame.type)
    return Design.of(unit, frame.video, frame.retrieval)


def signature(
    benchmark: Benchmark, split: str, card: Card, design: Design, found: Outcomes, missing: int
) -> str:
    """All that a figure depends on, in one line."""
    header = benchmark.header
    depends = [metric.depends(found) for metric in METRICS.values() if metric.depends]
    parts = [
        PROTOCOL,
        f"v:{SCORER}",
        f"bench:{header.name}-{header.version}@{header.fingerprint[:6]}",
        f"split:{split}",
        f"hist:{card.history}",
        f"cand:{card.candidates}",
        design.line(),
        f"numpy:{'.'.join(np.__version__.split('.')[:2])}",
        *(part for parts in depends for part in parts),
    ]
    return "|".join(parts + ([f"partial:{missing}"] if missing else []))


def require_valid(
    folder: Path, checked: CheckResult, how: str, done: str = "scored", *, partial: bool = False
) -> tuple[Card, str]:
    """The card and the SHA-256 of a submission that may be `done`.

    `how`: the options with which `ivcr validate` lists all problems; `partial`: missing turns are
    let pass. Raises SubmissionError with the first problem, and for a reported card.
    """
    report, card, sha256 = checked.report, checked.card, checked.sha256
    if card is not None and card.kind == "reported":
        raise SubmissionError(
            f"{folder}: a reported card carries typed figures, no predictions to be {done}"
        )
    first = first_problem(checked, partial=partial)
    if first is not None or card is None or sha256 is None:
        raise SubmissionError(
            f"{folder}: not valid, so not {done} ({report.errors:,} problems, the first: "
            f"{first or 'no card'}); `ivcr validate {shlex.quote(str(folder))} {how}` lists them "
            "all"
        )
    return card, sha256


def first_problem(checked: CheckResult, *, partial: bool = False) -> str | None:
    """The first error of a submission, None if there is none; `partial`: turns may be missing."""
    for problem in checked.report.problems:
        if problem.severity == "error" and not (partial and problem.code == MISSING):
            return problem.message
    return None
