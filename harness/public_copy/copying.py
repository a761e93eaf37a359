"""The copy of a benchmark that participants get, made beside its place and searched for gold."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from harness.benchmark import Benchmark, ExamCopy, Header, VideoFolder, fingerprint
from harness.errors import EnvironmentFailure, WrongUsageError
from harness.files import copy as copy_file
from harness.files import readable, shown
from harness.public_copy.expected import header_bytes, public_paths, reference_lines, video_lines
from harness.public_copy.findings import GoldFinding, against, report
from harness.public_copy.layout import DESCRIPTION, CopyLayout, floor_split
from harness.public_copy.scanning import find_gold
from harness.records import SPLITS
from harness.sources.importing import HIDEABLE, new_folder

NOBODY = "none"  # as a choice of splits to hide: all labels are given


class PublicCopy(NamedTuple):
    """A copy that was made: its folder, the splits it hides, its files, the notes of the scan.

    `videos`: how many files of videos it holds, of so many `described` with a path; `left_out`: the
    files of the benchmark that it lacks.
    """

    folder: Path
    hidden: tuple[str, ...]
    files: int
    videos: int
    described: int
    left_out: tuple[str, ...]
    notes: tuple[GoldFinding, ...]


def hidden_splits(
    benchmark: Benchmark, hide: Sequence[str] | None, exam: Sequence[str] = ()
) -> tuple[str, ...]:
    """The splits that a copy hides: those named, or else the ones that the benchmark hides.

    `exam`: splits whose turns are left out, which are hidden whatever is named. Raises
    WrongUsageError if none is named and the benchmark hides none, or one cannot be hidden.
    """
    splits = [name for name in SPLITS if name in benchmark.header.splits]
    if exam:
        hide = [*(name for name in hide or () if name != NOBODY), *exam]
    if hide is None:
        hidden = tuple(name for name in splits if benchmark.labels(name) == "hidden")
        if not hidden:
            raise WrongUsageError(
                f"{benchmark.folder}: its labels are public, so which to hide has to be said: "
                "--hide test, --hide test,val or --hide none"
            )
        return hidden
    if tuple(hide) == (NOBODY,):
        return ()
    possible = [name for name in splits if name in HIDEABLE]
    for name in hide:
        if name not in possible:
            raise WrongUsageError(
                f"--hide {shown(name)}: expected some of: {', '.join(possible)}, or {NOBODY}"
            )
    return tuple(name for name in splits if name in hide)


def publish(
    benchmark: Benchmark,
    out: Path,
    *,
    hide: Sequence[str] | None = None,
    videos: bool = False,
    exam: Sequence[str] = (),
) -> PublicCopy:
    """Write the copy of `benchmark` that participants get to `out`, whole or not at all.

    `hide`: as hidden_splits takes it; `videos`: with the videos' files, by hard links where the
    disk allows; `exam`: splits whose turns are left out, as a server shows them one by one; their
    labels are hidden too. The copy takes its place only if find_gold finds nothing against it.
    Raises WrongUsageError if `out` exists or lies in the benchmark, EnvironmentFailure if the
    benchmark changed since the import, lacks gold that is to be hidden, or gives gold away itself.
    """
    hidden = hidden_splits(benchmark, hide, exam)
    _require_outside(out, benchmark.folder)
    benchmark.checked()
    with new_folder(out) as part:
        left_out = _copy_known(benchmark, part, hidden)
        count = _copy_videos(benchmark, part) if videos else 0
        (part / "videos.jsonl").write_bytes(video_lines(benchmark))
        (part / "benchmark.json").write_bytes(header_bytes(benchmark.header, hidden))
        findings = find_gold(part, benchmark, hidden)
        _refuse(benchmark, against(findings))
        if exam:
            left_out += _leave_turns_out(part, benchmark.header, exam)
        files = sum(len(names) for _, _, names in os.walk(part))
    return PublicCopy(
        out, hidden, files, count, len(public_paths(benchmark)), tuple(left_out), tuple(findings)
    )


def _require_outside(out: Path, folder: Path) -> None:
    place, own = Path(os.path.realpath(out)), Path(os.path.realpath(folder))
    if place.is_relative_to(own) or own.is_relative_to(place):
        raise WrongUsageError(f"{out}: expected a place outside the benchmark {folder}")


def _refuse(benchmark: Benchmark, findings: list[GoldFinding]) -> None:
    if findings:
        lines = "\n  ".join(report(findings))
        raise EnvironmentFailure(
            f"{benchmark.folder}: expected public files that give no gold away, found {lines}\n"
            "nothing was written; mend the data and import the benchmark again"
        )


def _copy_known(benchmark: Benchmark, part: Path, hidden: Sequence[str]) -> list[str]:
    """Copy what participants may have; the names of the rest."""
    left_out, layout = (
        [],
        CopyLayout(benchmark.header.splits, hidden, public_paths(benchmark, own=True)),
    )
    for name, role in layout.entries(benchmark.folder):
        if name == DESCRIPTION:
            left_out.append(name)
        elif role == "public" and name not in ("benchmark.json", "videos.jsonl"):
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            copy_file(benchmark.folder / name, part / name)
        elif role not in ("public", "video"):
            left_out.append(name)
    for split in benchmark.header.splits:
        if split not in hidden and not (part / split / "reference.jsonl").exists():
            (part / split / "reference.jsonl").write_bytes(reference_lines(benchmark, split))
    return left_out


def _copy_videos(benchmark: Benchmark, part: Path) -> int:
    """Copy the videos' files to their places in the copy; how many there are."""
    folder, count = VideoFolder(benchmark.folder), 0
    for path, video_id in public_paths(benchmark).items():
        found = folder.find(benchmark.videos[video_id])
        if isinstance(found, Path):
            (part / path).parent.mkdir(parents=True, exist_ok=True)
            _link_or_copy(found, part / path)
            count += 1
    return count


def _link_or_copy(source: Path, target: Path) -> None:
    with suppress(OSError):  # another disk, or one without hard links
        os.link(source, target)
        return
    shutil.copyfile(source, target)


def _leave_turns_out(folder: Path, full: Header, splits: Collection[str]) -> list[str]:
    """Take the turns of some splits out of a copy; the files that are empty or gone by that.

    Runs of floors on them go too: their lines name dialogues and tell how long they are. `full`:
    the header of the benchmark that the copy was made from. The copy gets a fingerprint of its own
    and names that of the full one.
    """
    chosen = tuple(name for name in SPLITS if name in splits)
    gone = []
    for name in chosen:
        for file in ("turns.jsonl", "candidates.jsonl"):
            (folder / name / file).write_bytes(b"")
            gone.append(f"{name}/{file}")
    for run in sorted(folder.glob("floors/*/*")):
        if floor_split(run) in chosen:
            shutil.rmtree(run)
            gone.append(run.relative_to(folder).as_posix())
    for place in (*sorted(folder.glob("floors/*")), *folder.glob("floors")):
        if not any(place.iterdir()):
            place.rmdir()
    header = Benchmark(folder).header
    made = msgspec.structs.replace(
        header,
        splits={
            name: {"corpus": counts.get("corpus", 0)} if name in chosen else counts
            for name, counts in header.splits.items()
        },
        fingerprint=fingerprint(folder),
        exam=ExamCopy(chosen, full.fingerprint),
    )
    (folder / "benchmark.json").write_bytes(readable(msgspec.to_builtins(made)))
    return gone
