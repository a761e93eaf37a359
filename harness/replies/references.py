"""How many reference answers can be read, by language: how reliable official figures are."""

from __future__ import annotations

from collections import Counter
from typing import Any

from harness.records import Language, Task, milliseconds
from harness.replies.answers import candidate_number
from harness.replies.answers import span as sound_span
from harness.replies.published_rules import official_number, reference_spans

COUNTS = (
    "answers",
    "official_unread",
    "sound_unread",
    "official_differs",
    "sound_differs",
    "compared",
)


class ReferenceReadings:
    """Counts reference answers without a readable number (video turns) or span (moment turns).

    The published scorer takes its gold from the text of the reference answer; an answer that it
    cannot read makes the turn's figure an accident (or stops it, in moment turns).
    """

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str, str]] = Counter()

    def add(
        self,
        language: Language,
        task: Task,
        answer: str,
        position: int | None = None,
        span: tuple[float, float] | None = None,
    ) -> None:
        """Read the reference answer of one retrieval turn by both readers.

        `position`: the gold video's place among the candidates, from 1; `span`: the gold span in
        seconds. Where given, a reading is compared with it.
        """
        if task == "video":
            self._count(
                language, task, official_number(answer), candidate_number(answer).value, position
            )
        elif task == "moment":
            gold = None if span is None else _ordered(*span)
            read = sound_span(answer).value
            self._count(language, task, _official(answer), read and (read.start, read.end), gold)

    def _count(
        self, language: Language, task: Task, official: object, sound: object, gold: object
    ) -> None:
        found = {
            "answers": True,
            "official_unread": official is None,
            "sound_unread": sound is None,
            "compared": gold is not None,
            "official_differs": gold is not None and official is not None and official != gold,
            "sound_differs": gold is not None and sound is not None and sound != gold,
        }
        self.counts.update((language, task, name) for name, true in found.items() if true)

    def table(self) -> list[dict[str, Any]]:
        """One row for each language and task that occurs, sorted: the counts of COUNTS.

        `compared`: answers whose gold was given; the `differs` are readings other than it.
        """
        keys = sorted({key[:2] for key in self.counts})
        return [
            {"language": language, "task": task}
            | {name: self.counts[language, task, name] for name in COUNTS}
            for language, task in keys
        ]

    def lines(self) -> list[str]:
        """The table as sentences."""
        return [reading_line(row) for row in self.table()]


def reading_line(row: dict[str, Any]) -> str:
    """A row of the table as a sentence."""
    what = "candidate number" if row["task"] == "video" else "span"
    line = (
        f"{row['language']}, {row['task']} turns: {row['answers']:,} reference answers; no {what} "
        f"in {row['official_unread']:,} by the official rules, in {row['sound_unread']:,} by ours"
    )
    if row["compared"]:
        line += (
            f"; another than the data's in {row['official_differs']:,} and {row['sound_differs']:,}"
        )
    return line


def _official(answer: str) -> tuple[int, int] | None:
    found = reference_spans(answer)[:2]
    # An endless number of digits reads as infinity, which is no time.
    if len(found) < 2 or max(found) == float("inf"):
        return None
    start, end = map(milliseconds, found)
    return start, end


def _ordered(start: float, end: float) -> tuple[int, int]:
    low, high = sorted((milliseconds(start), milliseconds(end)))
    return low, high
