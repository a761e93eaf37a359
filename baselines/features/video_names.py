"""Which video an array of a file is of: by its id, else by a form of it that fits one video alone.

Files of features name videos as their makers did: without the extension, with slashes replaced,
by the last part of the path. Each form is tried in turn on the names that are left, on both sides
alike; a name counts where it fits one of all videos, which no other name fits.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")


def _bare(name: str) -> str:
    return _EXTENSION.sub("", name)


def _flat(name: str) -> str:
    return re.sub(r"[/\\]", "_", name)


def _last(name: str) -> str:
    return re.split(r"[/\\]", name)[-1]


# How ids are compared, the strictest first; the words complete "ids compared ...".
FORMS: Mapping[str, Callable[[str], str]] = {
    "as they are": lambda name: name,
    "without extension": _bare,
    "with slashes as _": _flat,
    "with slashes as _, without extension": lambda name: _flat(_bare(name)),
    "by the last part of the path": _last,
    "by the last part of the path, without extension": lambda name: _bare(_last(name)),
}


class NameMatches(NamedTuple):
    """Names by video id; by form how many were found so, and one of them; names that fit several.

    unknown: names that fit no video.
    """

    names: dict[str, str]
    forms: dict[str, tuple[int, str]]
    ambiguous: tuple[str, ...]
    unknown: tuple[str, ...]


def match_names(names: Iterable[str], video_ids: Iterable[str]) -> NameMatches:
    """Match the names of arrays with ids of videos."""
    left, videos = list(dict.fromkeys(names)), list(dict.fromkeys(video_ids))
    found: dict[str, str] = {}
    forms: dict[str, tuple[int, str]] = {}
    for words, form in FORMS.items():
        theirs, ours = _by_form(left, form), _by_form(videos, form)
        pairs = {
            ours[key][0]: group[0]
            for key, group in theirs.items()
            if len(group) == 1 and len(ours.get(key, ())) == 1 and ours[key][0] not in found
        }
        if pairs:
            forms[words] = (len(pairs), next(iter(pairs.values())))
        found |= pairs
        taken = set(pairs.values())
        left = [name for name in left if name not in taken]
    loosest = FORMS["by the last part of the path, without extension"]
    known = {loosest(video_id) for video_id in videos}
    ambiguous = tuple(name for name in left if loosest(name) in known)
    unknown = tuple(name for name in left if loosest(name) not in known)
    return NameMatches(found, forms, ambiguous, unknown)


def _by_form(names: Iterable[str], form: Callable[[str], str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[form(name)].append(name)
    return groups
