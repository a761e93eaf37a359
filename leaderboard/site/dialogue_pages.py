"""The dialogue browser: every dialogue with its gold and what the leading systems answered."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from harness.errors import SubmissionError
from harness.publication.escaping import visible
from leaderboard.board.outcomes import TurnValues, at_risk, turn_values
from leaderboard.board.records import Entry
from leaderboard.results.description import MetricInfo
from leaderboard.results.dialogue_source import BrowsedDialogue, DialogueSource
from leaderboard.site.dialogue_search.search_pages import search_pages
from leaderboard.site.pages import Pages, policy
from leaderboard.site.site_paths import DIALOGUES, DIALOGUES_A_PAGE, ENDINGS, page_of
from leaderboard.site.wording import LANGUAGES
from leaderboard.tables.heatmap import Heatmap, heatmap
from leaderboard.tables.ranked_table import Table

MOST = 6  # systems
HARDEST = 10  # dialogues that a system's page names
SHORT = 24  # characters of a system's name beside each answer; the head of a page has all of it
LARGEST_STRIP = 60_000  # bytes
STRIP = ".jpg"


class HardDialogue(NamedTuple):
    """A dialogue that a system mostly failed: its number, name, share right and retrieval turns."""

    place: int
    name: str
    right: float
    turns: int


class MarkedStrip(NamedTuple):
    """The frames of a video as a file name, and the gold moments to mark on them.

    `moments`: turn number, start and end in seconds; `duration`: of the video in seconds.
    """

    file: str
    moments: tuple[tuple[int, tuple[float, float]], ...]
    duration: float | None


class DialogueBrowser(NamedTuple):
    """What the site needs to write the browser, or to take over the one of the last build.

    `source` is called only where something is written; `folder_of`: where an entry's predictions
    lie; `outcomes_of`: where its outcomes do;
    `unchanged`: the files of the last build, if nothing changed that they depend on; `strips`: its
    frame strips, which depend on `videos` alone: what tells the videos' files from others.
    """

    source: Callable[[], DialogueSource]
    entries: tuple[Entry, ...]
    folder_of: Callable[[Entry], Path]
    outcomes_of: Callable[[Entry], Path]
    unchanged: tuple[str, ...] = ()
    strips: tuple[str, ...] = ()
    videos: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 over what the pages depend on besides the ledger's context."""
        rows = [(entry.identity, entry.card.system) for entry in self.entries]
        return hashlib.sha256(repr((rows, self.videos)).encode()).hexdigest()

    def hardest(self, entry: Entry) -> list[HardDialogue]:
        """The dialogues that an entry failed most; none without outcomes."""
        found = self._turns(entry, "turns_right")
        return [] if found is None else hardest(found, self.source())

    def overlaps(self, entry: Entry) -> list[int]:
        """How many moment turns have an IoU of 0, then in each tenth above.

        Empty without outcomes, and where no span meets its gold.
        """
        found = self._turns(entry, "mIoU")
        return iou_histogram(found) if found is not None and found.values.any() else []

    def heatmaps(self, entry: Entry, metrics: Sequence[MetricInfo]) -> list[Heatmap]:
        """Each of `metrics` by type and turn number; none without outcomes."""
        found = [(metric, self._turns(entry, metric.name)) for metric in metrics]
        return [
            heatmap(turns, source.type, source.turn, source.design(), metric)
            for metric, turns in found
            if turns is not None and len(turns.values) == len((source := self.source()).turn)
        ]

    def at_risk(self, entry: Entry) -> list[int]:
        """Dialogues at risk at each retrieval turn, from 1; empty without outcomes."""
        cell = entry.cell("S@1")
        if cell is None or cell.value is None:
            return []
        try:
            return at_risk(self.outcomes_of(entry), entry.scores) or []
        except SubmissionError:
            return []

    def _turns(self, entry: Entry, metric: str) -> TurnValues | None:
        try:
            return turn_values(self.outcomes_of(entry), entry.scores, metric)
        except SubmissionError:
            return None


def leading_entries(tables: Sequence[Table]) -> tuple[Entry, ...]:
    """The systems shown: the first of each table, then the second of each, at most MOST."""
    ranked = [[row.entry for row in table.rows if row.rank is not None] for table in tables]
    depth = max(map(len, ranked), default=0)
    order = [entries[n] for n in range(depth) for entries in ranked if n < len(entries)]
    return tuple({entry.key: entry for entry in order}.values())[:MOST]


def files(pages: Pages, browser: DialogueBrowser) -> Iterator[tuple[str, bytes]]:
    """Every file of the browser: its path in the site, and its bytes."""
    source = browser.source()
    dialogues = list(source.read([browser.folder_of(entry) for entry in browser.entries]))
    strips = {}
    for video in sorted({turn.video for each in dialogues for turn in each.turns if turn.video}):
        path = strip_path(video)
        data = None if path in browser.strips else source.strip(video)
        if path in browser.strips or (data is not None and len(data) <= LARGEST_STRIP):
            strips[video] = path.rpartition("/")[2]
        if video in strips and data is not None:
            yield path, data
    names = [visible(_short_name(entry), SHORT) for entry in browser.entries]
    shared = {
        "policy": policy(images=True),
        "last": -(-len(dialogues) // DIALOGUES_A_PAGE),
        "entries": browser.entries,
        "names": names,
    }
    for first in range(0, len(dialogues), DIALOGUES_A_PAGE):
        path = page_of(first)
        part = dialogues[first : first + DIALOGUES_A_PAGE]
        values = {
            "number": 1 + first // DIALOGUES_A_PAGE,
            "first": first + 1,
            "dialogues": [(dialogue, marked_strips(dialogue, strips)) for dialogue in part],
        }
        for language in LANGUAGES:
            data = pages.render("dialogues.html", path, language, **shared, **values)
            yield path + ENDINGS[language], data
    yield from search_pages(pages, dialogues, names, browser.entries)


def marked_strips(dialogue: BrowsedDialogue, strips: Mapping[str, str]) -> dict[int, MarkedStrip]:
    """By turn number the strip that stands there, with all moments up to the next one.

    A strip stands once, in the first of the turns that are about one video; `strips`: file names
    by video id.
    """
    shown: dict[int, MarkedStrip] = {}
    last, at = None, 0
    for turn in dialogue.turns:
        if turn.video is None or turn.video not in strips:
            last = last if turn.video is None else None
            continue
        if turn.video != last:
            last, at = turn.video, turn.turn
            shown[at] = MarkedStrip(strips[turn.video], (), turn.duration)
        if turn.moment is not None:
            moments = (*shown[at].moments, (turn.turn, turn.moment))
            shown[at] = shown[at]._replace(moments=moments)
    return shown


def _short_name(entry: Entry) -> str:
    return " ".join(filter(None, (entry.card.system, entry.card.variant)))


def strip_path(video: str) -> str:
    """The place of a video's frame strip in the site: nothing of the id stands in it."""
    return f"{DIALOGUES}/{hashlib.sha256(video.encode()).hexdigest()[:16]}{STRIP}"


def iou_histogram(found: TurnValues) -> list[int]:
    """Turns by IoU: exactly 0, then (0, 0.1], ..., (0.9, 1]; eleven numbers."""
    counted = found.weights > 0
    # Rounded: 0.3 written as 3/10 must not fall into the next tenth.
    tenths = np.ceil(np.round(10 * found.values[counted] / found.weights[counted], 9))
    counts = np.bincount(np.clip(tenths, 0, 10).astype(int), minlength=11)
    return [int(count) for count in counts]


def hardest(found: TurnValues, source: DialogueSource) -> list[HardDialogue]:
    """The dialogues with the smallest share right, longer ones first; of `turns_right`."""
    if len(found.values) != len(source.dialogue):
        return []
    turns = np.bincount(source.dialogue, weights=found.weights > 0)
    right = np.bincount(source.dialogue, weights=found.values)
    order = sorted(np.flatnonzero(turns).tolist(), key=lambda n: (right[n], -turns[n], n))
    return [
        HardDialogue(n, source.names[n], float(right[n]), int(turns[n])) for n in order[:HARDEST]
    ]
