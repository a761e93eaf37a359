"""The public half of a split as validation needs it: turns, candidates, corpus, durations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import msgspec
from msgspec import Struct

from harness.benchmark import Benchmark, CandidatesLine, Split
from harness.errors import EnvironmentFailure
from harness.records import Task, TurnKey, Video, milliseconds
from harness.validation.suggestions import Suggestions

T = TypeVar("T")


class TurnTask(Protocol):
    """A turn as far as validation needs it."""

    @property
    def dialogue_id(self) -> str:
        """The dialogue's id."""

    @property
    def turn(self) -> int:
        """The turn's number, from 1."""

    @property
    def task(self) -> Task:
        """The turn's task."""


class _TurnLine(Struct, frozen=True):
    """A line of turns.jsonl, as far as validation needs it: utterances stay on the disk."""

    dialogue_id: str
    turn: int
    task: Task


class _VideoLine(Struct, frozen=True):
    """A line of videos.jsonl, as far as validation needs it: texts stay on the disk."""

    video_id: str
    duration: float | None


class DialogueTurns(NamedTuple):
    """A dialogue's turns in the split: the position of the first one, and their number."""

    first: int
    turns: int


class PublicSplit(Struct, frozen=True, dict=True):
    """The public half of one split; lists run along the turns in file order.

    `durations`: milliseconds by video of the corpus, None where unknown; `elsewhere`: the
    benchmark's videos that are not in this corpus; `read_candidates`: gives the candidates of every
    turn, () for none; `read_elsewhere`: gives the other splits by the ids of their dialogues.
    """

    split: str
    dialogues: dict[str, DialogueTurns]
    tasks: list[Task]
    durations: dict[str, int | None]
    elsewhere: frozenset[str]
    read_candidates: Callable[[PublicSplit], list[tuple[str, ...]]]
    read_elsewhere: Callable[[], Mapping[str, str]]
    near_video: Suggestions
    near_dialogue: Suggestions

    @cached_property
    def candidates(self) -> list[tuple[str, ...]]:
        """The candidates of every turn, () for none; read when the first `choice` needs them."""
        return self.read_candidates(self)

    @cached_property
    def dialogues_elsewhere(self) -> Mapping[str, str]:
        """The other splits by the ids of their dialogues; read at the first unknown dialogue."""
        return self.read_elsewhere()

    def position(self, dialogue_id: str, turn: int) -> int | None:
        """The turn's place in the split, from 0; None if there is no such turn."""
        place = self.dialogues.get(dialogue_id)
        if place is None or not 0 < turn <= place.turns:
            return None
        return place.first + turn - 1

    def turn_names(self) -> Iterator[TurnKey]:
        """Dialogue id and number of every turn, in file order."""
        for dialogue_id, place in self.dialogues.items():
            for number in range(1, place.turns + 1):
                yield TurnKey(dialogue_id, number)


def read_public(benchmark: Benchmark, split: str) -> PublicSplit:
    """Read one split without utterances, texts, reference answers and gold.

    Raises EnvironmentFailure if the split or one of its files is absent or not as it was written.
    """
    folder = benchmark.split_folder(split)
    turns = _lines(folder / "turns.jsonl", _TurnLine)
    corpus = (line.decode("utf-8").rstrip("\r\n") for line in _raw_lines(folder / "corpus.txt"))
    videos = (
        (video.video_id, None if video.duration is None else milliseconds(video.duration))
        for video in _lines(benchmark.folder / "videos.jsonl", _VideoLine)
    )

    def candidates(public: PublicSplit) -> list[tuple[str, ...]]:
        path = folder / "candidates.jsonl"
        rows = (
            (TurnKey(line.dialogue_id, line.turn), line.candidates)
            for line in _lines(path, CandidatesLine)
        )
        return _by_position(public, rows, path)

    return _public(benchmark, split, turns, corpus, videos, candidates)


def public_of(benchmark: Benchmark, split: Split, videos: Mapping[str, Video]) -> PublicSplit:
    """The same, of a split and videos that are read already."""
    folder = benchmark.split_folder(split.name)

    def candidates(public: PublicSplit) -> list[tuple[str, ...]]:
        return _by_position(public, split.candidates.items(), folder / "candidates.jsonl")

    durations = ((name, video.duration) for name, video in videos.items())
    return _public(benchmark, split.name, split.turns, split.corpus, durations, candidates)


def _public(
    benchmark: Benchmark,
    split: str,
    turns: Iterable[TurnTask],
    corpus: Iterable[str],
    videos: Iterable[tuple[str, int | None]],
    read_candidates: Callable[[PublicSplit], list[tuple[str, ...]]],
) -> PublicSplit:
    dialogues, tasks = _turns(benchmark.split_folder(split) / "turns.jsonl", turns)
    durations: dict[str, int | None] = dict.fromkeys(corpus)
    elsewhere: set[str] = set()
    for video_id, duration in videos:
        if video_id in durations:
            durations[video_id] = duration
        else:
            elsewhere.add(video_id)
    return PublicSplit(
        split=split,
        dialogues=dialogues,
        tasks=tasks,
        durations=durations,
        elsewhere=frozenset(elsewhere),
        read_candidates=read_candidates,
        read_elsewhere=partial(benchmark.dialogues_elsewhere, split),
        near_video=Suggestions(durations),
        near_dialogue=Suggestions(dialogues),
    )


def _turns(path: Path, turns: Iterable[TurnTask]) -> tuple[dict[str, DialogueTurns], list[Task]]:
    dialogues: dict[str, DialogueTurns] = {}
    tasks: list[Task] = []
    for line in turns:
        place = dialogues.get(line.dialogue_id, DialogueTurns(len(tasks), 0))
        if place.first + place.turns != len(tasks) or line.turn != place.turns + 1:
            raise EnvironmentFailure(
                f"{path}:{len(tasks) + 1}: expected dialogues together and turns from 1 in order, "
                f"found turn {line.turn} out of place; import the benchmark again"
            )
        dialogues[line.dialogue_id] = DialogueTurns(place.first, line.turn)
        tasks.append(line.task)
    return dialogues, tasks


def _by_position(
    public: PublicSplit, rows: Iterable[tuple[TurnKey, tuple[str, ...]]], path: Path
) -> list[tuple[str, ...]]:
    candidates: list[tuple[str, ...]] = [()] * len(public.tasks)
    # One string a video: ten candidates a turn would else be the largest thing in memory.
    pool = {name: name for name in public.durations}
    for key, names in rows:
        position = public.position(*key)
        if position is None:
            raise EnvironmentFailure(
                f"{path}: names a turn that turns.jsonl lacks; import the benchmark again"
            )
        candidates[position] = tuple(map(pool.setdefault, names, names))
    return candidates


def _lines(path: Path, kind: type[T]) -> Iterator[T]:
    decoder = msgspec.json.Decoder(kind)
    for number, line in enumerate(_raw_lines(path), start=1):
        try:
            yield decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
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
