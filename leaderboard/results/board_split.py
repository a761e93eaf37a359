"""The split that a board is about, and what a build computes on it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from harness.benchmark import Benchmark
from harness.files import canonical
from harness.outcomes import frame
from harness.scoring import design_of, score, write_outcomes
from harness.statistics import Design
from harness.validation import check
from harness.validation.reading.folder import sha256
from leaderboard.results.description import Bench, describe_benchmark
from leaderboard.results.dialogue_source import DialogueSource, dialogue_source


class BoardSplit:
    """A split of a benchmark; gold is read only by the functions that need it."""

    def __init__(self, folder: Path, split: str = "test") -> None:
        """`folder` is the benchmark's.

        Raises EnvironmentFailure if it is no benchmark or has no such split with gold.
        """
        self._benchmark = Benchmark(folder).checked()
        self._split = split
        self.bench: Bench = describe_benchmark(self._benchmark, split)

    @cached_property
    def _design(self) -> Design:
        benchmark, split = self._benchmark, self._split
        sources = {name: video.source for name, video in benchmark.videos.items()}
        return design_of(frame(benchmark.split(split), benchmark.gold(split), sources))

    def design(self) -> Design:
        """What varies together in the split, computed at the first call."""
        return self._design

    def sha256(self, folder: Path) -> str:
        """The hash of a submission: over its card, then its uncompressed predictions."""
        return sha256(folder, turns=self.bench.counts["turns"])

    def abstentions(self, folder: Path) -> int:
        """In how many turns a submission gives an empty answer. No gold is read."""
        return check(folder, self._benchmark, self._split).report.abstentions

    def score_again(self, folder: Path, outcomes: Path, *, partial: bool = False) -> bytes:
        """The scores of a submission as JSON, computed now; its outcomes go to the file `outcomes`.

        `partial`: missing turns count as abstentions. Nothing is written below `folder`. Raises
        SubmissionError if the submission is not valid.
        """
        scored = score(folder, self._benchmark, self._split, partial=partial)
        write_outcomes(scored, outcomes)
        return canonical(scored.document)

    def dialogues(self) -> DialogueSource:
        """The content of the dialogue browser, where labels are public."""
        return dialogue_source(self._benchmark, self._split)
