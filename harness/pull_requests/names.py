"""Names of a change's files: what breaks some system, deceives a reader or clashes with another."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from harness.files import shown
from harness.pull_requests.bounds import NAME_BYTES, PATH_BYTES
from harness.teams.submission_folders import folder_name_problem, is_folder_name
from harness.teams.team_names import skeletons

_DEVICES = re.compile(
    r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³])[ ]*(?:[.:].*)?",
    re.IGNORECASE | re.DOTALL,
)
_RESERVED = '<>:"|?*\\'
_OWN_NAME = "letters, digits, dots, hyphens and underscores, with no dot or hyphen first"


class NameFault(NamedTuple):
    """What is wrong with a name: a code for programs, and the text."""

    code: str
    text: str


def path_faults(path: tuple[bytes, ...]) -> Iterator[NameFault]:
    """What is wrong with a path, whatever stands there."""
    if len(b"/".join(path)) > PATH_BYTES:
        yield NameFault("path-length", f"expected a path of at most {PATH_BYTES} bytes")
    for name in path:
        fault = _name_fault(name)
        if fault is not None:
            yield fault


def _name_fault(raw: bytes) -> NameFault | None:
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        return NameFault("name", "expected names in UTF-8; rename it")
    if name in ("", ".", "..") or "/" in name:
        return NameFault(
            "name", "expected a path inside the folder, found one that leads elsewhere"
        )
    if len(raw) > NAME_BYTES:
        return NameFault("path-length", f"expected names of at most {NAME_BYTES} bytes; shorten it")
    # .git, .gitattributes, .gitmodules, .github, and Windows' short name of .git
    if re.match(r"\.git|git~[0-9]", _without_hidden(name), re.IGNORECASE):
        return NameFault(
            "git-file", "files that steer Git or GitHub are the organizers'; remove it"
        )
    return _deceiving(name) or _unportable(name)


def _deceiving(name: str) -> NameFault | None:
    if any(unicodedata.category(character)[0] == "C" for character in name):
        return NameFault("name", "expected no control or invisible characters; rename it")
    if unicodedata.normalize("NFC", name) != name:
        return NameFault(
            "normalisation", "expected letters in their composed form (NFC); rename it"
        )
    if not name.isascii():
        return NameFault("name", f"expected {_OWN_NAME}; rename it")
    return None


def _unportable(name: str) -> NameFault | None:
    if _DEVICES.fullmatch(name):
        return NameFault("device-name", "Windows takes this name for a device; rename it")
    if name.endswith((".", " ")) or name.startswith(" "):
        return NameFault(
            "name", "expected no space or dot at its end and no space first; rename it"
        )
    if any(character in _RESERVED for character in name):
        return NameFault("name", f"expected none of the characters {_RESERVED}; rename it")
    return None


def _without_hidden(name: str) -> str:
    """The name as HFS+ compares it: characters that do not show are left out."""
    return "".join(each for each in name if unicodedata.category(each) != "Cf")


def is_plain(name: str) -> bool:
    """Whether a text is a name that a team's or a run's folder may have."""
    return folder_name_fault(name.encode("utf-8", "backslashreplace")) is None


def folder_name_fault(name: bytes) -> NameFault | None:
    """What is wrong with the name of a team's or a run's folder."""
    if is_folder_name(_text(name)):
        return None
    return NameFault("name", f"expected 1 to {NAME_BYTES} {_OWN_NAME}; rename it")


def team_name_fault(name: bytes) -> NameFault | None:
    """What is wrong with the name of a team's folder."""
    fault = folder_name_fault(name)
    if fault is None and (problem := folder_name_problem(_text(name))):
        return NameFault("name", problem)
    return fault


def clashes(name: bytes, others: Iterable[bytes]) -> Iterator[NameFault]:
    """Names beside `name` that some system takes for the same one."""
    own = _text(name)
    for raw in sorted(others):
        other = _text(raw)
        if raw == name or _folded(own) != _folded(other):
            continue
        if unicodedata.normalize("NFC", own) == unicodedata.normalize("NFC", other):
            code, why = "normalisation-clash", "in the form of its letters"
        else:
            code, why = "case-clash", "in capitals or the form of its letters"
        yield NameFault(code, f"differs from {shown(other)} beside it {why} alone; rename it")


def confusable(name: bytes, others: Iterable[bytes]) -> bytes | None:
    """The first of `others` that a reader may take for `name`; None if there is none.

    Names are alike as the intake has it (harness.teams.team_names).
    """
    own = skeletons(_text(name))
    alike = (raw for raw in sorted(others) if raw != name and own & skeletons(_text(raw)))
    return next(alike, None)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _text(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")
