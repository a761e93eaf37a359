"""The split that a board is about, and what a build computes on it."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path

from harness.benchmark import Benchmark, VideoFolder
from harness.files import canonical
from harness.outcomes import frame
from harness.scoring import SplitScorer, design_of, write_outcomes
from harness.statistics import Design
from leaderboard.results.description import Bench, describe_benchmark
from leaderboard.results.dialogue_source import DialogueSource, dialogue_source


class BoardSplit:
    """A split of a benchmark; gold is read only by the functions that need it."""

    def __init__(self, folder: Path, split: str = "test") -> None:
        """`folder` is the benchmark's.

        Raises EnvironmentFailure if it is no benchmark or has no such split with gold.
        """
        self.benchmark = Benchmark(folder).checked()
        self.split = split
        self.bench: Bench = describe_benchmark(self.benchmark, split)

    @cached_property
    def _design(self) -> Design:
        benchmark, split = self.benchmark, self.split
        sources = {name: video.source for name, video in benchmark.videos.items()}
        return design_of(frame(benchmark.split(split), benchmark.gold(split), sources))

    def design(self) -> Design:
        """What varies together in the split, computed at the first call."""
        return self._design

    @cached_property
    def _scorer(self) -> SplitScorer:
        return SplitScorer(self.benchmark, self.split)

    def score_again(self, folder: Path, outcomes: Path, *, partial: bool = False) -> bytes:
        """The scores of a submission as JSON, computed now; its outcomes go to the file `outcomes`.

        `partial`: missing turns count as abstentions. Nothing is written below `folder`. Raises
        SubmissionError if the submission is not valid.
        """
        scored = self._scorer.score(folder, partial=partial)
        write_outcomes(scored, outcomes)
        return canonical(scored.document)

    def videos_digest(self) -> str:
        """SHA-256 over the names, sizes and times of the videos' files of the split's corpus."""
        folder, digest = VideoFolder(self.benchmark.folder), hashlib.sha256()
        for name in self.benchmark.split(self.split).corpus:
            path = folder.find(self.benchmark.videos[name])
            status = path.stat() if isinstance(path, Path) else None
            stamp = None if status is None else (status.st_size, status.st_mtime_ns)
            digest.update(repr((name, stamp)).encode())
        return digest.hexdigest()

    def dialogues(self) -> DialogueSource:
        """The content of the dialogue browser, where labels are public."""
        return dialogue_source(self.benchmark, self.split)
