"""META: durations, texts and paths of videos, as a JSON list or as JSONL, plain or .gz."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.benchmark import VideoLine
from harness.errors import EnvironmentFailure
from harness.files import shown
from harness.sources.json_stream import elements, json_lines
from harness.untrusted import open_input


def read_metadata(path: Path) -> dict[str, VideoLine]:
    """The videos of META by id, in file order; durations in seconds.

    Raises EnvironmentFailure, with the place, on an entry that is no video or an id given twice.
    """
    found: dict[str, VideoLine] = {}
    for place, entry in _entries(path):
        line = _line(place, entry)
        if line.video_id in found:
            raise EnvironmentFailure(
                f"{place}: video {shown(line.video_id)} occurs here a second time; keep one entry"
            )
        found[line.video_id] = line
    return found


def source_of(video_id: str) -> str:
    """The source collection that an official id names: the part before the first slash."""
    return video_id.partition("/")[0] if "/" in video_id else ""


def _entries(path: Path) -> Iterator[tuple[str, Any]]:
    with open_input(path) as stream:
        first = stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if first == b"[":
        for number, entry in enumerate(elements(path), start=1):
            yield f"{path}: entry {number}", entry
        return
    yield from json_lines(path)


def _line(place: str, entry: Any) -> VideoLine:
    expected = '{"video_id": text, "duration": seconds or null, "text": {name: text}, "path": text}'
    if not isinstance(entry, dict) or not is_name(entry.get("video_id")):
        raise EnvironmentFailure(f"{place}: expected {expected}, found {shown(str(entry))}")
    video_id, duration = entry["video_id"], entry.get("duration")
    text, path = entry.get("text", {}), entry.get("path")
    if not (duration is None or _is_length(duration)):
        raise EnvironmentFailure(
            f"{place}: duration: expected seconds above 0 or null, found {shown(str(duration))}"
        )
    if not isinstance(text, dict) or not all(isinstance(value, str) for value in text.values()):
        raise EnvironmentFailure(
            f"{place}: text: expected {{name: text}}, found {shown(str(text))}"
        )
    if not (path is None or isinstance(path, str)):
        raise EnvironmentFailure(f"{place}: path: expected text, found {shown(str(path))}")
    return VideoLine(
        video_id,
        None if duration is None else float(duration),
        source_of(video_id),
        {clean(name): clean(value) for name, value in text.items()},
        path,
    )


def is_name(value: Any) -> bool:
    """Whether `value` can be a name: text of 1 to 500 printable characters."""
    return isinstance(value, str) and 0 < len(value) <= 500 and value.isprintable()


def clean(text: str) -> str:
    """`text` with what UTF-8 cannot hold (lone surrogates) replaced by ?."""
    return text.encode("utf-8", "replace").decode("utf-8") if _has_surrogate(text) else text


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)


def _is_length(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value) and value > 0
    except OverflowError:
        return False
