"""Files written whole or not at all, one way to write JSON and to show foreign text."""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec

from harness.errors import EnvironmentFailure

if sys.version_info >= (3, 14):
    from compression import zstd as zstd
else:
    from backports import zstd as zstd

_ENCODER = msgspec.json.Encoder(order="sorted")
CUT = 80
_HIDDEN = re.compile(r"[^ -~\n]")
# Not Cn: what is unassigned depends on the version of Python, and would change the bytes.
_ESCAPED = frozenset(("Cc", "Cf", "Co", "Cs", "Zl", "Zp", "Zs"))
# What systems, archives and editors leave beside files: __MACOSX, .DS_Store, ._x, Thumbs.db,
# desktop.ini, x~, #x#, .x.swp, x.bak, x.orig.
_LEFTOVER = re.compile(
    r"__MACOSX|\.DS_Store|\._.*|Thumbs\.db|desktop\.ini|.*~|#.*#|\..*\.sw[a-p]|.*\.(?:bak|orig)",
    re.IGNORECASE | re.DOTALL,
)


def is_leftover(name: str) -> bool:
    """Whether a file or folder of that name is left by a system, an archive or an editor."""
    return _LEFTOVER.fullmatch(name) is not None


def canonical(value: Any) -> bytes:
    """One JSON value as UTF-8 with sorted keys and no spare spaces: same value, same bytes."""
    return _ENCODER.encode(value)


def readable(value: Any) -> bytes:
    """One JSON value with sorted keys, indented by two, ending with a newline.

    Controls, marks that reorder or hide text and unusual spaces stand as escapes: the value is the
    same, and no reader of the file is deceived by it.
    """
    text = msgspec.json.format(canonical(value), indent=2).decode("utf-8")
    return _HIDDEN.sub(_json_escape, text).encode() + b"\n"


def _json_escape(found: re.Match[str]) -> str:
    character = found[0]
    if unicodedata.category(character) not in _ESCAPED:
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def plain(value: Any) -> Any:
    """`value` as JSON has it: NumPy's numbers and texts become Python's, arrays and tuples lists.

    Raises TypeError at what has no such form.
    """
    return _with_lists(msgspec.to_builtins(value, enc_hook=_own_kind))


def _with_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_lists(each) for name, each in value.items()}
    return [_with_lists(each) for each in value] if isinstance(value, (list, tuple)) else value


def _own_kind(value: Any) -> Any:
    if isinstance(value, str):
        return str(value)
    if callable(method := getattr(value, "tolist", None)):  # NumPy and pandas
        return method()
    raise TypeError(f"of type {type(value).__name__}")


def shown(text: str, cut: int = CUT) -> str:
    """Untrusted text made safe for a terminal: quoted, controls and marks escaped, cut to `cut`."""
    kept = text if len(text) <= cut else text[: cut - 1] + "…"
    return '"' + "".join(map(_escaped, kept)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    # Cc, Cf, Cs, Co, Cn: terminal escapes, bidirectional marks, surrogates, unassigned code points.
    if unicodedata.category(character)[0] in "CZ" and character != " ":
        return character.encode("unicode_escape", "backslashreplace").decode("ascii")
    return character


@contextmanager
def open_replacement(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file next to `path`; it takes the place of `path` only if the block succeeds.

    Raises EnvironmentFailure if the folder is absent or the disk fails; `path` is then untouched.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except OSError as error:
        raise EnvironmentFailure(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        beside.unlink(missing_ok=True)


def write(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all."""
    with open_replacement(path) as stream:
        stream.write(data)
