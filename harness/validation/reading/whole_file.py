"""What no line shows alone: lines without a turn, answers of another split, times all too small."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from harness.validation.problem_log import ProblemLog
from harness.validation.public import PublicSplit
from harness.validation.report import display
from harness.validation.rules.answer import LineAnswer
from harness.validation.rules.text_files import EARLY_TIMES, OTHER_SPLIT

SECOND = 1000  # ms
FEWEST = 2  # moments that a warning about all of them needs


class LineOfOther(NamedTuple):
    """The first line that answers a dialogue of another split."""

    number: int
    dialogue_id: str


class WholeFile:
    """Gathers over the lines of one file; `nameless`: lines that name no turn of any split."""

    def __init__(self, public: PublicSplit) -> None:
        self.nameless = 0
        self._public = public
        self._of_others: dict[str, int] = {}
        self._first_of_other: dict[str, LineOfOther] = {}
        self._early = 0
        self._all_early = True

    def is_of_other(self, number: int, answer: LineAnswer) -> bool:
        """Whether the line answers a dialogue of another split; counts it."""
        name = answer.dialogue_id
        if name is None or name in self._public.dialogues:
            return False
        split = self._public.dialogues_elsewhere.get(name)
        if split is None:
            return False
        self._of_others[split] = self._of_others.get(split, 0) + 1
        self._first_of_other.setdefault(split, LineOfOther(number, name))
        return True

    def see_moments(self, ends: Iterable[tuple[str, float]]) -> None:
        """Take the video and end, in milliseconds, of each moment of a line."""
        if not self._all_early:
            return
        durations = self._public.durations
        for video_id, end in ends:
            if end > SECOND:
                self._all_early = False
                return
            duration = durations.get(video_id)
            self._early += duration is None or duration > 2 * SECOND

    @property
    def is_of_others_alone(self) -> bool:
        """Whether there are answers of another split; the caller knows that there are no others."""
        return bool(self._of_others)

    def report(self, log: ProblemLog, file: str) -> None:
        """Add the problems of the whole file."""
        ours = self._public.split
        for split, count in self._of_others.items():
            first = self._first_of_other[split]
            log.add(
                OTHER_SPLIT,
                f"lines that answer dialogues of split {split}, not of {ours}: {count:,}, such as "
                f"{display(first.dialogue_id)} at line {first.number}; give `--split {split}` if "
                "the file is for that, else take these lines out",
                file,
            )
        if self._all_early and self._early >= FEWEST:
            log.add(
                EARLY_TIMES,
                f"all {self._early:,} moments end within the first second of their videos; times "
                "are seconds from the first frame, no fractions of the video and no thousandths",
                file,
            )
