"""CSV with one row a turn, columns in any order under a heading.

`dialogue_id` and `turn` name the turn; `videos`, `moments`, `choice` and `response` answer it, as
far as they are there. The entries of a list are divided by `|`, best first, and a moment is written
`VIDEO START END`, in seconds. An empty cell is no answer.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from harness.benchmark import Benchmark, Split
from harness.errors import SubmissionError
from harness.files import shown
from harness.formats.conversion import (
    Conversion,
    DropCounts,
    Format,
    complete,
    keep_known,
    text_lines,
)
from harness.records import (
    CANDIDATES,
    MOMENT_LIMIT,
    RANK_LIMIT,
    Moment,
    Prediction,
    TurnKey,
    Video,
    milliseconds,
)
from harness.submission import ANSWERED_BY, PARTS, PREDICTION_KEYS

NAMING = PREDICTION_KEYS[:2]
LATEST = 10**9  # seconds
Row = dict[str, str]


def convert(file: Path, benchmark: Benchmark, split: str) -> Conversion[DropCounts]:
    """The table in `file` as answers to a split.

    Raises EnvironmentFailure if it cannot be read, SubmissionError if it is no such table.
    """
    public = benchmark.split(split)
    tasks = {turn.key: turn.task for turn in public.turns}
    reader = _Reader(public, benchmark.videos)
    answers: dict[TurnKey, Prediction] = {}
    for place, row in _rows(file, reader.report):
        key = _key(row, place)
        if key not in tasks:
            reader.report["rows of turns that the split does not have, dropped"] += 1
        elif key in answers:
            reader.report["rows of a turn answered before, dropped"] += 1
        elif any(row.get(column) for column in ANSWERED_BY[tasks[key]]):
            answers[key] = reader.prediction(key, row, place)
        else:
            reader.report["rows without what their turn needs, dropped"] += 1
    return complete(public, answers, reader.report)


FORMAT = Format(convert)


class _Reader:
    """Reads the cells of a row; `report` counts what is dropped."""

    def __init__(self, public: Split, videos: dict[str, Video]) -> None:
        self.report: Counter[str] = Counter()
        self._corpus = frozenset(public.corpus)
        self._candidates = public.candidates
        self._videos = videos

    def prediction(self, key: TurnKey, row: Row, place: str) -> Prediction:
        """The answer in one row."""
        candidates = frozenset(self._candidates.get(key, ()))
        videos, choice = _entries(row, "videos"), _entries(row, "choice")
        return Prediction(
            *key,
            videos=keep_known(videos, self._corpus, RANK_LIMIT, self.report, "videos")
            if videos
            else None,
            moments=self._moments(_entries(row, "moments"), place),
            choice=keep_known(choice, candidates, CANDIDATES, self.report, "choices")
            if choice
            else None,
            response=row.get("response") or None,
        )

    def _moments(self, entries: list[str], place: str) -> tuple[Moment, ...] | None:
        if not entries:
            return None
        found: dict[Moment, None] = {}
        for entry in entries:
            moment = self._moment(entry, place)
            if moment is not None and len(found) < MOMENT_LIMIT:
                found.setdefault(moment)
            elif moment is not None:
                self.report[f"moments past the first {MOMENT_LIMIT}, dropped"] += 1
        return tuple(found)

    def _moment(self, entry: str, place: str) -> Moment | None:
        video_id, *times = entry.rsplit(maxsplit=2)
        try:
            start, end = (milliseconds(_seconds(time)) for time in times)
        except ValueError as error:
            raise SubmissionError(
                f"{place}: expected a moment as VIDEO START END, found {shown(entry)}"
            ) from error
        if video_id not in self._corpus:
            self.report["moments in videos that are not known, dropped"] += 1
            return None
        video = self._videos.get(video_id)
        duration = LATEST * 1000 if video is None or video.duration is None else video.duration
        if not 0 <= start < end or start >= duration or end > duration + 1000:
            self.report["moments that are not within their video, dropped"] += 1
            return None
        return Moment(video_id, start, min(end, duration))


def _seconds(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or abs(value) > LATEST:
        raise ValueError(text)
    return value


def _rows(path: Path, report: Counter[str]) -> Iterator[tuple[str, Row]]:
    """Place and cells by column of every row."""
    table = csv.reader(text_lines(path), strict=True)
    try:
        heading = [name.strip() for name in next(table, [])]
        _check_heading(heading, path, report)
        for cells in table:
            if cells:
                place = f"{path}:{table.line_num}"
                if len(cells) != len(heading):
                    raise SubmissionError(
                        f"{place}: expected {len(heading)} cells as in the heading, "
                        f"found {len(cells)}"
                    )
                yield place, dict(zip(heading, cells, strict=True))
    except csv.Error as error:
        raise SubmissionError(f"{path}:{table.line_num}: not CSV: {error}") from error


def _check_heading(heading: list[str], path: Path, report: Counter[str]) -> None:
    for name in NAMING:
        if name not in heading:
            raise SubmissionError(f"{path}:1: expected a column {name}; name it in the first line")
    for name in heading:
        if heading.count(name) > 1:
            raise SubmissionError(f"{path}:1: column {shown(name)} occurs twice; keep one")
        if name not in NAMING + PARTS:
            report[f"column {shown(name)}, dropped"] += 1


def _key(row: Row, place: str) -> TurnKey:
    turn = row["turn"].strip()
    if not (turn.isascii() and turn.isdigit() and len(turn) < 10):
        raise SubmissionError(f"{place}: expected a turn number, found {shown(turn)}")
    return TurnKey(row["dialogue_id"], int(turn))


def _entries(row: Row, column: str) -> list[str]:
    return [entry.strip() for entry in row.get(column, "").split("|") if entry.strip()]
