"""The search of a copy for hidden gold: by name, by comparison with the benchmark, by content."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

from harness.benchmark import Benchmark, VideoFolder
from harness.errors import EnvironmentFailure
from harness.public_copy.contents import GoldMarks, attributes, look_into, look_through, same_bytes
from harness.public_copy.expected import (
    header_bytes,
    public_paths,
    reference_lines,
    video_lines,
)
from harness.public_copy.findings import GoldFinding
from harness.public_copy.forms import MOST
from harness.public_copy.layout import DESCRIPTION, REASONS, CopyFile, CopyLayout
from harness.public_copy.marks import folded, gold_marks
from harness.public_copy.ordering import (
    candidate_order,
    floor_answers,
    never_candidates,
    video_order,
)
from harness.public_copy.own_texts import own_utterances, own_videos
from harness.public_copy.rows import differs, free_text, unknown_ids, unlike, without_paths
from harness.public_copy.spans import GoldSpans
from harness.records import SPLITS
from harness.untrusted import UnfitFileError, read_unpacked


def find_gold(
    public: Path, full: Benchmark, hidden: Collection[str] | None = None
) -> list[GoldFinding]:
    """What in the folder `public` gives gold of the splits `hidden` of the benchmark `full` away.

    `hidden`: by default those that either folder's benchmark.json hides. Findings stand in the
    order of the files. Raises EnvironmentFailure if `full` lacks gold that is to be hidden.
    """
    chosen = _hidden_by(public, full) if hidden is None else hidden
    splits = tuple(name for name in SPLITS if name in chosen)
    return list(_Scan(public, full, splits).findings())


def _hidden_by(public: Path, full: Benchmark) -> set[str]:
    headers = [full]
    with suppress(EnvironmentFailure):  # the scan itself says what is wrong with it
        headers.append(Benchmark(public))
    names = full.header.splits
    return {name for name in names if any(each.labels(name) == "hidden" for each in headers)}


class _Scan:
    def __init__(self, public: Path, full: Benchmark, hidden: tuple[str, ...]) -> None:
        self.public, self.full, self.hidden = public, full, hidden
        self.paths, self.films = public_paths(full), VideoFolder(full.folder)
        self.layout = CopyLayout(full.header.splits, hidden, self.paths)
        self.marks = gold_marks(full, hidden)
        self.gold = {split: full.gold(split) for split in hidden}
        self.spans = GoldSpans(chain.from_iterable(self.gold.values()))

    def findings(self) -> Iterator[GoldFinding]:
        """All that is found, file by file, then split by split."""
        for entry in self.layout.entries(self.public):
            path = self.public / entry.name
            yield from attributes(entry.name, path)
            for phrase in self.marks.find(folded(entry.name)):
                yield GoldFinding(entry.name, None, f"its name holds {phrase.what}")
            if entry.role == "video":
                yield from look_through(entry.name, path, self.marks)
                yield from self._film(entry.name)
            elif entry.role == "public":
                yield from self._known(entry.name)
            else:
                yield from self._other(entry)
        for split in self.hidden:
            yield from self._split(split)

    def _film(self, name: str) -> Iterator[GoldFinding]:
        """A video's file, which has to be the benchmark's own."""
        own = self.films.find(self.full.videos[self.paths[name]])
        if not isinstance(own, Path) or not same_bytes(self.public / name, own):
            yield GoldFinding(name, None, "differs from the benchmark's own file")

    def _other(self, entry: CopyFile) -> Iterator[GoldFinding]:
        """A file that participants may not have, and what it holds."""
        yield GoldFinding(entry.name, None, REASONS[entry.role])
        path = self.public / entry.name
        if entry.role in ("link", "special") or not path.is_file():
            return
        if path.stat().st_size > MOST:
            yield GoldFinding(entry.name, None, "is too large to be searched")
            return
        data = path.read_bytes()
        yield from look_into(entry.name, data, GoldMarks(self.marks, self.spans), stranger=True)
        yield from self._connected(entry.name, data)

    def _connected(self, name: str, data: bytes) -> Iterator[GoldFinding]:
        """Gold videos in the order of their turns, as a column without ids would have them."""
        lines = [line.strip() for line in data.decode("utf-8", "ignore").splitlines()]
        for split, gold in self.gold.items():
            wanted = [each.video_id for each in gold if each.video_id is not None]
            hits = sum(video in line for video, line in zip(wanted, lines, strict=False))
            if wanted and hits * 2 > len(wanted):
                yield GoldFinding(
                    name, None, f"names {hits:,} gold videos of {split} in their order"
                )

    def _known(self, name: str) -> Iterator[GoldFinding]:
        """A file that belongs to the copy: as the harness writes it, the benchmark's own."""
        data = (self.public / name).read_bytes()
        yield from unlike(self.public, name)
        expected = self._expected(name)
        if expected is None:
            yield GoldFinding(name, None, "the benchmark has no such file")
        elif name == "videos.jsonl" and without_paths(data) != without_paths(expected):
            yield from differs(name, without_paths(data), without_paths(expected))
        else:
            yield from differs(name, data, expected)
        unpacked = self._unpacked(name, data)
        if name.startswith("floors/") and "/predictions.jsonl" in name:
            for gold in self.gold.values():
                yield from floor_answers(name, unpacked.splitlines(), gold)
        text = free_text(name, unpacked).encode("utf-8", "ignore")
        may_say = name.endswith((".toml", "run.json")) or name in ("benchmark.json", DESCRIPTION)
        spans = self.spans if may_say else GoldSpans(())
        if not name.endswith(".npz"):
            yield from look_into(name, text, GoldMarks(self.marks, spans), stranger=False)

    def _expected(self, name: str) -> bytes | None:
        if name == "benchmark.json":
            return header_bytes(self.full.header, self.hidden)
        if name == "videos.jsonl":
            return video_lines(self.full)
        path = self.full.folder / name
        if path.is_file():
            return path.read_bytes()
        split, _, file = name.partition("/")
        return reference_lines(self.full, split) if file == "reference.jsonl" else None

    def _unpacked(self, name: str, data: bytes) -> bytes:
        if not name.endswith((".gz", ".zst")):
            return data
        try:
            return b"".join(read_unpacked(self.public / name, MOST))
        except UnfitFileError:
            return data  # it differs from the benchmark's own file, or that one is not sound

    def _split(self, split: str) -> Iterator[GoldFinding]:
        """What the public files of a hidden split give away by what stands together or in order."""
        gold, name = self.gold[split], f"{split}/candidates.jsonl"
        try:
            copy = Benchmark(self.public)
            public, videos = copy.split(split), list(copy.videos)
            candidates = (self.public / name).read_bytes()
        except (EnvironmentFailure, OSError):
            return  # what cannot be read was named, or is not there
        yield from unknown_ids(name, candidates, set(public.corpus))
        yield from candidate_order(name, public.candidates, gold)
        yield from never_candidates(f"{split}/corpus.txt", public, gold)
        yield from video_order("videos.jsonl", videos, gold)
        yield from own_utterances(f"{split}/turns.jsonl", public, gold)
        yield from own_videos("videos.jsonl", copy, gold)
