"""Files written whole or not at all, one way to write JSON and to show foreign text."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import stat
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import msgspec

from harness.errors import EnvironmentFailure, WrongUsageError, unwritable
from harness.replacement.parts import make_file, open_place, remove_stale

if sys.version_info >= (3, 14):
    from compression import zstd as zstd
else:
    from backports import zstd as zstd

_LOG = logging.getLogger(__name__)
_ENCODER = msgspec.json.Encoder(order="sorted")
CUT = 80
_HIDDEN = re.compile(r"[^ -~\n]")
# Not Cn: what is unassigned depends on the version of Python, and would change the bytes.
_ESCAPED = frozenset(("Cc", "Cf", "Co", "Cs", "Zl", "Zp", "Zs"))
LONGEST_NAME = 255  # bytes
_CHUNK = 1 << 20
_EXPECTED = "cannot be written: expected a file or nothing there"
_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
_TIDIED: set[tuple[int, int]] = set()  # folders by device and number
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
def open_replacement(
    path: Path, *, durable: bool = True, modified: int | None = None
) -> Iterator[IO[bytes]]:
    """Open a new file next to `path`; it takes the place of `path` only if the block succeeds.

    A link at `path` is replaced, never followed. `durable`: the data are on the disk before (off
    for what can be computed again). `modified`: the new file's time, in nanoseconds. Raises
    EnvironmentFailure if the folder is absent, something else than a file is at `path`, or the disk
    fails; `path` is then untouched.
    """
    with ExitStack() as closing:
        try:
            place = open_place(path.parent)
            closing.callback(os.close, place)
            _refuse_other_kinds(path)
            _remove_stale_once(path.parent)
            descriptor, part = make_file(place)
            stream = os.fdopen(descriptor, "wb")
            closing.callback(_close, stream)
            remove = closing.enter_context(ExitStack())
            remove.callback(_remove_part, part, place)
            yield stream
            stream.flush()
            if durable:
                os.fsync(descriptor)
            if modified is not None:
                os.utime(descriptor, ns=(modified, modified))
            # While the lock is held: what is called a part without one is taken for a stale one.
            os.replace(part, path.name, src_dir_fd=place, dst_dir_fd=place)
            remove.pop_all()
        except OSError as error:
            raise unwritable(path, error) from error
    _LOG.debug("wrote %s", path)


def _refuse_other_kinds(path: Path) -> None:
    """Refuse a device, a folder or a link to one: a rename would destroy a device's name."""
    with suppress(FileNotFoundError):
        # Standard output by its name is a link into /proc, whatever it leads to.
        if path.is_symlink() and str(path.readlink()).startswith(("/proc/", "/dev/")):
            raise EnvironmentFailure(f"{path}: {_EXPECTED}, found a link into the system's folders")
        if not stat.S_ISREG(mode := path.stat().st_mode):
            kind = _KINDS.get(stat.S_IFMT(mode), "a device")
            raise EnvironmentFailure(f"{path}: {_EXPECTED}, found {kind}; name another place")


def _remove_stale_once(folder: Path) -> None:
    """Remove what killed processes left in `folder`, at this process' first write there."""
    found = folder.stat()
    if (key := (found.st_dev, found.st_ino)) not in _TIDIED:
        _TIDIED.add(key)
        remove_stale(folder, put_back=False)


def _close(stream: IO[bytes]) -> None:
    with suppress(OSError):  # of a full disk, which was told when the data were written
        stream.close()


def _remove_part(part: str, place: int) -> None:
    with suppress(OSError):  # the next process that writes here removes it
        os.unlink(part, dir_fd=place)


def write(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write `data` to `path`, whole or not at all; see open_replacement."""
    with open_replacement(path, durable=durable) as stream:
        stream.write(data)


def require_apart(written: Iterable[Path], read: Iterable[Path]) -> None:
    """Require that no file to be written is one that was read, or is to be written twice.

    Raises WrongUsageError if one is.
    """
    known = {_place(path) for path in read}
    for path in written:
        if (place := _place(path)) in known:
            raise WrongUsageError(
                f"{path}: expected a place of its own, found a file that this command reads or "
                "writes already; name another place"
            )
        known.add(place)


def _place(path: Path) -> Path:
    """Where a new file called `path` would stand: a link there is replaced, not followed."""
    # Not Path.resolve, which fails at links in a circle.
    return Path(os.path.realpath(path.parent)) / path.name


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, where absent. Raises EnvironmentFailure."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error


def copy(source: Path, target: Path) -> str:
    """Copy a file's contents to the new file `target`; returns their SHA-256 (hex).

    Raises EnvironmentFailure if `source` cannot be read, OSError if `target` cannot be written.
    """
    digest = hashlib.sha256()
    with target.open("xb") as written:
        for chunk in _chunks(source):
            digest.update(chunk)
            written.write(chunk)
    return digest.hexdigest()


def _chunks(source: Path) -> Iterator[bytes]:
    try:
        with source.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise EnvironmentFailure(f"{source}: cannot be read: {error.strerror or error}") from error


def sibling(path: Path, ending: str, *, start: str = "") -> Path:
    """What stands beside `path` by the name `start` + its own + `ending`.

    Where that is longer than a name may be, its middle is a digest instead. Raises WrongUsageError
    if nothing can stand beside `path`.
    """
    path = path.resolve() if path.name in ("", "..") else path
    if not path.name:
        raise WrongUsageError(f"{path}: nothing can stand beside it; name a folder inside it")
    name = f"{start}{path.name}{ending}"
    if len(os.fsencode(name)) > LONGEST_NAME:
        digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]
        room = LONGEST_NAME - len(os.fsencode(f"{start}~{digest}{ending}"))
        name = f"{start}{_cut(path.name, room)}~{digest}{ending}"
    return path.with_name(name)


def _cut(name: str, most: int) -> str:
    """The beginning of a name, of at most so many bytes."""
    while len(os.fsencode(name)) > most:
        name = name[:-1]
    return name
