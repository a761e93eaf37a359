"""A copy for exams: of some splits the corpus and the videos alone, since a server shows the turns.

Runs of floors on these splits go too: their lines name dialogues and tell how long they are.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

import msgspec

from harness.benchmark import Benchmark, ExamCopy, Header, fingerprint
from harness.files import readable
from harness.public_copy.layout import floor_split
from harness.records import SPLITS


def leave_turns_out(folder: Path, full: Header, splits: Collection[str]) -> list[str]:
    """Take the turns of some splits out of a copy; the files that are empty or gone by that.

    `full`: the header of the benchmark that the copy was made from. The copy gets a fingerprint of
    its own and names that of the full one.
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
