"""Outcomes: what a submission did on each gold turn, as columns, computed once."""

from harness.outcomes.columns import ABSENT, Outcomes, outcomes
from harness.outcomes.frame import NEW, NO_TARGET, REPEATED, Bools, Floats, Frame, Ints, frame
from harness.temporal import DEPTH, THRESHOLDS, overlap

__all__ = [
    "ABSENT",
    "DEPTH",
    "NEW",
    "NO_TARGET",
    "REPEATED",
    "THRESHOLDS",
    "Bools",
    "Floats",
    "Frame",
    "Ints",
    "Outcomes",
    "frame",
    "outcomes",
    "overlap",
]
