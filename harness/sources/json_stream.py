"""JSON values of a file one at a time: elements of a large list, or lines (JSONL).

Memory is bounded by the largest value.
"""

from __future__ import annotations

import codecs
import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

from harness.errors import EnvironmentFailure
from harness.files import open_input

CHUNK = 1 << 20
LARGEST_ELEMENT = 64 << 20  # characters; the official dialogues are of the order of 10^4
_DECODER = json.JSONDecoder()
_SPACE = " \t\r\n"
Progress = Callable[[int, int], None]


def elements(
    path: Path, progress: Progress | None = None, *, name: Path | None = None
) -> Iterator[Any]:
    """The elements of the JSON list in `path` (UTF-8, plain or .gz), in order.

    `name`: the name of the file in errors. `progress`: called with the bytes read so far and the
    size of the file. Raises EnvironmentFailure, with the place, if the file cannot be read, is no
    JSON list, or is cut short.
    """
    try:
        with path.open("rb") as raw:
            size = path.stat().st_size
            stream = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
            yield from _List(
                name or path, _characters(cast("IO[bytes]", stream), raw, size, progress)
            )
    except (OSError, EOFError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EnvironmentFailure(
            f"{name or path}: cannot be read as UTF-8 JSON: {reason}"
        ) from error


def json_lines(path: Path, *, name: Path | None = None) -> Iterator[tuple[str, Any]]:
    """Place and value of each line of `path` (JSONL in UTF-8, plain, .gz or .zst).

    Empty lines are passed over; errors call the file `name`, where given. Raises
    EnvironmentFailure, with the place, if the file cannot be read or a line is no JSON.
    """
    with open_input(path, name) as stream:
        for number, line in enumerate(stream, start=1):
            place = f"{name or path}:{number}"
            try:
                if line.strip():
                    yield place, json.loads(line)
            except (ValueError, RecursionError) as error:
                raise EnvironmentFailure(f"{place}: not JSON: {error}") from error


def _characters(
    stream: IO[bytes], raw: IO[bytes], size: int, progress: Progress | None
) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    while chunk := stream.read(CHUNK):
        if progress is not None:
            progress(raw.tell(), size)
        yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


class _List:
    """A reader of one list: `text` holds what is read and not yet decoded, from `at` on."""

    def __init__(self, path: Path, chunks: Iterator[str]) -> None:
        self.path, self.chunks = path, chunks
        self.text, self.at, self.dropped, self.count = "", 0, 0, 0

    def __iter__(self) -> Iterator[Any]:
        if self._next_mark() != "[":
            raise self._error("expected a JSON list of dialogues")
        self.at += 1
        if self._next_mark() == "]":
            return
        while True:
            yield self._element()
            self.count += 1
            mark = self._next_mark()
            self.at += 1
            if mark == "]":
                return
            if mark != ",":
                raise self._error("expected , or ] after an element")

    def _more(self) -> bool:
        """Read on; False at the end of the file."""
        chunk = next(self.chunks, None)
        if chunk is None:
            return False
        self.dropped += self.at
        self.text, self.at = self.text[self.at :] + chunk, 0
        return True

    def _next_mark(self) -> str:
        """The next character that is no space, not consumed; empty at the end of the file."""
        while True:
            while self.at < len(self.text) and self.text[self.at] in _SPACE:
                self.at += 1
            if self.at < len(self.text):
                return self.text[self.at]
            if not self._more():
                return ""

    def _element(self) -> Any:
        self._next_mark()
        wanted = 0
        while True:
            ended = not self._filled(wanted)
            try:
                value, end = _DECODER.raw_decode(self.text, self.at)
            except (ValueError, RecursionError) as error:
                failure: Exception = error
            else:
                # A number is whole only if something that ends it follows.
                if self.text[end - 1] in '}]"' or self.text[end : end + 1] in (*_SPACE, ",", "]"):
                    self.at = end
                    return value
                failure = ValueError("the file ends inside the list")
            rest = len(self.text) - self.at
            if ended or rest > LARGEST_ELEMENT:
                raise self._error(f"not a JSON element: {failure}") from failure
            wanted = max(1, 2 * rest)  # tried again at twice the length: linear in the element

    def _filled(self, wanted: int) -> bool:
        """Read on until `wanted` characters are there; False at the end of the file."""
        while len(self.text) - self.at < wanted:
            if not self._more():
                return False
        return True

    def _error(self, what: str) -> EnvironmentFailure:
        place = f"element {self.count + 1}, character {self.dropped + self.at}"
        return EnvironmentFailure(f"{self.path}: {place}: {what}; is the file whole?")
