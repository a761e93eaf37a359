"""CSV, one row a turn: dialogue_id, turn, and of videos, moments, choice, response what there is.

The columns stand in any order under a heading. `dialogue_id` and `turn` name the turn; the others
answer it. The entries of a list are divided by `|`, best first, and a moment is written
`VIDEO START END`, in seconds. An empty cell is no answer. Lists as JSON, Python and numpy write
them are read too, and names that blanks, commas or semicolons divide.
"""

from __future__ import annotations

import ast
import json
import math
import re
from pathlib import Path
from typing import Any

from harness.benchmark import Benchmark, Split
from harness.errors import SubmissionError
from harness.files import shown
from harness.formats.conversion import (
    Conversion,
    DropCounts,
    DropLog,
    Format,
    KnownNames,
    complete,
    keep_known,
    turn_number,
)
from harness.formats.tables import Row, rows
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
from harness.submission import ANSWERED_BY, MOMENT_KEYS
from harness.validation.rules.moments import MUCH

LATEST = 10**9  # seconds
_QUOTED = re.compile(r'"([^"]*)"|\'([^\']*)\'')
_DECIMAL_COMMA = re.compile(r"-?[0-9]+,[0-9]+")


def convert(file: Path, benchmark: Benchmark, split: str) -> Conversion[DropCounts]:
    """The table in `file` as answers to a split.

    Raises EnvironmentFailure if it cannot be read, SubmissionError if it is no such table.
    """
    public, log = benchmark.split(split), DropLog(benchmark, split)
    tasks = {turn.key: turn.task for turn in public.turns}
    reader = _Reader(public, benchmark.videos, log)
    answers: dict[TurnKey, Prediction] = {}
    for place, row in rows(file, log):
        key = TurnKey(row["dialogue_id"].strip(), turn_number(row["turn"], place))
        if key not in tasks:
            log.drop_turn("rows of turns that the split does not have, dropped", key)
        elif key in answers:
            log.counts[
                "rows of a turn answered before (one row a turn, its list in one cell), dropped"
            ] += 1
        elif any(row.get(column) for column in ANSWERED_BY[tasks[key]]):
            answers[key] = reader.prediction(key, row, place)
        else:
            log.counts["rows without what their turn needs, dropped"] += 1
    return complete(public, answers, log)


FORMAT = Format(convert)


class _Reader:
    """Reads the cells of a row; `log` counts what is dropped."""

    def __init__(self, public: Split, videos: dict[str, Video], log: DropLog) -> None:
        self._log = log
        self._corpus = KnownNames(public.corpus)
        self._candidates = public.candidates
        self._videos = videos

    def prediction(self, key: TurnKey, row: Row, place: str) -> Prediction:
        """The answer in one row."""
        candidates = KnownNames(self._candidates.get(key, ()))
        return Prediction(
            *key,
            videos=self._names(row.get("videos", ""), self._corpus, RANK_LIMIT, "videos"),
            moments=self._moments(row.get("moments", ""), place),
            choice=self._names(row.get("choice", ""), candidates, CANDIDATES, "choices"),
            response=row.get("response") or None,
        )

    def _names(self, cell: str, known: KnownNames, most: int, what: str) -> tuple[str, ...] | None:
        names = [name.strip() for name in names_in(cell.strip(), known) if name.strip()]
        return keep_known(names, known, most, self._log, what) if names else None

    def _moments(self, cell: str, place: str) -> tuple[Moment, ...] | None:
        entries = moments_in(cell.strip())
        if not entries:
            return None
        found: dict[Moment, None] = {}
        for entry in entries:
            moment = self._moment(entry, place)
            if moment is not None and len(found) < MOMENT_LIMIT:
                found.setdefault(moment)
            elif moment is not None:
                self._log.counts[f"moments past the first {MOMENT_LIMIT}, dropped"] += 1
        return tuple(found)

    def _moment(self, entry: list[Any], place: str) -> Moment | None:
        try:
            video_id, start, end = entry
            start, end = milliseconds(self._seconds(start)), milliseconds(self._seconds(end))
        except (ValueError, TypeError) as error:
            raise SubmissionError(
                f"{place}: expected a moment as VIDEO START END, found "
                f"{shown(' '.join(map(str, entry)))}; seconds, and | between moments"
            ) from error
        if video_id not in self._corpus.names:
            self._log.drop_name("moments in videos", str(video_id), self._corpus)
            return None
        video = self._videos.get(video_id)
        duration = LATEST * 1000 if video is None or video.duration is None else video.duration
        if not 0 <= start < end or start >= duration or end > duration + 1000:
            what = "moments that are not within their video"
            if 0 <= start < end and MUCH * duration < end <= duration * 1000:
                what += " (as milliseconds they would be: divide times by 1000)"
            self._log.counts[f"{what}, dropped"] += 1
            return None
        return Moment(video_id, start, min(end, duration))

    def _seconds(self, time: Any) -> float:
        text = str(time)
        if _DECIMAL_COMMA.fullmatch(text):
            self._log.counts["times with a decimal comma, read as with a point"] += 1
            text = text.replace(",", ".")
        value = float(text)
        if not math.isfinite(value) or abs(value) > LATEST:
            raise ValueError(text)
        return value


def names_in(cell: str, known: KnownNames) -> list[str]:
    """The names in a cell, however their list is written."""
    if "|" in cell:
        return cell.split("|")
    if cell.startswith("[") and cell.endswith("]"):
        listed = _from_json(cell)
        if isinstance(listed, list) and all(isinstance(name, str) for name in listed):
            return listed
        quoted = [one or other for one, other in _QUOTED.findall(cell)]
        return quoted or re.split(r"[,\s]+", cell[1:-1])
    if cell in known.names:
        return [cell]
    parts = re.split(r"[,;]" if re.search(r"[,;]", cell) else r"\s+", cell)
    if not any(part.strip() in known.names for part in parts) and known.near.nearest(cell):
        return [cell]
    return parts


def moments_in(cell: str) -> list[list[Any]]:
    """Video, start and end of each moment in a cell; lists of other lengths are no moment."""
    if cell.startswith("[") and cell.endswith("]"):
        listed = _from_json(cell) or _from_python(cell)
        if isinstance(listed, list | tuple):
            return [_parts(entry) for entry in listed]
    entries = (entry.strip() for entry in cell.split("|"))
    return [list(entry.rsplit(maxsplit=2)) for entry in entries if entry]


def _parts(entry: Any) -> list[Any]:
    if isinstance(entry, dict) and entry.keys() == set(MOMENT_KEYS):
        return [entry[key] for key in MOMENT_KEYS]
    return list(entry) if isinstance(entry, list | tuple) else [entry]


def _from_json(cell: str) -> Any:
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return None


def _from_python(cell: str) -> Any:
    try:
        return ast.literal_eval(cell)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
