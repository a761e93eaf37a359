"""What stands in a file: marks of gold in any of its forms, counted by kind."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from harness.public_copy.findings import GoldFinding
from harness.public_copy.forms import FoldedText, TooMuchInsideError, Unfolding, in_other_order
from harness.public_copy.marks import CHAT_ANSWER, Marks, Phrase, folded
from harness.public_copy.spans import GoldSpans

_PIECE, _OVERLAP = 1 << 22, 1 << 12  # bytes of a video that are searched at once
_SYSTEM = ("security.", "system.")  # extended attributes that a system keeps


class GoldMarks(NamedTuple):
    """What is looked for: the marks of gold, and the spans of gold moments."""

    marks: Marks
    spans: GoldSpans


def look_into(
    name: str, data: bytes, wanted: GoldMarks, *, stranger: bool
) -> Iterator[GoldFinding]:
    """What a file's text gives away, a finding for each kind of mark and form.

    `stranger`: the file does not belong to a benchmark, so one gold span is told; in a file that
    does, it takes two.
    """
    try:
        for folded_text in _texts(data):
            yield from _of_text(name, folded_text, wanted, least=1 if stranger else 2)
    except TooMuchInsideError:
        yield GoldFinding(name, None, "unfolds to more than can be searched")


def _texts(data: bytes) -> Iterator[FoldedText]:
    for number, found in enumerate(Unfolding().texts(data)):
        yield found
        if number == 0:
            yield from in_other_order(found.text)


def _of_text(name: str, found: FoldedText, wanted: GoldMarks, least: int) -> Iterator[GoldFinding]:
    how = f" ({found.form})" if found.form else ""
    by_kind: dict[str, list[tuple[int, Phrase]]] = defaultdict(list)
    spans: dict[tuple[int, int], int] = {}
    for number, line in enumerate(found.text.split("\n"), start=1):
        plain = folded(line)
        for phrase in wanted.marks.find(plain):
            by_kind[phrase.kind].append((number, phrase))
        spans |= dict.fromkeys(wanted.spans.find(plain) - spans.keys(), number)
    for hits in by_kind.values():
        number, phrase = hits[0]
        more = f", and {len(hits) - 1:,} more" if len(hits) > 1 else ""
        what = f"holds {phrase.what}{more}{how}"
        yield GoldFinding(name, _line(found, number), what, phrase.kind != CHAT_ANSWER)
    if len(spans) >= least:
        what = f"holds {len(spans):,} spans of gold moments{how}"
        yield GoldFinding(name, _line(found, min(spans.values())), what)


def _line(found: FoldedText, number: int) -> int | None:
    """The line in the file, where the text stands there as lines."""
    return number if found.form in ("", "backwards", "letters moved by thirteen") else None


def look_through(name: str, path: Path, marks: Marks) -> Iterator[GoldFinding]:
    """What a video's file gives away in plain text, in its metadata or behind its end."""
    with path.open("rb") as stream:
        before, at = b"", 0
        while piece := stream.read(_PIECE):
            text = folded((before + piece).decode("utf-8", "ignore"))
            if (first := next(marks.find(text), None)) is not None:
                yield GoldFinding(name, None, f"holds {first.what}, at about byte {at:,}")
                return
            before, at = piece[-_OVERLAP:], at + len(piece)


def same_bytes(path: Path, other: Path) -> bool:
    """Whether two files hold the same, by being one file or by comparison."""
    if path.samefile(other):
        return True
    if path.stat().st_size != other.stat().st_size:
        return False
    with path.open("rb") as one, other.open("rb") as two:
        while piece := one.read(_PIECE):
            if piece != two.read(_PIECE):
                return False
    return True


def attributes(name: str, path: Path) -> Iterator[GoldFinding]:
    """Extended attributes of a file, which some archives carry along."""
    if not hasattr(os, "listxattr"):
        return
    for attribute in os.listxattr(path, follow_symlinks=False):
        if not attribute.startswith(_SYSTEM):
            yield GoldFinding(name, None, "has an extended attribute, which no benchmark has")
