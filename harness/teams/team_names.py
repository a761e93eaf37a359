"""Names of teams that deceive a reader: invisible characters, letters of other scripts, doubles.

Which characters look alike is Unicode's table (UTS #39, confusables), as the package `disarm` ships
it; two names are doubles if they share a skeleton.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from harness.files import shown
from harness.teams.team_file import Team

# Scripts that are written together (UTS #39, 5.2: "highly restrictive").
_TOGETHER = (
    {"LATIN", "HAN", "HIRAGANA", "KATAKANA"},
    {"LATIN", "HAN", "HANGUL"},
    {"LATIN", "HAN", "BOPOMOFO"},
)
_SEPARATORS = re.compile(r"[\s_-]+")
MOST = 10  # teams of one look that are named: thousands of them would make millions of pairs
# Without a glyph, though not of category Cf: fillers, joiners of marks, variation selectors.
_BLANK = frozenset(map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0)))


class NameProblem(NamedTuple):
    """A name that may deceive.

    `kind`: `hidden`, characters that do not show; `mixed`, letters of scripts that are not written
    together; `double`, it can be taken for the team `other`.
    """

    team: str
    kind: Literal["hidden", "mixed", "double"]
    text: str
    other: str | None = None


def name_problems(teams: Iterable[Team]) -> list[NameProblem]:
    """What is wrong with the names of teams and their folders, in the order of the teams.

    Of the teams that one can be taken for, fewer than MOST are named.
    """
    known = list(teams)
    found: list[NameProblem] = []
    by_skeleton = _by_skeleton(known)
    for team in known:
        found += _problems_of(team)
        keys = skeletons(team.name) | skeletons(team.folder)
        others = sorted({o for key in keys for o in by_skeleton[key][:MOST]} - {team.folder})
        for other in others[: MOST - 1]:
            text = f"its name {shown(team.name)} looks like that of the team {other}"
            found.append(NameProblem(team.folder, "double", text, other))
    return found


def skeletons(name: str) -> set[str]:
    """Keys of a name: two names that look the same, or differ in case or spaces, share one.

    Hyphens and underscores count as spaces.
    """
    # Here, not above: commands that compare no names need not wait for it.
    from disarm import skeleton_key

    compatible = unicodedata.normalize("NFKC", name)
    # I looks like l, but not as i: so both forms count.
    keys = [skeleton_key(text, digit_policy="tr39") for text in (compatible, compatible.casefold())]
    # UTS #39 has m and rn in one class; the package keeps them apart. What separates words is no
    # difference to remember a team by.
    return {_SEPARATORS.sub("", key).replace("rn", "m").replace("vv", "w") for key in keys}


def _by_skeleton(teams: list[Team]) -> dict[str, list[str]]:
    """The folders of teams by the keys of their names, in order."""
    by_skeleton: dict[str, list[str]] = defaultdict(list)
    for team in sorted(teams, key=lambda team: team.folder):
        for key in skeletons(team.name) | skeletons(team.folder):
            by_skeleton[key].append(team.folder)
    return by_skeleton


def _problems_of(team: Team) -> Iterator[NameProblem]:
    name = team.name
    if any(map(_is_invisible, name)) or name != name.strip() or "  " in name:
        text = f"its name has characters or spaces that do not show: {shown(name)}"
        yield NameProblem(team.folder, "hidden", text)
    writing = scripts_of(name)
    if len(writing) > 1 and not any(writing <= allowed for allowed in _TOGETHER):
        words = ", ".join(sorted(writing)).lower()
        yield NameProblem(team.folder, "mixed", f"its name {shown(name)} mixes scripts: {words}")


def _is_invisible(character: str) -> bool:
    category = unicodedata.category(character)
    selector = "VARIATION SELECTOR" in unicodedata.name(character, "")
    spaces = category[0] == "Z" and character != " "
    return category[0] == "C" or spaces or selector or character in _BLANK


def scripts_of(name: str) -> set[str]:
    """The scripts of a name's letters, in Unicode's words."""
    from disarm import detect_scripts

    letters = "".join(c for c in name if unicodedata.category(c)[0] == "L")
    found = {str(getattr(script, "name", script)).upper() for script in detect_scripts(letters)}
    return found - {"COMMON", "INHERITED", "UNKNOWN"}
