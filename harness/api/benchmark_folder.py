"""A benchmark as a program sees it: videos, corpora, dialogues, gold. Times are seconds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from harness.api.kinds import PathText
from harness.api.sessions import Dialogues
from harness.benchmark import Benchmark, Labels, VideoFolder
from harness.errors import EnvironmentFailure, WrongUsageError, did_you_mean
from harness.records import CandidateUse, Gold, History, Video, found_value

if TYPE_CHECKING:
    from harness.api.answers import AnswerReader


class VideoInfo(Struct, frozen=True):
    """One video; `duration` in seconds (None: unknown); `text` by name of the field."""

    video_id: str
    duration: float | None
    source: str
    text: dict[str, str]


class GoldAnswer(Struct, frozen=True):
    """The right answer of one turn; `moment`: start and end in seconds.

    `video_id` is None in chat turns, `moment` in all but moment turns. `tags`: labels of the turn;
    `foil`: the video most easily taken for the gold one.
    """

    dialogue_id: str
    turn: int
    video_id: str | None
    moment: tuple[float, float] | None
    answer: str
    tags: tuple[str, ...]
    foil: str | None


class BenchmarkFolder:
    """A benchmark that `open` made. Nothing of it is gold but what `gold` returns."""

    def __init__(self, folder: PathText) -> None:
        """Read benchmark.json. Raises EnvironmentFailure if `folder` is no benchmark."""
        self._benchmark = Benchmark(Path(folder))
        self._readers: dict[str, AnswerReader] = {}

    def __repr__(self) -> str:
        splits = ", ".join(self.splits)
        return f"<benchmark {self.name} {self.version} in {self.folder}: {splits}>"

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self._benchmark.folder

    @property
    def name(self) -> str:
        """Its name."""
        return self._benchmark.header.name

    @property
    def version(self) -> str:
        """Its version."""
        return self._benchmark.header.version

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) over all that participants can see, without paths and pixels."""
        return self._benchmark.header.fingerprint

    @property
    def splits(self) -> tuple[str, ...]:
        """The names of its splits."""
        return tuple(self._benchmark.header.splits)

    @cached_property
    def videos(self) -> Mapping[str, VideoInfo]:
        """All videos by id, in the order of the file."""
        return {name: _info(video) for name, video in self._benchmark.videos.items()}

    def video_file(self, video_id: str) -> Path:
        """The file of a video. Raises EnvironmentFailure if there is none."""
        if video_id not in self._benchmark.videos:
            hint = did_you_mean(video_id, self._benchmark.videos)
            raise EnvironmentFailure(
                f"{self.folder}: has no video {found_value(video_id)}; {hint}take an id of `videos`"
            )
        found = VideoFolder(self.folder).find(self._benchmark.videos[video_id])
        if isinstance(found, str):
            raise EnvironmentFailure(
                f"{self.folder}: video {found_value(video_id)}: expected a file, found none "
                f"({found}); import the benchmark with --videos-root, or go on without this video"
            )
        return found

    def corpus(self, split: str = "test") -> tuple[str, ...]:
        """The ids of the videos that may be ranked in a split.

        Raises EnvironmentFailure if there is none of that name.
        """
        return self._benchmark.split(split).corpus

    def labels(self, split: str = "test") -> Labels:
        """Whether the labels of a split are public or hidden."""
        return self._benchmark.labels(split)

    def gold(self, split: str) -> tuple[GoldAnswer, ...]:
        """The right answers of a split, in the order of its turns: to train on, or to analyse.

        A system that reads them of the split that it answers measures nothing. Raises
        EnvironmentFailure if the folder has none.
        """
        return tuple(map(_gold, self._benchmark.gold(split)))

    def dialogues(
        self, split: str = "test", *, history: History, candidates: CandidateUse = "unused"
    ) -> Dialogues:
        """The dialogues of a split, to be answered turn by turn.

        history: what is shown of earlier turns: `none`, the system's `own` answers, or the
        `reference` answers. candidates: whether the turns' candidates are shown. Raises
        WrongUsageError at another word, EnvironmentFailure if there is no such split, or it
        withholds the reference answers that the history needs.
        """
        return Dialogues(self._benchmark, self.answer_reader(split), split, history, candidates)

    def answer_reader(self, split: str) -> AnswerReader:
        """What reads and checks the answers to a split's turns."""
        from harness.api.answers import AnswerReader
        from harness.validation import public_of

        if split not in self._readers:
            inner = self._benchmark
            self._readers[split] = AnswerReader(public_of(inner, inner.split(split), inner.videos))
        return self._readers[split]


BenchmarkPlace = BenchmarkFolder | PathText


def open(folder: PathText) -> BenchmarkFolder:  # noqa: A001 - as gzip and tarfile name it
    """The benchmark in a folder, which `ivcr data mini` or `ivcr data import` made.

    Raises EnvironmentFailure if the folder is no benchmark.
    """
    return benchmark_in(folder)


def benchmark_in(place: BenchmarkPlace) -> BenchmarkFolder:
    """An open benchmark as it is, or the one in a folder.

    Raises EnvironmentFailure if the folder is no benchmark, WrongUsageError if it is no path.
    """
    if isinstance(place, BenchmarkFolder):
        return place
    if not isinstance(place, str | os.PathLike):
        raise WrongUsageError(
            f"benchmark: expected what `open` returns, or the path of a folder, found "
            f"{found_value(place)}; call open(FOLDER)"
        )
    return BenchmarkFolder(place)


def inner(place: BenchmarkPlace) -> Benchmark:
    """The benchmark as the packages below the API take it, in milliseconds."""
    return benchmark_in(place)._benchmark


def _info(video: Video) -> VideoInfo:
    duration = None if video.duration is None else video.duration / 1000
    return VideoInfo(video.video_id, duration, video.source, video.text)


def _gold(gold: Gold) -> GoldAnswer:
    span = gold.moment
    moment = None if span is None else (span.start / 1000, span.end / 1000)
    return GoldAnswer(
        gold.dialogue_id, gold.turn, gold.video_id, moment, gold.answer, gold.tags, gold.foil
    )
