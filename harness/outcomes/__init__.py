"""Outcomes: what a submission did on each gold turn, as columns, computed once."""

from harness.outcomes.columns import Outcomes, outcomes
from harness.outcomes.frame import NEW, NO_TARGET, REPEATED, Bools, Floats, Frame, Ints, frame

__all__ = [
    "NEW",
    "NO_TARGET",
    "REPEATED",
    "Bools",
    "Floats",
    "Frame",
    "Ints",
    "Outcomes",
    "frame",
    "outcomes",
]
