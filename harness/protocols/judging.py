"""Right and wrong by the rules of the published scorer."""

from __future__ import annotations

from typing import NamedTuple

from harness.protocols.source import SourceTurn
from harness.replies.published_rules import official_number, official_spans, reference_spans

FIGURES = ("R@1", "R@1,IoU>=0.3", "R@1,IoU>=0.5", "R@1,IoU>=0.7")
THRESHOLDS = (0.3, 0.5, 0.7)
NO_REFERENCE = "a reference answer has no span in the form Xs-Ys: the published scorer stops"
NO_LENGTH = "gold and prediction are one point in time: the published scorer divides by zero"


class Verdict(NamedTuple):
    """One judged answer: right by figure of its task, or why the published scorer stops at it."""

    right: tuple[bool, ...]
    stops: str | None = None


WRONG = {"video": Verdict((False,)), "moment": Verdict((False,) * len(THRESHOLDS))}


def figures_of(task: str) -> tuple[str, ...]:
    """The names of the figures that a turn of this task counts for."""
    return FIGURES[:1] if task == "video" else FIGURES[1:]


def judge(output: str, turn: SourceTurn) -> Verdict:
    """Judge an output against the reference answer of its turn (OFFICIAL.md, 2.4 to 2.6)."""
    if turn.task == "video":
        return Verdict((official_number(output) == official_number(turn.answer),))
    gold = reference_spans(turn.answer)
    if len(gold) < 2:
        return Verdict((False,) * len(THRESHOLDS), NO_REFERENCE)
    return judge_span(official_spans(output), (gold[0], gold[1]))


def judge_span(predicted: tuple[float, float], gold: tuple[float, float]) -> Verdict:
    """Judge a span, in seconds, by the published scorer's IoU."""
    iou = official_iou(predicted, gold)
    if iou is None:
        return Verdict((False,) * len(THRESHOLDS), NO_LENGTH)
    return Verdict(tuple(iou >= threshold for threshold in THRESHOLDS))


def official_iou(predicted: tuple[float, float], gold: tuple[float, float]) -> float | None:
    """The published scorer's IoU of two spans in seconds, in double precision (OFFICIAL.md, 2.6).

    None where it divides by zero. It may miss a threshold by a rounding error (defect D10); the
    exact IoU is in `harness.temporal`.
    """
    union = max(predicted[1], gold[1]) - min(predicted[0], gold[0])
    if union == 0:
        return None
    return max(min(predicted[1], gold[1]) - max(predicted[0], gold[0]), 0) / union
