"""The dialogue browser: every dialogue with its gold and what the leading systems answered."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaderboard.outcomes import Turns
from leaderboard.pages import ENDINGS, Pages, policy
from leaderboard.records import Entry
from leaderboard.table import Table
from leaderboard.wording import LANGUAGES

FOLDER = "dialogues"
PAGE = 25  # dialogues
MOST = 6  # systems
HARDEST = 10  # dialogues that a system's page names
LARGEST_STRIP = 60_000  # bytes

Seconds = tuple[float, float]


class Said(NamedTuple):
    """What one system put first in a turn, and whether that is right; None: nothing of the kind.

    `rank`: of the gold video in the system's list, from 1.
    """

    right: bool
    video: str | None
    moment: tuple[str, Seconds] | None
    rank: int | None


class Told(NamedTuple):
    """One turn with its gold; `duration` of the gold video in seconds; `said`: one a system."""

    turn: int
    task: str
    language: str
    utterance: str
    answer: str
    video: str | None
    moment: Seconds | None
    duration: float | None
    said: tuple[Said, ...]


class Dialogue(NamedTuple):
    """A dialogue from its first turn to its last."""

    name: str
    type: int
    turns: tuple[Told, ...]


class Source(NamedTuple):
    """Where the browser's content comes from.

    `dialogue`: (turns,) the number of each turn's dialogue, from 0 in the order of the split;
    `names`: by that number; `tell`: all dialogues with what these systems answered; `strip`: a JPEG of
    some frames of a video, None where there are no pixels.
    """

    dialogue: NDArray[np.int64]
    names: tuple[str, ...]
    tell: Callable[[Sequence[Entry]], Iterable[Dialogue]]
    strip: Callable[[str], bytes | None]


class Hard(NamedTuple):
    """A dialogue that a system mostly failed: its number, name, share right and retrieval turns."""

    place: int
    name: str
    right: float
    turns: int


def chosen(tables: Sequence[Table]) -> tuple[Entry, ...]:
    """The systems shown: first those that lead a table, then the next of each, at most MOST."""
    ranked = [[row.entry for row in table.rows if row.rank is not None] for table in tables]
    depth = max(map(len, ranked), default=0)
    order = [entries[n] for n in range(depth) for entries in ranked if n < len(entries)]
    whole = {entry.key: entry for entry in order if "partial:" not in entry.scores.signature}
    return tuple(whole.values())[:MOST]


def made_of(entries: Sequence[Entry]) -> str:
    """SHA-256 over what the pages rest on besides the ledger's context."""
    rows = [(entry.key, entry.card.system, entry.stamp) for entry in entries]
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def files(
    pages: Pages, source: Source, entries: Sequence[Entry]
) -> Iterator[tuple[str, bytes]]:
    """Every file of the browser: its path in the site, and its bytes."""
    told = list(source.tell(entries))
    wanted = {turn.video for dialogue in told for turn in dialogue.turns if turn.video}
    strips = {}
    for video in sorted(wanted):
        data = source.strip(video)
        if data is not None and len(data) <= LARGEST_STRIP:
            strips[video] = strip_name(video)
            yield f"{FOLDER}/{strips[video]}", data
    parts = [told[start : start + PAGE] for start in range(0, len(told), PAGE)]
    for number, part in enumerate(parts, start=1):
        path = f"{FOLDER}/{number}"
        for language in LANGUAGES:
            yield path + ENDINGS[language], pages.render(
                "dialogues.html",
                path,
                language,
                policy=policy(images=True),
                number=number,
                last=len(parts),
                first=PAGE * (number - 1) + 1,
                dialogues=part,
                entries=entries,
                strips=strips,
            )


def strip_name(video: str) -> str:
    """The file name of a video's frame strip: nothing of the id stands in it."""
    return f"{hashlib.sha256(video.encode()).hexdigest()[:16]}.jpg"


def page_of(place: int) -> str:
    """The page of dialogue number `place`, from 0, without its ending; its anchor is d1, d2, ..."""
    return f"{FOLDER}/{place // PAGE + 1}"


def hardest(found: Turns | None, source: Source) -> list[Hard]:
    """The dialogues with the smallest share right, longer ones first; of `turns_right`."""
    if found is None or len(found.values) != len(source.dialogue):
        return []
    asked = np.bincount(source.dialogue, weights=found.weights > 0)
    right = np.bincount(source.dialogue, weights=found.values)
    order = sorted(np.flatnonzero(asked).tolist(), key=lambda n: (right[n], -asked[n], n))
    return [
        Hard(n, source.names[n], float(right[n]), int(asked[n])) for n in order[:HARDEST]
    ]
