"""The dialogue browser: every dialogue with its gold and what the leading systems answered."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.errors import SubmissionError
from harness.publication.escaping import visible
from harness.statistics import Design
from leaderboard.board.outcomes import Turns, at_risk, turns
from leaderboard.board.records import Described, Entry, Said, Seconds
from leaderboard.site.pages import DIALOGUES, DIALOGUES_A_PAGE, ENDINGS, Pages, policy
from leaderboard.site.wording import LANGUAGES
from leaderboard.tables.heatmap import Heat, heat
from leaderboard.tables.table import Table

MOST = 6  # systems
HARDEST = 10  # dialogues that a system's page names
SHORT = 24  # characters of a system's name beside each answer; the head of a page has all of it
LARGEST_STRIP = 60_000  # bytes


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
    `type`, `turn`: (turns,) the dialogue's type code, and the number of the turn in it; `design`:
    what varies together in the split; `names`: by number of the dialogue; `tell`: all dialogues
    with what these systems answered; `strip`: a JPEG of some frames of a video, None where there
    are no pixels.
    """

    dialogue: NDArray[np.int64]
    type: NDArray[np.int64]
    turn: NDArray[np.int64]
    design: Callable[[], Design]
    names: tuple[str, ...]
    tell: Callable[[Sequence[Entry]], Iterable[Dialogue]]
    strip: Callable[[str], bytes | None]


class Hard(NamedTuple):
    """A dialogue that a system mostly failed: its number, name, share right and retrieval turns."""

    place: int
    name: str
    right: float
    turns: int


class Browser(NamedTuple):
    """What the site needs to write the browser, or to keep the one of the last build.

    `source` is asked for only where something is written; `kept`: the files of the last build, if
    nothing changed that they rest on; `folder_of`: where an entry's outcomes lie.
    """

    source: Callable[[], Source]
    entries: tuple[Entry, ...]
    kept: tuple[str, ...]
    folder_of: Callable[[Entry], Path]

    @property
    def made_of(self) -> str:
        """SHA-256 over what the pages rest on besides the ledger's context."""
        rows = [(entry.key, entry.card.system, entry.stamp) for entry in self.entries]
        return hashlib.sha256(repr(rows).encode()).hexdigest()

    def hardest(self, entry: Entry) -> list[Hard]:
        """The dialogues that an entry failed most; none where its outcomes do not say."""
        found = self._turns(entry, "turns_right")
        return [] if found is None else hardest(found, self.source())

    def overlaps(self, entry: Entry) -> list[int]:
        """How many moment turns have an IoU of 0, then in each tenth above.

        Empty without outcomes, and where no span meets its gold.
        """
        found = self._turns(entry, "mIoU")
        return spread(found) if found is not None and found.values.any() else []

    def heats(self, entry: Entry, metrics: Sequence[Described]) -> list[Heat]:
        """Each of `metrics` by type and turn number; none where its outcomes do not say."""
        found = [(metric, self._turns(entry, metric.name)) for metric in metrics]
        return [
            heat(turns, source.type, source.turn, source.design(), metric)
            for metric, turns in found
            if turns is not None and len(turns.values) == len((source := self.source()).turn)
        ]

    def at_risk(self, entry: Entry) -> list[int]:
        """Dialogues at risk at each retrieval turn, from 1; empty without outcomes."""
        cell = entry.cell("S@1")
        if cell is None or cell.value is None:
            return []
        try:
            return at_risk(self.folder_of(entry), entry.scores) or []
        except SubmissionError:
            return []

    def _turns(self, entry: Entry, metric: str) -> Turns | None:
        try:
            return turns(self.folder_of(entry), entry.scores, metric)
        except SubmissionError:
            return None


def chosen(tables: Sequence[Table]) -> tuple[Entry, ...]:
    """The systems shown: first those that lead a table, then the next of each, at most MOST."""
    ranked = [[row.entry for row in table.rows if row.rank is not None] for table in tables]
    depth = max(map(len, ranked), default=0)
    order = [entries[n] for n in range(depth) for entries in ranked if n < len(entries)]
    whole = {entry.key: entry for entry in order if "partial:" not in entry.scores.signature}
    return tuple(whole.values())[:MOST]


def files(pages: Pages, source: Source, entries: Sequence[Entry]) -> Iterator[tuple[str, bytes]]:
    """Every file of the browser: its path in the site, and its bytes."""
    told = list(source.tell(entries))
    wanted = {turn.video for dialogue in told for turn in dialogue.turns if turn.video}
    strips = {}
    for video in sorted(wanted):
        data = source.strip(video)
        if data is not None and len(data) <= LARGEST_STRIP:
            strips[video] = strip_name(video)
            yield f"{DIALOGUES}/{strips[video]}", data
    parts = [
        told[start : start + DIALOGUES_A_PAGE] for start in range(0, len(told), DIALOGUES_A_PAGE)
    ]
    for number, part in enumerate(parts, start=1):
        path = f"{DIALOGUES}/{number}"
        for language in LANGUAGES:
            yield (
                path + ENDINGS[language],
                pages.render(
                    "dialogues.html",
                    path,
                    language,
                    policy=policy(images=True),
                    number=number,
                    last=len(parts),
                    first=DIALOGUES_A_PAGE * (number - 1) + 1,
                    dialogues=part,
                    entries=entries,
                    names=[visible(entry.card.system, SHORT) for entry in entries],
                    strips=strips,
                ),
            )


def strip_name(video: str) -> str:
    """The file name of a video's frame strip: nothing of the id stands in it."""
    return f"{hashlib.sha256(video.encode()).hexdigest()[:16]}.jpg"


def spread(found: Turns) -> list[int]:
    """Turns by IoU: exactly 0, then (0, 0.1], ..., (0.9, 1]; eleven numbers."""
    counted = found.weights > 0
    # Rounded: 0.3 written as 3/10 is not to fall into the next tenth.
    tenths = np.ceil(np.round(10 * found.values[counted] / found.weights[counted], 9))
    counts = np.bincount(np.clip(tenths, 0, 10).astype(int), minlength=11)
    return [int(count) for count in counts]


def hardest(found: Turns, source: Source) -> list[Hard]:
    """The dialogues with the smallest share right, longer ones first; of `turns_right`."""
    if len(found.values) != len(source.dialogue):
        return []
    asked = np.bincount(source.dialogue, weights=found.weights > 0)
    right = np.bincount(source.dialogue, weights=found.values)
    order = sorted(np.flatnonzero(asked).tolist(), key=lambda n: (right[n], -asked[n], n))
    return [Hard(n, source.names[n], float(right[n]), int(asked[n])) for n in order[:HARDEST]]
