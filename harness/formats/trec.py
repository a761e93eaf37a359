"""TREC run files: `DIALOGUE/TURN Q0 video rank score tag`, a line for every ranked video.

As in trec_eval the ranking is by falling score; where scores tie the
rank column decides, then falling name. A run holds rankings alone: moment and chat turns become
abstentions. Video ids hold no spaces here; a run cannot name one that does.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from harness.benchmark import Benchmark
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
    text_lines,
    turn_number,
)
from harness.records import RANK_LIMIT, Prediction, TurnKey

COLUMNS = 6
TIED = "topics with tied scores, where the rank column decided"
MIXED = "topics whose ranks and scores disagree, ordered by score"


class RankedVideo(NamedTuple):
    """A line of a run. `rank` is NaN where the column holds no number."""

    video: str
    rank: float
    score: float


Order = Callable[[Path, Mapping[TurnKey, list[RankedVideo]], DropLog], None]


def convert(file: Path, benchmark: Benchmark, split: str) -> Conversion[DropCounts]:
    """The run in `file`, ordered by score, as answers to the video turns of a split.

    Raises EnvironmentFailure if it cannot be read, SubmissionError if it is no run file or the
    ranks of every topic say the opposite of its scores.
    """
    return _convert(file, benchmark, split, _order_by_score)


def convert_by_rank(file: Path, benchmark: Benchmark, split: str) -> Conversion[DropCounts]:
    """The same, ordered by the rank column.

    Raises EnvironmentFailure if it cannot be read, SubmissionError if it is no run file or a rank
    is no number.
    """
    return _convert(file, benchmark, split, _order_by_rank)


FORMAT = Format(convert, by_rank=convert_by_rank)


def _convert(file: Path, benchmark: Benchmark, split: str, order: Order) -> Conversion[DropCounts]:
    public, log = benchmark.split(split), DropLog(benchmark, split)
    tasks = {turn.key: turn.task for turn in public.turns}
    corpus = KnownNames(public.corpus)
    rankings: defaultdict[TurnKey, list[RankedVideo]] = defaultdict(list)
    for number, line in enumerate(text_lines(file), start=1):
        if not line.strip():
            continue
        key, ranked = _row(line, f"{file}:{number}")
        if tasks.get(key) == "video":
            rankings[key].append(ranked)
        else:
            log.drop_turn("lines of topics that are no video turn of the split, dropped", key)
    order(file, rankings, log)
    answers = {}
    for key, ranking in rankings.items():
        names = [ranked.video for ranked in ranking]
        answers[key] = Prediction(*key, videos=keep_known(names, corpus, RANK_LIMIT, log, "videos"))
    return complete(public, answers, log)


def _order_by_score(
    file: Path, rankings: Mapping[TurnKey, list[RankedVideo]], log: DropLog
) -> None:
    """Order each ranking by falling score, then rank, then falling name."""
    along = against = 0
    for ranking in rankings.values():
        agree, disagree = _agreements(ranking)
        along += agree > 0
        against += disagree > 0 and not agree
        if len({ranked.score for ranked in ranking}) < len(ranking):
            log.counts[TIED] += 1
        if disagree:
            log.counts[MIXED] += 1
        ranking.sort(key=lambda ranked: ranked.video, reverse=True)
        ranking.sort(key=lambda ranked: (-ranked.score, _number(ranked.rank)))
    if against and not along:
        raise SubmissionError(
            f"{file}: expected scores that fall as ranks grow, found that they rise in all "
            f"{against:,} topics with different scores, as distances do; negate the scores, or "
            "order by the rank column with `--order rank`"
        )


def _order_by_rank(file: Path, rankings: Mapping[TurnKey, list[RankedVideo]], _: DropLog) -> None:
    for key, ranking in rankings.items():
        if any(math.isnan(ranked.rank) for ranked in ranking):
            raise SubmissionError(
                f"{file}: topic {shown('/'.join(map(str, key)))}: expected numbers in the rank "
                "column, found another; leave `--order rank` out to order by score"
            )
        ranking.sort(key=lambda ranked: ranked.video, reverse=True)
        ranking.sort(key=lambda ranked: (ranked.rank, -ranked.score))


def _agreements(ranking: Iterable[RankedVideo]) -> tuple[int, int]:
    """Neighbours by rank whose scores fall, and those whose scores rise."""
    ranked = sorted((each for each in ranking if not math.isnan(each.rank)), key=lambda r: r.rank)
    pairs = [(one, other) for one, other in pairwise(ranked) if one.rank < other.rank]
    fall = sum(one.score > other.score for one, other in pairs)
    return fall, sum(one.score < other.score for one, other in pairs)


def _number(rank: float) -> float:
    return math.inf if math.isnan(rank) else rank


def _row(line: str, place: str) -> tuple[TurnKey, RankedVideo]:
    columns = line.split()
    if len(columns) != COLUMNS:
        raise SubmissionError(
            f"{place}: expected {COLUMNS} columns (topic Q0 video rank score tag), "
            f"found {len(columns)}"
        )
    topic, _, video, rank, score, _ = columns
    dialogue_id, _, turn = topic.rpartition("/")
    if not dialogue_id:
        raise SubmissionError(
            f"{place}: expected the topic as DIALOGUE/TURN (the dialogue's id, a slash, the turn's "
            f"number), found {shown(topic)}"
        )
    number = turn_number(turn, place, "the topic as DIALOGUE/TURN")
    value = _float(score)
    if math.isnan(value):
        raise SubmissionError(f"{place}: expected a number as score, found {shown(score)}")
    return TurnKey(dialogue_id, number), RankedVideo(video, _float(rank), value)


def _float(text: str) -> float:
    """The number, NaN if it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
