"""From bytes to lines: encodings, line ends and line lengths."""

from __future__ import annotations

from collections.abc import Iterator

from harness.validation.reading.other_forms import other_form
from harness.validation.rules.rule import Fault
from harness.validation.rules.text_files import LINE_LIMIT, NOT_LINES, NOT_TEXT

_STARTS = {
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"\x00{": "UTF-16 text",
    b"{\x00": "UTF-16 text",
    b"\x1f\x8b": "gzip data",
    b"\x28\xb5\x2f\xfd": "Zstandard data",
    b"PK\x03\x04": "a ZIP archive",
}
_BOM = b"\xef\xbb\xbf"


def split_lines(chunks: Iterator[bytes]) -> Iterator[bytes | None]:
    """The lines without their newline; None for a line past the limit; a BOM is left on the first.

    Raises Fault if the stream is no UTF-8 text at all.
    """
    rest, skipping, first = b"", False, True
    for chunk in chunks:
        if first:
            _refuse_other_kinds(chunk)
            first = False
        head, *others = chunk.split(b"\n")
        rest = rest if skipping else rest + head
        skipping = skipping or len(rest) > LINE_LIMIT
        if others:
            yield None if skipping else rest
            yield from others[:-1]
            rest, skipping = others[-1], False
        elif skipping:
            rest = b""
    if rest or skipping:
        yield None if skipping else rest


def strip_bom(line: bytes) -> tuple[bytes, bool]:
    """The first line without a byte order mark, and whether there was one."""
    return line.removeprefix(_BOM), line.startswith(_BOM)


def _refuse_other_kinds(chunk: bytes) -> None:
    for start, kind in _STARTS.items():
        if chunk.startswith(start):
            raise Fault(
                NOT_TEXT, f"expected UTF-8 text, found {kind}; save or name it as what it is"
            )
    if (advice := other_form(chunk.removeprefix(_BOM))) is not None:
        raise Fault(NOT_LINES, f"expected JSON Lines, found {advice}")
