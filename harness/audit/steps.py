"""The steps from an official figure to a sound one: one defect is repaired at a time, in order.

Each step judges every turn; the change between two steps is the effect of the defect between them.
In another order, a turn that two defects change may count for the other one; the sum is the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from harness.audit.cases import DEPTH, Case
from harness.protocols.judging import THRESHOLDS, judge, judge_span
from harness.records import Span
from harness.replies import candidate_number, span
from harness.sources.official_dialogue import language_of
from harness.temporal import IOU_TENTHS, reaches

# The repair of each step; the order is the order of attribution.
REPAIRS = {
    "D1": "the first video item and the first moment item only create their counters",
    "D6": "answers are taken by their position in the file",
    "D5": "a question is looked up as it stands, with its candidate prefix",
    "D4": "an answer is looked up by the text of its question",
    "D13": "candidate numbers beside Chinese characters are not read, none equals none",
    "D9": "candidate numbers are read by one expression, none equals none",
    "D8": "spans are read by the official rules",
    "reference": "gold is read from the reference answer instead of taken from the data",
    "cut": "spans may end past their video (a submission's are cut to it)",
    "D10": "IoU thresholds are compared in double precision",
    "import": "turns that the import keeps as chat, or that have no candidates, are counted",
    "D3": "dialogues whose first stage failed are not asked, and counted as wrong",
    "D2": "dialogues of type 7 are not asked, and counted as wrong",
    DEPTH: "turns past the seventh are not asked, and counted as wrong",
}
_READING = ("D13", "D9", "D8", "reference", "cut", "D10", "import")
_UNASKED = ("D3", "D2", DEPTH)
OVERALL = ("D1", "D6", *_READING, *_UNASKED)
BY_TURN = ("D5", "D4", *_READING, *_UNASKED)
SOUND = -len(_UNASKED) - 1  # the step at which the figure is that of the converted submission

Right = tuple[bool, ...]


class StepJudgement(NamedTuple):
    """The judgement of a turn at one step: whether it counts, and right by figure of its task."""

    counted: bool
    right: Right


def overall(case: Case) -> list[StepJudgement]:
    """The states of a turn in the overall figures: official first, then after each of OVERALL."""
    counted = _judge(case, None if case.first_of_task else case.by_position)
    return _later_states(case, [counted, _judge(case, case.by_position)])


def by_turn(case: Case) -> list[StepJudgement]:
    """The states of a turn in the per-turn table: official first, then after each of BY_TURN."""
    return _later_states(case, [_judge(case, case.by_text), _judge(case, case.by_question)])


def _later_states(case: Case, before: list[Right]) -> list[StepJudgement]:
    rights = [*before, *_readings(case)]
    states = [StepJudgement(True, right) for right in rights]
    known = case.turn.task == case.source.task and (case.has_candidates or not _video(case))
    states.append(states[-1] if known else _not_counted(case))
    for reason in _UNASKED:
        states.append(_not_counted(case) if case.exclusion == reason else states[-1])
    return states


def _video(case: Case) -> bool:
    return case.source.task == "video"


def _wrong(case: Case) -> Right:
    return (False,) if _video(case) else (False,) * len(THRESHOLDS)


def _not_counted(case: Case) -> StepJudgement:
    return StepJudgement(False, _wrong(case))


def _judge(case: Case, output: str | None) -> Right:
    return _wrong(case) if output is None else judge(output, case.source).right


def _readings(case: Case) -> Iterator[Right]:
    """Right with the turn's own output: official, then after D13, D9, D8, reference, cut, D10."""
    official = _judge(case, case.own)
    yield official
    if case.own is None:
        yield from (official,) * 6
    elif _video(case):
        yield from _numbers(case, case.own, official)
    else:
        yield from _spans(case, case.own, official)


def _numbers(case: Case, output: str, official: Right) -> Iterator[Right]:
    names = case.source.candidates
    read = candidate_number(output, len(names)).value
    reference = candidate_number(case.source.answer, len(names)).value
    sound = (read is not None and read == reference,)
    chinese = language_of(output + case.source.answer) == "zh"
    yield sound if chinese else official  # D13
    yield from (sound, sound)  # D9, D8
    yield (read is not None and names[read - 1] == case.source.video_id,)  # reference
    chosen = (case.prediction.choice or (None,))[0]
    right = (chosen is not None and chosen == case.gold.video_id,)
    yield from (right, right)  # cut, D10


def _spans(case: Case, output: str, official: Right) -> Iterator[Right]:
    read, reference, gold = span(output).value, span(case.source.answer).value, case.gold.moment
    yield from (official, official)  # D13, D9
    yield _compared(case, read, reference)  # D8
    yield _compared(case, read, gold)  # reference
    moment = (case.prediction.moments or (None,))[0]
    kept = None if moment is None else Span(moment.start, moment.end)
    yield _compared(case, kept, gold)  # cut
    if moment is None or gold is None:
        yield _wrong(case)
    else:
        yield tuple(reaches(case.gold.video_id, gold, moment, n) for n in IOU_TENTHS)  # D10


def _compared(case: Case, read: Span | None, gold: Span | None) -> Right:
    """Right at each threshold, in double precision."""
    if read is None or gold is None:
        return _wrong(case)
    times = (read.start / 1000, read.end / 1000), (gold.start / 1000, gold.end / 1000)
    return judge_span(*times).right
