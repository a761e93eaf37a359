"""Reading a benchmark folder: what participants see, and, on its own, gold."""

from __future__ import annotations

import hashlib
import logging
import os
import shlex
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct

from harness.errors import EnvironmentFailure, did_you_mean
from harness.files import canonical, shown
from harness.records import (
    SPLITS,
    Gold,
    Reference,
    Span,
    Turn,
    TurnKey,
    Video,
    milliseconds,
)
from harness.schemas.documents import require
from harness.untrusted import UnfitFileError, json_document

_LOG = logging.getLogger(__name__)
NEXT_STEP = "import the benchmark again, or update the harness"
VIDEOS_ROOT = "videos_root.txt"
# Kinds of reasons why a video has no file.
LEAVES, MISSING = "path leaves the folder", "missing"
PUBLIC_SPLIT_FILES = ("corpus.txt", "turns.jsonl", "candidates.jsonl")
SPLIT_FILES = (*PUBLIC_SPLIT_FILES, "reference.jsonl", "gold.jsonl")
T = TypeVar("T")
Reader = Callable[[Path], bytes]


class SourceFile(Struct, frozen=True):
    """A file that the benchmark was imported from."""

    file: str
    sha256: str
    importer: str


Labels = Literal["public", "hidden"]


class AboutData(Struct, frozen=True, omit_defaults=True):
    """What the makers of a benchmark say of it: its licence and address as URLs, how to cite it.

    `creators`: names of organizations; `published`: the day, YYYY-MM-DD. Nobody checks it.
    """

    licence: str = ""
    citation: str = ""
    url: str = ""
    creators: tuple[str, ...] = ()
    published: str = ""


class ExamCopy(Struct, frozen=True):
    """What a copy for exams lacks: the turns of `splits`; `of`: the full one's fingerprint."""

    splits: tuple[str, ...]
    of: str


class Header(Struct, frozen=True, omit_defaults=True):
    """benchmark.json. `hidden`: the splits whose labels are hidden, where some are."""

    schema: int
    name: str
    version: str
    labels: Labels
    sources: tuple[SourceFile, ...]
    type_names: dict[str, str]
    splits: dict[str, dict[str, int]]
    fingerprint: str
    gold_sha256: dict[str, str]
    hidden: tuple[str, ...] = ()
    about: AboutData | None = None
    exam: ExamCopy | None = None


class VideoLine(Struct, frozen=True, omit_defaults=True):
    """A line of videos.jsonl; duration in seconds."""

    video_id: str
    duration: float | None
    source: str = ""
    text: dict[str, str] = msgspec.field(default_factory=dict)
    path: str | None = None


class CandidatesLine(Struct, frozen=True):
    """A line of candidates.jsonl."""

    dialogue_id: str
    turn: int
    candidates: tuple[str, ...]


class GoldLine(Struct, frozen=True):
    """A line of gold.jsonl; moment in seconds."""

    dialogue_id: str
    turn: int
    video_id: str | None
    moment: tuple[float, float] | None
    answer: str
    text_id: str | None
    tags: tuple[str, ...]
    foil: str | None


class _DialogueName(Struct, frozen=True):
    """A line of turns.jsonl, as far as the name of its dialogue."""

    dialogue_id: str


class Split(Struct, frozen=True):
    """What participants see of one split: turns in order, candidates by turn, corpus by id."""

    name: str
    turns: tuple[Turn, ...]
    candidates: dict[TurnKey, tuple[str, ...]]
    corpus: tuple[str, ...]

    def dialogues(self) -> dict[str, tuple[Turn, ...]]:
        """The turns of each dialogue, in file order."""
        found: dict[str, list[Turn]] = {}
        for turn in self.turns:
            found.setdefault(turn.dialogue_id, []).append(turn)
        return {name: tuple(turns) for name, turns in found.items()}


class Benchmark:
    """A benchmark folder. Everything but `gold` and `reference` is what participants see."""

    def __init__(self, folder: Path) -> None:
        """Read benchmark.json. Raises EnvironmentFailure if `folder` is no benchmark."""
        self.folder = folder
        path = folder / "benchmark.json"
        if not path.is_file():
            above = folder.absolute().parent
            step = (
                f"name the folder above it: {above}"
                if (above / "benchmark.json").is_file()
                else "make one with `ivcr data import` or `ivcr data mini`"
            )
            raise EnvironmentFailure(
                f"{folder}: expected a benchmark folder, found no benchmark.json; {step}"
            )
        try:
            document = json_document(_read(path), object)
        except UnfitFileError as error:
            raise EnvironmentFailure(f"{path}: {error}; {NEXT_STEP}") from error
        require("benchmark", document, path, NEXT_STEP, EnvironmentFailure)
        self.header = msgspec.convert(document, Header)
        self._splits: dict[str, Split] = {}
        self._elsewhere: dict[str, dict[str, str]] = {}

    @cached_property
    def videos(self) -> dict[str, Video]:
        """All videos by id, in file order."""
        return self._read_videos(_read)

    def split(self, name: str = "test") -> Split:
        """The public half of one split. Raises EnvironmentFailure if there is none of that name."""
        return self._splits.get(name) or self._read_split(name, _read)

    def dialogues_elsewhere(self, name: str) -> dict[str, str]:
        """The dialogues of the other splits whose files are here: by id the split's name."""
        if name not in self._elsewhere:
            places = {other: self.folder / other / "turns.jsonl" for other in self.header.splits}
            self._elsewhere[name] = {
                line.dialogue_id: other
                for other, path in places.items()
                if other != name and path.is_file()
                for line in _lines(path, _DialogueName)
            }
        return self._elsewhere[name]

    def labels(self, name: str = "test") -> Labels:
        """Whether the labels of one split are hidden.

        A benchmark with hidden labels that names no such split hides all but train.
        """
        if self.header.labels == "public" or (not self.header.hidden and name == "train"):
            return "public"
        return "hidden" if name in (self.header.hidden or (name,)) else "public"

    def gold(self, name: str = "test") -> tuple[Gold, ...]:
        """The private half of one split, in the order of its turns.

        Raises EnvironmentFailure if the folder has no gold or another one than it was made with.
        """
        path = self.split_folder(name) / "gold.jsonl"
        if not path.is_file():
            labels = self.labels(name)
            step = "ask the organizers" if labels == "hidden" else "import the benchmark again"
            raise EnvironmentFailure(
                f"{path}: expected the gold that scoring needs, found none"
                f" (labels of this split: {labels}); {step}"
            )
        data = _read(path)
        if hashlib.sha256(data).hexdigest() != self.header.gold_sha256.get(name):
            raise EnvironmentFailure(
                f"{path}: changed since the import (its SHA-256 is not the one in benchmark.json);"
                " import the benchmark again"
            )
        return tuple(map(_gold, _decoded_lines(path, data, GoldLine)))

    def reference(self, name: str = "test") -> tuple[Reference, ...] | None:
        """What `reference` history shows, in the order of the turns; None where it is withheld."""
        path = self.split_folder(name) / "reference.jsonl"
        return tuple(_lines(path, Reference)) if path.is_file() else None

    def checked(self, split: str | None = None) -> Benchmark:
        """This benchmark, after a check that its public files have its fingerprint.

        `split`: one that is used next; it and the videos are held, so that their files are read
        once. Raises EnvironmentFailure if the files changed since the import.
        """
        data: dict[Path, bytes] = {}

        def read(path: Path) -> bytes:
            content = _read(path)
            if split is not None and path.parent in (self.folder, self.folder / split):
                data[path] = content
            return content

        found = fingerprint(self.folder, read)
        if found != self.header.fingerprint:
            raise EnvironmentFailure(
                f"{self.folder}: changed since the import (fingerprint {found[:12]}, benchmark.json"
                f" says {self.header.fingerprint[:12]}); import the benchmark again"
            )
        if split is not None:
            self._splits[split] = self._read_split(
                split, lambda path: data[path] if path in data else _read(path)
            )
            self.videos = self._read_videos(data.__getitem__)
        return self

    def options(self, split: str) -> str:
        """What a command needs to be about a split of this benchmark, for a shell."""
        chosen = "" if split == "test" else f" --split {shlex.quote(split)}"
        return f"--benchmark {shlex.quote(str(self.folder))}{chosen}"

    def files(self, split: str) -> tuple[Path, ...]:
        """Where the files of the benchmark and of a split lie; not all of them need be there.

        Raises EnvironmentFailure if there is no such split.
        """
        folder = self.split_folder(split)
        return (
            *(self.folder / name for name in ("benchmark.json", "videos.jsonl")),
            *(folder / name for name in SPLIT_FILES),
            *(self.folder / "source" / source.file for source in self.header.sources),
        )

    def has_gold(self, split: str) -> bool:
        """Whether the split can be scored here."""
        return (self.folder / split / "gold.jsonl").is_file()

    def _read_split(self, name: str, read: Reader) -> Split:
        folder = self.split_folder(name)
        return Split(
            name=name,
            turns=tuple(_lines(folder / "turns.jsonl", Turn, read)),
            candidates={
                TurnKey(line.dialogue_id, line.turn): line.candidates
                for line in _lines(folder / "candidates.jsonl", CandidatesLine, read)
            },
            corpus=tuple(read(folder / "corpus.txt").decode("utf-8").splitlines()),
        )

    def _read_videos(self, read: Reader) -> dict[str, Video]:
        lines = _lines(self.folder / "videos.jsonl", VideoLine, read)
        return {line.video_id: video_of(line) for line in lines}

    def split_folder(self, name: str) -> Path:
        """The folder of a split. Raises EnvironmentFailure if there is none of that name."""
        if name not in self.header.splits:
            known = ", ".join(self.header.splits) or "none"
            raise EnvironmentFailure(
                f"{self.folder}: has no split {name!r}; "
                f"{did_you_mean(name, self.header.splits)}expected one of: {known}"
            )
        return self.folder / name


class VideoFolder:
    """Where the files of a benchmark's videos lie: in its folder, or below the one that was named.

    VIDEOS_ROOT in the benchmark's folder names one, in a line; whoever imports it writes that file,
    and nothing that others submit is a path. Below a named folder links may lead anywhere, since
    its owner made them; in the benchmark's own they may not leave it. `named`: that folder, if any.
    """

    def __init__(self, folder: Path) -> None:
        """Raises EnvironmentFailure if the folder that is named is none."""
        self._own = folder.resolve()
        self.named: Path | None = None
        if (file := folder / VIDEOS_ROOT).is_file():
            text = os.fsdecode(_read(file)).strip()
            self.named = Path(os.path.normpath(text))
            if not self.named.is_absolute() or not self.named.is_dir():
                raise EnvironmentFailure(
                    f"{file}: expected the full path of the folder with the videos, found "
                    f"{shown(text)}; write it, or remove the file if they lie in {folder}"
                )

    def find(self, video: Video) -> Path | str:
        """The file of a video, or the reason why there is none: a kind, a colon, the rest.

        A reason goes to run.json, so it tells no place of this machine.
        """
        if video.path is None:
            return "no path"
        name = shown(Path(video.path).name if Path(video.path).is_absolute() else video.path)
        try:
            path = (self.named or self._own) / video.path
            if not self._holds(path):
                return LEAVES
            return path.resolve() if path.is_file() else f"{MISSING}: no file {name}"
        except (OSError, ValueError, RuntimeError):  # a NUL, a name too long, a circle of links
            return f"{MISSING}: no path {name}"

    def _holds(self, path: Path) -> bool:
        if self.named is not None and Path(os.path.normpath(path)).is_relative_to(self.named):
            return True
        return path.resolve().is_relative_to((self.named or self._own).resolve())


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise EnvironmentFailure(
            f"{path}: cannot be read: {error.strerror or error}; import the benchmark again"
        ) from error
    _LOG.debug("read %s: %s bytes", path, f"{len(data):,}")
    return data


def fingerprint(folder: Path, read: Reader = _read) -> str:
    """SHA-256 (hex) over all that participants can see, without paths and pixels.

    Over the lines `<file> <SHA-256 of its bytes>` for the public files of each split and for
    videos.jsonl, the latter without its paths. `read` gives the bytes of a file.
    """
    digest = hashlib.sha256()
    for name in SPLITS:
        for file in PUBLIC_SPLIT_FILES:
            path = folder / name / file
            if path.is_file():
                sha = hashlib.sha256(read(path)).hexdigest()
                digest.update(f"{name}/{file} {sha}\n".encode())
    videos = hashlib.sha256()
    for line in _lines(folder / "videos.jsonl", VideoLine, read):
        videos.update(canonical(msgspec.structs.replace(line, path=None)) + b"\n")
    digest.update(f"videos.jsonl {videos.hexdigest()}\n".encode())
    return digest.hexdigest()


def video_of(line: VideoLine) -> Video:
    """The record of a line of videos.jsonl."""
    duration = None if line.duration is None else milliseconds(line.duration)
    return Video(line.video_id, duration, line.source, line.text, line.path)


def _gold(line: GoldLine) -> Gold:
    span = None if line.moment is None else Span(*map(milliseconds, line.moment))
    return Gold(**{**msgspec.structs.asdict(line), "moment": span})


def _lines(path: Path, kind: type[T], read: Reader = _read) -> Iterator[T]:
    return _decoded_lines(path, read(path), kind)


def _decoded_lines(path: Path, data: bytes, kind: type[T]) -> Iterator[T]:
    decoder = msgspec.json.Decoder(kind)
    for number, line in enumerate(data.splitlines(), start=1):
        yield _decoded(f"{path}:{number}", line, decoder)


def _decoded(place: Path | str, data: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EnvironmentFailure(
            f"{place}: not as the harness writes it: {error}; import the benchmark again"
        ) from error
