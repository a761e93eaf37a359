"""TREC run files: `topic Q0 video rank score tag`, a line for every ranked video.

The topic is DIALOGUE/TURN. As in trec_eval the ranking is by falling score, ties by falling name;
the rank column does not count. A run holds rankings alone: moment and chat turns become
abstentions. Video ids hold no spaces here; a run cannot name one that does.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from pathlib import Path

from harness.benchmark import Benchmark
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
from harness.records import RANK_LIMIT, Prediction, TurnKey

COLUMNS = 6


def convert(file: Path, benchmark: Benchmark, split: str) -> Conversion[DropCounts]:
    """The run in `file` as answers to the video turns of a split.

    Raises EnvironmentFailure if it cannot be read, SubmissionError if it is no run file.
    """
    public = benchmark.split(split)
    tasks = {turn.key: turn.task for turn in public.turns}
    corpus = frozenset(public.corpus)
    report: Counter[str] = Counter()
    rankings: defaultdict[TurnKey, list[tuple[float, str]]] = defaultdict(list)
    for number, line in enumerate(text_lines(file), start=1):
        if not line.strip():
            continue
        key, video, score = _row(line, f"{file}:{number}")
        if tasks.get(key) == "video":
            rankings[key].append((score, video))
        else:
            report["lines of topics that are no video turn of the split, dropped"] += 1
    answers = {}
    for key, rows in rankings.items():
        names = [name for _, name in sorted(rows, reverse=True)]
        answers[key] = Prediction(
            *key, videos=keep_known(names, corpus, RANK_LIMIT, report, "videos")
        )
    return complete(public, answers, report)


FORMAT = Format(convert)


def _row(line: str, place: str) -> tuple[TurnKey, str, float]:
    columns = line.split()
    if len(columns) != COLUMNS:
        raise SubmissionError(
            f"{place}: expected {COLUMNS} columns (topic Q0 video rank score tag), "
            f"found {len(columns)}"
        )
    topic, _, video, _, score, _ = columns
    dialogue_id, _, turn = topic.rpartition("/")
    if not (turn.isascii() and turn.isdigit() and len(turn) < 10):
        raise SubmissionError(f"{place}: expected the topic as DIALOGUE/TURN, found {shown(topic)}")
    return TurnKey(dialogue_id, int(turn)), video, _score(score, place)


def _score(text: str, place: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if math.isnan(score):
        raise SubmissionError(f"{place}: expected a number as score, found {shown(text)}")
    return score
