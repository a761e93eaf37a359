"""Whether the files of a copy are as the harness writes them: no spare key, order, space or number.

What the format leaves open is room for a label; what it fixes is none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec

from harness.benchmark import Benchmark, CandidatesLine, GoldLine, VideoLine
from harness.errors import EnvironmentFailure
from harness.files import canonical, readable, shown
from harness.public_copy.findings import GoldFinding
from harness.records import Reference, Turn

KINDS: dict[str, type[msgspec.Struct]] = {
    "turns.jsonl": Turn,
    "candidates.jsonl": CandidatesLine,
    "gold.jsonl": GoldLine,
    "reference.jsonl": Reference,
    "videos.jsonl": VideoLine,
}
_UNLIKE = "is not as the harness writes it"


def unlike(folder: Path, name: str) -> Iterator[GoldFinding]:
    """Lines of a public file, named relative to the folder, that hold more than their format."""
    data = (folder / name).read_bytes()
    file = name.rpartition("/")[2]
    if file == "benchmark.json":
        yield from _unlike_header(folder, data, name)
    elif file == "corpus.txt":
        yield from _unsorted(data, name)
    elif file in KINDS:
        yield from _unlike_lines(data, name, KINDS[file])


def _unlike_header(folder: Path, data: bytes, name: str) -> Iterator[GoldFinding]:
    try:
        header = Benchmark(folder).header
    except EnvironmentFailure as error:
        yield GoldFinding(name, None, f"{_UNLIKE}: {error}")
        return
    if readable(msgspec.to_builtins(header)) != data:
        yield GoldFinding(name, None, f"{_UNLIKE}: other spaces, order or keys")


def _unsorted(data: bytes, name: str) -> Iterator[GoldFinding]:
    lines = data.decode("utf-8", "replace").split("\n")
    if lines[:-1] != sorted(set(lines[:-1])) or lines[-1]:
        yield GoldFinding(name, None, f"{_UNLIKE}: expected ids in order, each once")


def _unlike_lines(data: bytes, name: str, kind: type[msgspec.Struct]) -> Iterator[GoldFinding]:
    decoder = msgspec.json.Decoder(kind)
    lines = data.split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):
        try:
            record = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            yield GoldFinding(name, number, f"{_UNLIKE}: {shown(str(error))[1:-1]}")
            continue
        if canonical(record) != line:
            yield GoldFinding(name, number, _what_differs(line, kind))
    if lines[-1]:
        yield GoldFinding(name, len(lines), f"{_UNLIKE}: expected a newline at its end")


def _what_differs(line: bytes, kind: type[msgspec.Struct]) -> str:
    value: dict[str, Any] = msgspec.json.decode(line)
    spare = sorted(set(value) - {field.name for field in msgspec.structs.fields(kind)})
    if spare:
        return f"unknown key {shown(spare[0])}"
    return f"{_UNLIKE}: other spaces, order or keys"


Texts = Callable[[dict[str, Any]], str]


def _of_turn(row: dict[str, Any]) -> str:
    return str(row.get("utterance", ""))


def _of_video(row: dict[str, Any]) -> str:
    text = row.get("text") or {}
    words = [*text, *text.values()] if isinstance(text, dict) else [text]
    return " ".join(map(str, (*words, row.get("source", ""), row.get("path", ""))))


def _of_prediction(row: dict[str, Any]) -> str:
    return str(row.get("response", ""))


def _of_ids(_: dict[str, Any]) -> str:
    return ""


# What of a line is free text; the rest names its own turn, or ids that are all public.
FREE_TEXT: dict[str, Texts] = {
    "turns.jsonl": _of_turn,
    "videos.jsonl": _of_video,
    "candidates.jsonl": _of_ids,
    "predictions.jsonl": _of_prediction,
}


def free_text(name: str, data: bytes) -> str:
    """The free text of a known file, a line for each of its lines; of others all there is."""
    file = name.rpartition("/")[2].removesuffix(".gz").removesuffix(".zst")
    if file == "corpus.txt":
        return ""
    if file not in FREE_TEXT:
        return data.decode("utf-8", "ignore")
    return "\n".join(_text_of(FREE_TEXT[file], line) for line in data.split(b"\n"))


def _text_of(text: Texts, line: bytes) -> str:
    try:
        row = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return line.decode("utf-8", "ignore")
    found = text(row) if isinstance(row, dict) else str(row)
    return found.replace("\n", " ")


def differs(name: str, public: bytes, full: bytes) -> Iterator[GoldFinding]:
    """Where a file of the copy first differs from the benchmark's own."""
    if public == full:
        return
    ours, theirs = public.split(b"\n"), full.split(b"\n")
    pairs = enumerate(zip(ours, theirs, strict=False), start=1)
    line = next((at for at, (one, other) in pairs if one != other), min(len(ours), len(theirs)))
    yield GoldFinding(name, line, "differs from the benchmark's own file, here first")


def without_paths(data: bytes) -> bytes:
    """Lines of videos.jsonl without paths, which a copy may leave out or change."""
    decoder = msgspec.json.Decoder(VideoLine)
    lines = data.split(b"\n")
    return b"\n".join([*(_without_path(decoder, line) for line in lines[:-1]), lines[-1]])


def _without_path(decoder: msgspec.json.Decoder[VideoLine], line: bytes) -> bytes:
    try:
        return canonical(msgspec.structs.replace(decoder.decode(line), path=None))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return line


def unknown_ids(name: str, data: bytes, known: Collection[str]) -> Iterator[GoldFinding]:
    """Lines of candidates.jsonl that name something that is no video of the corpus."""
    decoder = msgspec.json.Decoder(CandidatesLine)
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            names = decoder.decode(line).candidates
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if other := next((each for each in names if each not in known), None):
            yield GoldFinding(name, number, f"a candidate {shown(other)} that is not in the corpus")
