"""What validation knows of a benchmark: turns, candidates, corpus and durations, held compactly."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from harness.benchmark import Benchmark, CandidatesLine
from harness.errors import EnvironmentFailure
from harness.records import Task, milliseconds
from harness.validation.suggestions import Suggestions

T = TypeVar("T")


class _TurnLine(Struct, frozen=True):
    """A line of turns.jsonl, as far as validation needs it: utterances stay on the disk."""

    dialogue_id: str
    turn: int
    task: Task


class _VideoLine(Struct, frozen=True):
    """A line of videos.jsonl, as far as validation needs it: texts stay on the disk."""

    video_id: str
    duration: float | None


class Place(NamedTuple):
    """Where a dialogue's turns stand in the split: the first one's position, and how many."""

    first: int
    turns: int


class Public(Struct, frozen=True, dict=True):
    """The public half of one split; lists run along the turns in file order.

    `durations`: milliseconds by video of the corpus, None where unknown; `elsewhere`: the
    benchmark's videos that are not in this corpus.
    """

    split: str
    folder: Path
    dialogues: dict[str, Place]
    tasks: list[Task]
    durations: dict[str, int | None]
    elsewhere: frozenset[str]
    near_video: Suggestions
    near_dialogue: Suggestions

    @cached_property
    def candidates(self) -> list[tuple[str, ...]]:
        """The candidates of every turn, () for none; read when the first `choice` asks for them."""
        found: list[tuple[str, ...]] = [()] * len(self.tasks)
        # One string a video: ten candidates a turn would else be the largest thing in memory.
        pool = {name: name for name in self.durations}
        path = self.folder / "candidates.jsonl"
        for line in _lines(path, CandidatesLine):
            position = self.position(line.dialogue_id, line.turn)
            if position is None:
                raise EnvironmentFailure(
                    f"{path}: names a turn that turns.jsonl lacks; import the benchmark again"
                )
            found[position] = tuple(map(pool.setdefault, line.candidates, line.candidates))
        return found

    def position(self, dialogue_id: str, turn: int) -> int | None:
        """The turn's place in the split, from 0; None if there is no such turn."""
        place = self.dialogues.get(dialogue_id)
        if place is None or not 0 < turn <= place.turns:
            return None
        return place.first + turn - 1

    def turn_names(self) -> Iterator[tuple[str, int]]:
        """Dialogue id and number of every turn, in file order."""
        for dialogue_id, place in self.dialogues.items():
            for number in range(1, place.turns + 1):
                yield dialogue_id, number


def read_public(benchmark: Benchmark, split: str) -> Public:
    """Read one split without utterances, texts, reference answers and gold.

    Raises EnvironmentFailure if the split or one of its files is absent or not as it was written.
    """
    folder = benchmark.split_folder(split)
    dialogues, tasks = _turns(folder / "turns.jsonl")
    durations, elsewhere = _durations(benchmark.folder, folder / "corpus.txt")
    return Public(
        split=split,
        folder=folder,
        dialogues=dialogues,
        tasks=tasks,
        durations=durations,
        elsewhere=elsewhere,
        near_video=Suggestions(durations),
        near_dialogue=Suggestions(dialogues),
    )


def _turns(path: Path) -> tuple[dict[str, Place], list[Task]]:
    dialogues: dict[str, Place] = {}
    tasks: list[Task] = []
    for line in _lines(path, _TurnLine):
        place = dialogues.get(line.dialogue_id, Place(len(tasks), 0))
        if place.first + place.turns != len(tasks) or line.turn != place.turns + 1:
            raise EnvironmentFailure(
                f"{path}:{len(tasks) + 1}: expected dialogues together and turns from 1 in order, "
                f"found turn {line.turn} out of place; import the benchmark again"
            )
        dialogues[line.dialogue_id] = Place(place.first, line.turn)
        tasks.append(line.task)
    return dialogues, tasks


def _durations(folder: Path, corpus: Path) -> tuple[dict[str, int | None], frozenset[str]]:
    """Durations of the corpus in milliseconds, and the benchmark's other videos."""
    durations: dict[str, int | None] = {
        name.decode("utf-8").rstrip("\r\n"): None for name in _raw_lines(corpus)
    }
    elsewhere: set[str] = set()
    for video in _lines(folder / "videos.jsonl", _VideoLine):
        if video.video_id not in durations:
            elsewhere.add(video.video_id)
        elif video.duration is not None:
            durations[video.video_id] = milliseconds(video.duration)
    return durations, frozenset(elsewhere)


def _lines(path: Path, kind: type[T]) -> Iterator[T]:
    decoder = msgspec.json.Decoder(kind)
    for number, line in enumerate(_raw_lines(path), start=1):
        try:
            yield decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise EnvironmentFailure(
                f"{path}:{number}: not as the harness writes it: {error}; import the benchmark "
                "again"
            ) from error


def _raw_lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            yield from stream
    except OSError as error:
        raise EnvironmentFailure(
            f"{path}: cannot be read: {error.strerror or error}; import the benchmark again"
        ) from error
