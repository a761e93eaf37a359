"""Whether a benchmark folder may be handed out, as far as it shows by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from harness.benchmark import Benchmark
from harness.public_copy.expected import public_header, public_paths
from harness.public_copy.findings import GoldFinding
from harness.public_copy.layout import DESCRIPTION, REASONS, CopyLayout
from harness.public_copy.rows import unlike
from harness.records import SPLITS


class FolderStanding(NamedTuple):
    """What of a folder's labels is there, and what stands against handing it out.

    `hidden`: splits whose labels are to be hidden; `held`: splits whose labels are in the folder,
    by gold.jsonl, reference.jsonl or a file of the import.
    """

    hidden: tuple[str, ...]
    held: tuple[str, ...]
    findings: tuple[GoldFinding, ...]


def standing(benchmark: Benchmark) -> FolderStanding:
    """The standing of a folder, by names and forms of its files; gold is not searched for."""
    splits = [name for name in SPLITS if name in benchmark.header.splits]
    hidden = tuple(name for name in splits if benchmark.labels(name) == "hidden")
    imported = any((benchmark.folder / "source").glob("*"))
    held = tuple(
        name
        for name in splits
        if imported
        or any((benchmark.folder / name / f"{of}.jsonl").exists() for of in ("gold", "reference"))
    )
    return FolderStanding(hidden, held, tuple(_findings(benchmark, hidden)))


def _findings(benchmark: Benchmark, hidden: tuple[str, ...]) -> Iterator[GoldFinding]:
    header = benchmark.header
    layout = CopyLayout(header.splits, hidden, public_paths(benchmark, own=True))
    for name, role in layout.entries(benchmark.folder):
        if role in REASONS and (hidden or role != "source"):
            yield GoldFinding(name, None, REASONS[role])
        elif name == DESCRIPTION:
            yield from _described(benchmark, hidden)
        elif role == "public":
            yield from unlike(benchmark.folder, name)
    if public_header(header, hidden) != header:
        what = "names hashes of labels that participants lack, by which a guess can be checked"
        yield GoldFinding("benchmark.json", None, what)


def _described(benchmark: Benchmark, hidden: tuple[str, ...]) -> Iterator[GoldFinding]:
    """A description of the folder when labels were public lists hashes that check a guess."""
    data = (benchmark.folder / DESCRIPTION).read_bytes()
    for split in hidden:
        if any(f"{split}/{of}.jsonl".encode() in data for of in ("gold", "reference")):
            what = f"lists files with labels of {split}; make it again: ivcr data croissant"
            yield GoldFinding(DESCRIPTION, None, what)
