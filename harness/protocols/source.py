"""The dialogues of a split as the imported file has them: raw texts, in the order of the file.

The published scorer reads that file, not the benchmark: it compares raw utterances and takes its
gold from the text of the reference answers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, NamedTuple

from harness.benchmark import Benchmark
from harness.errors import EnvironmentFailure
from harness.files import shown
from harness.records import CHAT
from harness.sources.official_dialogue import (
    VIDEO_TURN,
    OddityReporter,
    ParsedDialogue,
    parse_dialogue,
)
from harness.sources.readers import SOURCES, InputFile, dialogues_of


class SourceTurn(NamedTuple):
    """A turn of the file: raw utterance and reference answer, gold video and candidates."""

    task: Literal["video", "moment"]
    utterance: str
    answer: str
    video_id: str
    candidates: tuple[str, ...]


class SourceDialogue(NamedTuple):
    """A dialogue of the file under its id in the benchmark."""

    dialogue_id: str
    type: int
    turns: tuple[SourceTurn, ...]


class SourceSplit(NamedTuple):
    """The dialogues of type other than 0, in the order of the file.

    `odd`: the first place where the file departs from the format, None if there is none: what the
    published scorer does there is not known.
    """

    dialogues: tuple[SourceDialogue, ...]
    odd: str | None


class OddSampleError(ValueError):
    """A sample departs from the official format."""


def read_source(benchmark: Benchmark, split: str) -> SourceSplit:
    """Read the split's dialogues from the files kept in the benchmark's source/.

    Raises EnvironmentFailure if a file is absent, is not the one that was imported, or has a format
    that is not one of SOURCES.
    """
    known = benchmark.split(split).dialogues()
    names: dict[str, str] = {}
    dialogues, odd = [], None
    for place, sample, parsed, dialogue_id in _aligned(benchmark, split, iter(known)):
        if parsed.type == CHAT:
            continue
        try:
            turns = tuple(_turns(sample["conversations"], names))
            dialogues.append(SourceDialogue(dialogue_id, parsed.type, turns))
        except OddSampleError as error:
            odd = odd or f"{place}: {error}"
    return SourceSplit(tuple(dialogues), odd)


def _aligned(
    benchmark: Benchmark, split: str, ids: Iterator[str]
) -> Iterator[tuple[str, dict[str, Any], ParsedDialogue, str]]:
    """Each sample of the split that the import kept, with its id; both stand in file order."""
    for kept, dialogue_id in zip_longest(_imported(benchmark, split), ids):
        if kept is None or dialogue_id is None:
            raise EnvironmentFailure(
                f"{benchmark.folder / 'source'}: holds other dialogues than {split}/turns.jsonl;"
                " import the benchmark again"
            )
        yield *kept, dialogue_id


def _imported(
    benchmark: Benchmark, split: str
) -> Iterator[tuple[str, dict[str, Any], ParsedDialogue]]:
    for source in benchmark.header.sources:
        path = benchmark.folder / "source" / source.file
        _check(path, source.sha256)
        if source.importer not in SOURCES:
            raise EnvironmentFailure(
                f"{path}: expected a file of a known format ({', '.join(SOURCES)}), found "
                f"{shown(source.importer)}; add the file of this format to harness/sources"
            )
        samples = dialogues_of(source.importer, InputFile(path, path))
        for position, sample in enumerate(samples, start=1):
            place = f"{source.file}, entry {position}"
            parsed = parse_dialogue(sample, {}, OddityReporter(place, lambda *_: None))
            if parsed is not None and parsed.split == split:
                yield place, sample, parsed


def _check(path: Path, sha256: str) -> None:
    if not path.is_file():
        raise EnvironmentFailure(
            f"{path}: protocol official reads the imported file itself, which is not here"
            " (it is private where labels are hidden)"
        )
    with path.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != sha256:
            raise EnvironmentFailure(
                f"{path}: changed since the import (its SHA-256 is not the one in benchmark.json);"
                " import the benchmark again"
            )


def _turns(entries: list[Any], names: dict[str, str]) -> Iterator[SourceTurn]:
    if len(entries) % 2:
        raise OddSampleError("human and gpt entries do not alternate")
    for number in range(0, len(entries), 2):
        human, answer = entries[number : number + 2]
        _check_sender(human, "human")
        _check_sender(answer, "gpt")
        span, video_id = answer.get("gt_se"), answer.get("video_id")
        candidates = answer.get("candidate_videos")
        if not isinstance(span, list) or not isinstance(video_id, str):
            raise OddSampleError(f"turn {number // 2 + 1} lacks video_id or gt_se")
        if not isinstance(candidates, list):
            raise OddSampleError(f"turn {number // 2 + 1} lacks candidate_videos")
        yield SourceTurn(
            "video" if span == VIDEO_TURN else "moment",
            human["value"],
            answer["value"],
            names.setdefault(video_id, video_id),
            # One text for each id: ten names a turn would fill the memory of a large file.
            tuple(names.setdefault(str(name), str(name)) for name in candidates),
        )


def _check_sender(entry: Any, sender: str) -> None:
    if not isinstance(entry, dict) or entry.get("from") != sender:
        raise OddSampleError("human and gpt entries do not alternate")
    if not isinstance(entry.get("value"), str):
        raise OddSampleError(f"a {sender} entry has no text")
