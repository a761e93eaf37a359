"""What the files of a copy have to be, made from the full benchmark."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path, PurePosixPath

import msgspec

from harness.benchmark import Benchmark, Header, VideoLine
from harness.files import canonical, readable
from harness.public_copy.layout import inner_path
from harness.records import SPLITS, Reference


def public_header(header: Header, hidden: Collection[str]) -> Header:
    """benchmark.json of a copy: which labels are hidden, and no hash of what participants lack.

    An unsalted hash of gold, or of a source file, lets anyone check a guess of it.
    """
    hidden = tuple(name for name in SPLITS if name in hidden)
    return msgspec.structs.replace(
        header,
        labels="hidden" if hidden else "public",
        hidden=hidden,
        sources=() if hidden else header.sources,
        gold_sha256={name: sha for name, sha in header.gold_sha256.items() if name not in hidden},
    )


def header_bytes(header: Header, hidden: Collection[str]) -> bytes:
    """benchmark.json of a copy, as bytes."""
    return readable(msgspec.to_builtins(public_header(header, hidden)))


def reference_lines(benchmark: Benchmark, split: str) -> bytes:
    """reference.jsonl of a split whose labels the copy gives, though the benchmark hides them.

    Raises EnvironmentFailure if the benchmark lacks its gold.
    """
    lines = (
        canonical(Reference(each.dialogue_id, each.turn, each.answer, each.video_id)) + b"\n"
        for each in benchmark.gold(split)
    )
    return b"".join(lines)


def public_paths(benchmark: Benchmark, *, own: bool = False) -> dict[str, str]:
    """Where the files of videos lie in a copy, relative to it: by place the video's id.

    META's path, if it stays inside a folder of the benchmark that is no other's; else a number, so
    that another place of the organizers' disks is not named. `own`: META's paths alone, which are
    the places in the benchmark itself. The first of two videos with one path has it.
    """
    found: dict[str, str] = {}
    for number, video in enumerate(benchmark.videos.values()):
        path = _place(video.path, number, own=own)
        if path is not None:
            found.setdefault(path, video.video_id)
    return found


def _place(path: str | None, number: int, *, own: bool) -> str | None:
    if path is None:
        return None
    inner = inner_path(path)
    if inner is not None and "/" in inner and inner.split("/")[0] not in (
        *SPLITS, "source", "floors",
    ):  # fmt: skip
        return inner
    return None if own else f"videos/{number:06d}{PurePosixPath(path).suffix}"


def video_lines(benchmark: Benchmark) -> bytes:
    """videos.jsonl of a copy: the benchmark's own with the copy's paths."""
    places = {video_id: path for path, video_id in public_paths(benchmark).items()}
    decoder = msgspec.json.Decoder(VideoLine)
    rows = map(decoder.decode, _lines(benchmark.folder / "videos.jsonl"))
    return b"".join(
        canonical(msgspec.structs.replace(row, path=places.get(row.video_id))) + b"\n"
        for row in rows
    )


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()
