"""From bytes to lines: encodings, line ends and line lengths."""

from __future__ import annotations

from collections.abc import Iterator

from harness.validation.rules.rule import Fault, declared

LINE_LIMIT = 1 << 20

UTF16 = declared(
    "S111", "error", "predictions are UTF-8 text", "a file saved as UTF-16, or a .zip by this name"
)
BOM = declared("S112", "warning", "no byte order mark is needed", "EF BB BF before the first line")
CRLF = declared("S113", "warning", "lines end with a newline alone", "lines that end with CR LF")
BLANK = declared("S114", "warning", "every line holds a prediction", "an empty line")
TOO_MANY_LINES = declared(
    "S115", "error", "there is one line a turn", "more than twice as many lines as turns"
)
TOO_LONG = declared("L100", "error", "a line holds at most 1 MiB", "a response of two megabytes")

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


def lines(chunks: Iterator[bytes]) -> Iterator[bytes | None]:
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


def without_bom(line: bytes) -> tuple[bytes, bool]:
    """The first line without a byte order mark, and whether there was one."""
    return line.removeprefix(_BOM), line.startswith(_BOM)


def _refuse_other_kinds(chunk: bytes) -> None:
    for start, kind in _STARTS.items():
        if chunk.startswith(start):
            raise Fault(UTF16, f"expected UTF-8 text, found {kind}; save or name it as what it is")
