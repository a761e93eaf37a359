"""JSON and TOML of strangers: depth, values and lengths are counted before anything is parsed.

Parsers recurse, keep a table for each part of a key, and refuse numbers of thousands of digits by
errors of their own. What is counted here is counted outside of strings and comments, in one pass.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any, TypeVar

import msgspec

from harness.files import shown
from harness.untrusted.plain_file import UnfitFileError

T = TypeVar("T")
JSON_DEPTH = 16  # no document that a schema accepts is nested so deep
JSON_VALUES = 1_000_000  # entries of lists and tables
TOML_DEPTH = 16
KEY_PARTS = 16  # of a key such as a.b.c
_BOM = b"\xef\xbb\xbf"
_JSON_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
# A string that does not end takes the rest with it: no parser reads on behind it.
_TOML_TEXT = re.compile(
    rb'"""(?:[^"\\]|\\.|"{1,2}(?!"))*+(?:"{3,5}|\\?\Z)'
    rb"|'''(?:[^']|'{1,2}(?!'))*+(?:'{3,5}|\Z)"
    rb'|"(?:[^"\\\n]|\\[^\n])*+["\\]?'
    rb"|'[^'\n]*+'?"
    rb"|\#[^\n]*+",
    re.DOTALL | re.VERBOSE,
)
_ENDS_WORD = re.compile(rb"[=,{}\[\]\n]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def json_document(data: bytes, kind: type[T]) -> T:
    """The value of a JSON document of bounded depth, as one of `kind` (object: any value).

    Raises UnfitFileError if it is no such JSON.
    """
    require_json_bounds(data)
    try:
        return msgspec.json.decode(data.removeprefix(_BOM), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnfitFileError(
            "syntax", f"not JSON as expected: {shown(str(error))[1:-1]}"
        ) from error


def require_json_bounds(data: bytes, depth: int = JSON_DEPTH, values: int = JSON_VALUES) -> None:
    """Check how deep JSON is nested, and how many values it has.

    Raises UnfitFileError if they are more than `depth` and `values`.
    """
    brackets, commas = data.count(b"[") + data.count(b"{"), data.count(b",")
    if brackets <= depth and brackets + commas <= values:
        return
    text = _JSON_TEXT.sub(b"", data)
    if text.count(b",") + text.count(b"[") + text.count(b"{") > values:
        raise UnfitFileError("nested", f"expected JSON of at most {values:,} values, found more")
    if deeper_than(depth, text):
        raise UnfitFileError("nested", f"expected JSON nested at most {depth} deep, found more")


def toml_table(data: bytes) -> dict[str, Any]:
    """The table of a TOML document of bounded depth; a byte order mark is passed over.

    Raises UnfitFileError if it is no such TOML.
    """
    data = data.removeprefix(_BOM)
    bare = _TOML_TEXT.sub(b'"', data)
    words = _ENDS_WORD.split(bare)
    if max(word.count(b".") for word in words) >= KEY_PARTS:
        raise UnfitFileError("nested", f"expected keys of at most {KEY_PARTS} parts, found more")
    if deeper_than(TOML_DEPTH, bare):
        raise UnfitFileError(
            "nested", f"expected TOML nested at most {TOML_DEPTH} deep, found more"
        )
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UnfitFileError("not UTF-8", "expected UTF-8 text; save the file as UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise UnfitFileError(
            "syntax", f"not TOML: {shown(str(error))[1:-1]}; see toml.io"
        ) from error


def deeper_than(depth: int, text: bytes) -> bool:
    """Whether brackets are nested deeper than `depth` in a text without strings."""
    open_ = 0
    for bracket in text.translate(None, _NO_BRACKETS):
        open_ += 1 if bracket in b"[{" else -1
        if open_ > depth:
            return True
    return False
