"""The feedback `ladder` over a team's results: which figure of a new one is released."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from harness.benchmark import Benchmark
from harness.challenge.challenge_file import Challenge, Phase
from harness.challenge.feedback import LadderFeedback, released_metric
from harness.metrics import Column
from harness.outcomes import frame
from harness.results import StoredResult
from harness.results.store import OUTCOMES
from harness.scoring import design_of
from harness.statistics import Design


class LadderRelease:
    """Releases figures by the Ladder, replayed over the results of a team that are kept."""

    def __init__(self, challenge: Challenge, benchmark: Benchmark) -> None:
        self._challenge, self._benchmark = challenge, benchmark
        self._designs: dict[str, Design] = {}

    def __call__(
        self, phase: Phase, earlier: Sequence[StoredResult], new: StoredResult
    ) -> Mapping[str, float]:
        """By metric what is released of `new`; empty: nothing. `earlier`: in their order.

        Raises WrongUsageError if the headline's track has no metric for a ladder.
        """
        ladder = LadderFeedback(self._metric, self._design(phase.split))
        best: Column | None = None
        for result in earlier:
            column = self._column(result)
            if ladder.release(best, column) is not None:
                best = column
        released = ladder.release(best, self._column(new))
        return {} if released is None else {self._metric: released}

    def _design(self, split: str) -> Design:
        if split not in self._designs:
            public, gold = self._benchmark.split(split), self._benchmark.gold(split)
            self._designs[split] = design_of(frame(public, gold, self._sources))
        return self._designs[split]

    @cached_property
    def _metric(self) -> str:
        headline = self._challenge.headline
        return released_metric(headline.track if headline else None)

    @cached_property
    def _sources(self) -> dict[str, str]:
        return {name: video.source for name, video in self._benchmark.videos.items()}

    def _column(self, result: StoredResult) -> Column:
        """The metric's column, as scoring kept it (see harness.scoring.write_outcomes)."""
        with np.load(io.BytesIO((result.folder / OUTCOMES).read_bytes())) as arrays:
            at = arrays["metrics"].tolist().index(self._metric)
            start, rows = int(arrays["start"][at]), int(arrays["rows"][at])
            why = None if arrays["defined"][at] else "undefined"
            table = arrays["table"][start : start + rows]
            return Column(table, arrays["counted"][at], why)
