"""JSON values of a file one at a time: elements of a large list, or lines (JSONL).

Memory is bounded by the largest value.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from harness.errors import EnvironmentFailure
from harness.untrusted import UnfitFileError, bounded_lines, open_input, unpacked

LARGEST_ELEMENT = 8 << 20  # characters; the official dialogues are of the order of 10^4
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
            suffix = path.suffix if path.suffix == ".gz" else ""
            chunks = _watched(unpacked(raw, suffix), raw, path.stat().st_size, progress)
            yield from list_elements(chunks)
    except (OSError, ValueError, UnfitFileError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EnvironmentFailure(
            f"{name or path}: cannot be read as UTF-8 JSON: {reason}; is the file whole?"
        ) from error


def list_elements(chunks: Iterable[bytes]) -> Iterator[Any]:
    """The elements of the JSON list in these bytes (UTF-8), in order.

    Raises ValueError, with the place, if they are no JSON list, cut short, or go on behind it.
    """
    yield from _List(_characters(chunks))


def json_lines(path: Path, *, name: Path | None = None) -> Iterator[tuple[str, Any]]:
    """Place and value of each line of `path` (JSONL in UTF-8, plain, .gz or .zst).

    Empty lines are passed over; errors call the file `name`, where given. Raises
    EnvironmentFailure, with the place, if the file cannot be read or a line is no JSON.
    """
    with open_input(path, name) as stream:
        for number, line in enumerate(bounded_lines(stream, LARGEST_ELEMENT), start=1):
            place = f"{name or path}:{number}"
            try:
                if line.strip():
                    yield place, json.loads(line)
            except (ValueError, RecursionError) as error:
                raise EnvironmentFailure(f"{place}: not JSON: {error}") from error


def _watched(
    chunks: Iterable[bytes], raw: IO[bytes], size: int, progress: Progress | None
) -> Iterator[bytes]:
    for chunk in chunks:
        if progress is not None:
            progress(raw.tell(), size)
        yield chunk


def _characters(chunks: Iterable[bytes]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    for chunk in chunks:
        yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


class _List:
    """A reader of one list: `text` holds what is read and not yet decoded, from `at` on."""

    def __init__(self, chunks: Iterator[str]) -> None:
        self.chunks = chunks
        self.text, self.at, self.dropped, self.count = "", 0, 0, 0

    def __iter__(self) -> Iterator[Any]:
        if self._next_mark() != "[":
            raise self._error("expected a JSON list")
        self.at += 1
        mark = self._next_mark()
        while mark != "]":
            yield self._element()
            self.count += 1
            mark = self._next_mark()
            if mark not in (",", "]"):
                raise self._error("expected , or ] after an element")
            if mark == ",":
                self.at += 1
        self.at += 1
        if self._next_mark():
            raise self._error("expected nothing behind the list")

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

    def _error(self, what: str) -> ValueError:
        return ValueError(f"element {self.count + 1}, character {self.dropped + self.at}: {what}")
