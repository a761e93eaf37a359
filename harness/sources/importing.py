"""Import of data files into a benchmark folder, streamed in bounded memory.

A source reads each file as dialogues of the official format. Odd data is kept or dropped by the
rules of ODDITIES, and counted.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from harness.benchmark import (
    VIDEOS_ROOT,
    Header,
    Labels,
    SourceFile,
    VideoLine,
    fingerprint,
)
from harness.errors import EnvironmentFailure, WrongUsageError, unwritable
from harness.files import canonical, is_leftover, readable, shown
from harness.files import copy as copy_file
from harness.records import SPLITS
from harness.replacement import remove_stale, replaced_folder
from harness.replies import ReferenceReadings
from harness.sources.json_stream import Progress
from harness.sources.metadata import read_metadata, source_of
from harness.sources.oddities import Oddities, OddityRow
from harness.sources.official_dialogue import OddityReporter, ParsedDialogue, parse_dialogue
from harness.sources.readers import OFFICIAL, InputFile, dialogues_of, source_named, videos_of
from harness.sources.split_files import SplitFiles
from harness.sources.video_checks import SpanCheck, check_files, check_ids

Corpus = Literal["named", "all"]
HIDEABLE = ("val", "test")  # labels of train are there to learn from


class ImportResult(NamedTuple):
    """The result of an import: the folder, the oddities of its files, how replies were read."""

    folder: Path
    oddities: list[OddityRow]
    readings: list[dict[str, Any]]


class ImportSettings(NamedTuple):
    """How a benchmark is made: its name and version, what its corpora and labels are.

    `hide`: the splits that labels `hidden` hide, some of HIDEABLE. `source`: the format of the
    files, one of SOURCES.
    """

    name: str
    version: str = "1"
    corpus: Corpus = "named"
    labels: Labels = "public"
    hide: tuple[str, ...] = ("test",)
    type_names: Mapping[int, str] = {0: "chat", 7: "concatenation"}
    source: str = OFFICIAL

    @property
    def hidden(self) -> tuple[str, ...]:
        """The splits whose labels are hidden."""
        return self.hide if self.labels == "hidden" else ()


def import_files(
    files: Sequence[Path],
    out: Path,
    settings: ImportSettings,
    *,
    videos: Path | None = None,
    videos_root: Path | None = None,
    extra: Path | None = None,
    progress: Progress | None = None,
) -> ImportResult:
    """Make the benchmark folder `out` of data `files`, whole or not at all.

    `videos`: META; `videos_root`: the folder that META's paths start at, where this is not the
    benchmark's own: it is kept in VIDEOS_ROOT, and files are compared with META; `extra`: a folder
    whose contents go along (videos, train/events.jsonl), taken over. What systems and editors leave
    is passed over among several files. Raises WrongUsageError if `out` exists, if there is no such
    source or no such split to hide, or if META is missing that the settings are about,
    EnvironmentFailure if a file cannot be read.
    """
    for name in settings.hidden:
        if name not in HIDEABLE:
            raise WrongUsageError(f"--hide {shown(name)}: expected one of: {', '.join(HIDEABLE)}")
    if videos is None and settings.source == OFFICIAL:
        _refuse_options_of_meta(settings, videos_root)
    with new_folder(out) as folder, ExitStack() as closing:
        metadata = {} if videos is None else read_metadata(videos)
        run = _Import(folder, settings, metadata, closing)
        if videos_root is not None:
            _name_root(folder, videos_root)
        meant = [file for file in files if not is_leftover(file.name)] or files
        sources = [run.read(file, progress) for file in meant]
        run.finish(sources)
        if extra is not None:
            shutil.copytree(extra, folder, dirs_exist_ok=True, copy_function=_take_over)
    return ImportResult(out, run.odd.rows(), run.readings.table())


def _refuse_options_of_meta(settings: ImportSettings, videos_root: Path | None) -> None:
    given = {"--videos-root": videos_root is not None, "--corpus all": settings.corpus == "all"}
    for option, is_given in given.items():
        if is_given:
            raise WrongUsageError(f"{option} is about the videos of META; name META with --videos")


def _name_root(folder: Path, root: Path) -> None:
    if not root.is_dir():
        raise EnvironmentFailure(f"{root}: expected the folder of the videos, found none")
    (folder / VIDEOS_ROOT).write_bytes(os.fsencode(root.absolute()) + b"\n")


def refuse_existing(out: Path) -> None:
    """Refuse a place that is taken, after what a killed import left beside it is removed.

    Raises WrongUsageError if there is something at `out`.
    """
    remove_stale(out.parent)
    if os.path.lexists(out):
        raise WrongUsageError(f"{out}: exists already; name another folder or remove it first")


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder beside `out` that becomes `out` if the block succeeds, and vanishes if not.

    Raises WrongUsageError if there is something at `out`, EnvironmentFailure if the disk fails.
    """
    refuse_existing(out)
    with replaced_folder(out, must_be_new=True, parents=True) as folder:
        yield folder


def _take_over(source: str, target: str) -> None:
    try:
        copy_file(Path(source), Path(target))
    except FileExistsError:
        pass  # the importer's own file goes first
    except OSError as error:
        # An error of the disk ends the copying at once; copytree would go on and gather them.
        raise unwritable(target, error) from error


class _Import:
    def __init__(
        self,
        folder: Path,
        settings: ImportSettings,
        metadata: dict[str, VideoLine],
        closing: ExitStack,
    ) -> None:
        self.folder, self.settings, self.metadata = folder, settings, metadata
        self.described = frozenset(metadata)
        self.closing = closing
        source_named(settings.source)  # an unknown one is refused before any file is read
        self.odd, self.readings = Oddities(), ReferenceReadings()
        self.splits: dict[str, SplitFiles] = {}
        self.spans = SpanCheck()
        self.ids: set[str] = set()
        self.position = 0

    def read(self, file: Path, progress: Progress | None) -> SourceFile:
        """Copy one file into source/ and import its dialogues from there.

        Raises WrongUsageError if two files have one name, EnvironmentFailure if one is absent.
        """
        copy = self.folder / "source" / file.name
        copy.parent.mkdir(exist_ok=True)
        if copy.exists():
            raise WrongUsageError(f"{file}: two files of the name {file.name}; rename one")
        if not file.is_file():
            raise EnvironmentFailure(f"{file}: expected a data file, found none")
        sha256 = copy_file(file, copy)
        given = InputFile(copy, file, progress)
        for video in videos_of(self.settings.source, given):
            self.metadata.setdefault(video.video_id, video)
        for sample in dialogues_of(self.settings.source, given):
            self._add(sample, f"{file.name}[{self.position}]")
            self.position += 1
        return SourceFile(file.name, sha256, self.settings.source)

    def _add(self, sample: Any, place: str) -> None:
        dialogue = parse_dialogue(sample, self.metadata, OddityReporter(place, self.odd.add))
        if dialogue is None:
            return
        if dialogue.split not in self.splits:
            hidden = dialogue.split in self.settings.hidden
            self.splits[dialogue.split] = SplitFiles(
                self.folder, dialogue.split, hidden, self.closing
            )
        for turn in dialogue.turns:
            if turn.moment is not None and turn.video_id in self.metadata:
                self.spans.add(self.metadata[turn.video_id], turn.moment[1])
        files = self.splits[dialogue.split]
        files.write(self._id(dialogue, place), dialogue, self.odd, self.readings)

    def _id(self, dialogue: ParsedDialogue, place: str) -> str:
        own = dialogue.own_id
        if own is not None and own not in self.ids:
            self.ids.add(own)
            return own
        if own is not None:
            self.odd.add("duplicate-id", place)
        # Over the utterances alone: an id reveals nothing of the labels.
        text = "\n".join(turn.utterance for turn in dialogue.turns)
        digest = hashlib.sha256(text.encode()).hexdigest()
        made = f"d{self.position:06d}-{digest[:8]}"
        self.ids.add(made)
        return made

    def finish(self, sources: list[SourceFile]) -> None:
        """Write videos, corpora and, last, benchmark.json.

        Raises EnvironmentFailure if no dialogue could be imported, WrongUsageError if a split that
        is to be hidden is not there.
        """
        if not self.splits:
            names = ", ".join(source.file for source in sources)
            raise EnvironmentFailure(
                f"{names}: expected dialogues with a split in the format {self.settings.source}, "
                "found none that could be kept; `ivcr data import --help` lists the formats"
            )
        if absent := [name for name in self.settings.hidden if name not in self.splits]:
            held = ", ".join(name for name in SPLITS if name in self.splits)
            raise WrongUsageError(
                f"{absent[0]}: is to be hidden, but the files have no such split (they have "
                f"{held}); name the splits to hide with --hide"
            )
        videos = self._videos()
        everything = sorted(videos) if self.settings.corpus == "all" else None
        counts, gold = {}, {}
        for name in [name for name in SPLITS if name in self.splits]:
            files = self.splits[name]
            files.write_corpus(everything)
            counts[name], gold[name] = files.close()
        lines = b"".join(canonical(line) + b"\n" for line in videos.values())
        (self.folder / "videos.jsonl").write_bytes(lines)
        report = {
            "schema": 1,
            "oddities": self.odd.rows(),
            "reference_readings": self.readings.table(),
        }
        (self.folder / "source" / "import-report.json").write_bytes(readable(report))
        header = Header(
            schema=1,
            name=self.settings.name,
            version=self.settings.version,
            labels=self.settings.labels,
            sources=tuple(sources),
            type_names={str(code): name for code, name in self.settings.type_names.items()},
            splits=counts,
            fingerprint=fingerprint(self.folder),
            gold_sha256=gold,
            hidden=tuple(name for name in SPLITS if name in self.settings.hidden),
        )
        (self.folder / "benchmark.json").write_bytes(readable(msgspec.to_builtins(header)))

    def _videos(self) -> dict[str, VideoLine]:
        """META's videos in its order, then those that only the dialogues name, by id."""
        named = set().union(*(files.video_ids for files in self.splits.values()))
        unknown = sorted(named - self.metadata.keys())
        if self.metadata:
            for video_id in unknown:
                self.odd.add("no-metadata", video_id)
        if self.described:
            check_ids(self.described, named, self.odd.add)
        present = (self.folder / VIDEOS_ROOT).is_file()
        check_files(self.metadata, self.folder, present=present, report=self.odd.add)
        self.spans.finish(self.odd.add)
        lone = {name: VideoLine(name, None, source_of(name)) for name in unknown}
        return {**self.metadata, **lone}


def name_of(file: Path) -> str:
    """A benchmark's name from its file: letters, digits, dots and hyphens, without .json[.gz]."""
    stem = re.sub(r"\.(json|jsonl)(\.gz)?$", "", file.name)
    return re.sub(r"[^A-Za-z0-9.]+", "-", stem).strip("-.") or "benchmark"
