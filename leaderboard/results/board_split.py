"""The split that a board is about, and what a build computes on it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from harness.benchmark import Benchmark
from harness.errors import SubmissionError
from harness.files import canonical
from harness.outcomes import frame
from harness.scoring import design_of, score, write_outcomes
from harness.scoring.document import first_problem
from harness.statistics import Design
from harness.validation import CheckResult, PublicSplit, check, read_public
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
        self._abstentions: dict[Path, int] = {}

    @cached_property
    def _design(self) -> Design:
        benchmark, split = self._benchmark, self._split
        sources = {name: video.source for name, video in benchmark.videos.items()}
        return design_of(frame(benchmark.split(split), benchmark.gold(split), sources))

    def design(self) -> Design:
        """What varies together in the split, computed at the first call."""
        return self._design

    @cached_property
    def _public(self) -> PublicSplit:
        return read_public(self._benchmark, self._split)

    def sha256(self, folder: Path, *, partial: bool = False) -> str:
        """The hash of a valid submission (see harness.submission.SubmissionDigest).

        `partial`: turns may be missing. No gold is read. Raises SubmissionError with the first
        problem if the submission is not valid.
        """
        checked = self._checked(folder)
        problem = first_problem(checked, partial=partial)
        if problem is not None or checked.sha256 is None:
            raise SubmissionError(
                f"{problem or 'no predictions'}; not valid ({checked.report.errors:,} problems): "
                "`ivcr validate` lists them all"
            )
        return checked.sha256

    def abstentions(self, folder: Path) -> int:
        """In how many turns a submission gives an empty answer. No gold is read."""
        if folder not in self._abstentions:
            self._checked(folder)
        return self._abstentions[folder]

    def _checked(self, folder: Path) -> CheckResult:
        options = {"keep": False, "hashed": True}
        found = check(folder, self._benchmark, self._split, public=self._public, **options)
        self._abstentions[folder] = found.report.abstentions
        return found

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
