"""Official result files as submissions: read by the sound reader, joined by item.

A video turn gets the candidate that the reply names as its `choice`, a moment turn the span in the
gold video, which the official setting gives. A reply that cannot be read, and a turn without an
item, become abstentions, counted by reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from harness.benchmark import Benchmark
from harness.formats.conversion import Conversion, Format
from harness.protocols.items import LONGEST, exclusion_reason, items
from harness.protocols.joining import EntryJoin, join
from harness.protocols.result_file import ResultEntry, read_result
from harness.protocols.source import SourceSplit, SourceTurn, read_source
from harness.records import Moment, Prediction, Turn, TurnKey
from harness.replies import candidate_number, response, span
from harness.sources.metadata import clean
from harness.submission import STARTER

LONGEST_RESPONSE = 4000  # characters of an output's words that are kept as the response
CHAT = "a chat turn, which is no item"
NOT_ASKED = {
    "D2": "in a dialogue of type 7, which becomes no item (D2)",
    "D3": "in a dialogue whose first stage failed, which becomes no item (D3)",
}
TOO_DEEP = f"past turn {LONGEST}, which becomes no item"
ODD = "in a dialogue that departs from the official format"
LEFT_OUT = "names a candidate that the import left out"
LATE = "span that starts past the video's end"


class ResultReport(Struct, frozen=True):
    """The report of a result file: entries, answered turns, and abstentions by reason.

    `aligned`: the questions stood at the places of their items; `strays`: entries whose question no
    item has; `spare`: entries beyond the items of their question; `cut`: spans that ended past
    their video and were cut to it.
    """

    entries: int
    items: int
    aligned: bool
    strays: int
    spare: int
    answered: int
    cut: int
    abstentions: dict[str, int]

    def lines(self) -> list[str]:
        """The report as text."""
        how = "in item order" if self.aligned else "not in item order: joined by question"
        lines = [
            f"{self.entries:,} entries for {self.items:,} items, {how}",
            f"{self.strays:,} entries have a question of no item, {self.spare:,} are spare",
            f"{self.answered:,} turns answered, {self.cut:,} spans cut to their video's end",
        ]
        return lines + [f"{count:>9,}  {why}" for why, count in self.abstentions.items()]


class ResultAnswer(NamedTuple):
    """The answer of one turn: its prediction, and why it is an abstention (None: it is not).

    `cut`: its span ended past the video and was cut to it.
    """

    prediction: Prediction
    why: str | None = None
    cut: bool = False


def convert(file: Path, benchmark: Benchmark, split: str = "test") -> Conversion[ResultReport]:
    """The predictions of an official result file (plain or gzip) for a split, and the report.

    Raises SubmissionError if it is no result file, EnvironmentFailure if the benchmark lacks its
    gold or the imported file: a moment's video is the gold one.
    """
    source = read_source(benchmark, split)
    entries = read_result(file).entries
    joined = join(tuple(items(source)), entries)
    return convert_entries(source, entries, joined, benchmark, split)


# The official setting shows gold history and the ten candidates.
FORMAT = Format(convert, replace(STARTER, history="reference", candidates="used"))


def convert_entries(
    source: SourceSplit,
    entries: Sequence[ResultEntry],
    joined: EntryJoin,
    benchmark: Benchmark,
    split: str,
) -> Conversion[ResultReport]:
    """The predictions of entries that are joined to the items of `source`, and the report."""
    answers = tuple(_answers(source, entries, joined, benchmark, split))
    abstentions = Counter(answer.why for answer in answers if answer.why is not None)
    report = ResultReport(
        entries=len(entries),
        items=len(joined.entries),
        aligned=joined.aligned,
        strays=joined.strays,
        spare=joined.spare,
        answered=len(answers) - abstentions.total(),
        cut=sum(answer.cut for answer in answers),
        abstentions=dict(sorted(abstentions.items(), key=lambda pair: (-pair[1], pair[0]))),
    )
    return Conversion(tuple(answer.prediction for answer in answers), report)


def _answers(
    source: SourceSplit,
    entries: Sequence[ResultEntry],
    joined: EntryJoin,
    benchmark: Benchmark,
    split: str,
) -> Iterator[ResultAnswer]:
    """The answer of each turn of the split, in its order."""
    public, gold = benchmark.split(split), benchmark.gold(split)
    durations = {name: video.duration for name, video in benchmark.videos.items()}
    by_turn = {
        TurnKey(item.dialogue.dialogue_id, item.turn): (item.source_turn, place, why)
        for item, place, why in zip(items(source), joined.entries, joined.why, strict=True)
    }
    why_no_item = _why_no_item(source)
    for turn, right in zip(public.turns, gold, strict=True):
        source_turn, place, why = by_turn.get(turn.key, (None, None, why_no_item(turn)))
        if source_turn is None or place is None:
            yield _abstention(turn, why)
        elif turn.task == "video":
            candidates = public.candidates.get(turn.key, ())
            yield _choice(turn, entries[place].output, source_turn, candidates)
        elif turn.task == "moment" and right.video_id is not None:
            duration = durations.get(right.video_id)
            yield _moment(turn, entries[place].output, right.video_id, duration)
        else:
            yield _abstention(turn, CHAT, entries[place].output)


def _why_no_item(source: SourceSplit) -> Callable[[Turn], str]:
    """Why a turn that is no item has no answer."""
    reasons = {
        dialogue.dialogue_id: NOT_ASKED.get(exclusion_reason(dialogue) or "", TOO_DEEP)
        for dialogue in source.dialogues
    }
    return lambda turn: CHAT if turn.task == "chat" else reasons.get(turn.dialogue_id, ODD)


def _abstention(turn: Turn, why: str | None, output: str = "") -> ResultAnswer:
    empty = Prediction(
        *turn.key,
        choice=() if turn.task == "video" else None,
        moments=() if turn.task == "moment" else None,
        response=_response(output),
    )
    return ResultAnswer(empty, why)


def _choice(turn: Turn, output: str, source: SourceTurn, known: Sequence[str]) -> ResultAnswer:
    """The candidate that a reply names; `source` has the candidates as the file numbers them."""
    read = candidate_number(output, len(source.candidates))
    if read.value is None:
        return _abstention(turn, read.why, output)
    name = source.candidates[read.value - 1]
    if name not in known:
        return _abstention(turn, LEFT_OUT, output)
    return ResultAnswer(Prediction(*turn.key, choice=(name,), response=_response(output)))


def _moment(turn: Turn, output: str, video_id: str, duration: int | None) -> ResultAnswer:
    """The span that a reply names, in the gold video."""
    read = span(output)
    if read.value is None:
        return _abstention(turn, read.why, output)
    start, end = read.value.start, read.value.end
    if duration is not None and start >= duration:
        return _abstention(turn, LATE, output)
    moment = Moment(video_id, start, end if duration is None else min(end, duration))
    prediction = Prediction(*turn.key, moments=(moment,), response=_response(output))
    return ResultAnswer(prediction, cut=moment.end < end)


def _response(output: str) -> str:
    return clean(response(output)[:LONGEST_RESPONSE])
