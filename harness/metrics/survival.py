"""Survival of dialogues without a failure: the Kaplan-Meier estimate over retrieval turns.

A dialogue is at risk at its t-th retrieval turn if no earlier one failed. It is censored after its
last one. Kaplan & Meier, JASA 53, 1958. A failure at the first turn is an event at
t = 1, so S@1 is the share of dialogues that get their first retrieval turn right.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.metrics.dialogues import right
from harness.metrics.metric import Column
from harness.metrics.retrieval import NO_VIDEOS
from harness.outcomes import Floats, Outcomes
from harness.outcomes.structure import count_earlier

LONGEST = 10


def survival(outcomes: Outcomes, last: int) -> Column:
    """Table (2 last, turns): by number of the retrieval turn, dialogues at risk; then, failures."""
    frame, failed = outcomes.frame, outcomes.frame.dialogue_turns & ~right(outcomes)
    surviving = frame.dialogue_turns & (count_earlier(failed, frame.dialogue) == 0)
    at_risk = surviving & (frame.nth == np.arange(1, last + 1)[:, None])  # (last, turns)
    table = np.concatenate([at_risk, at_risk & failed]).astype(float)
    why = None if outcomes.gives_videos else NO_VIDEOS
    return Column(table, at_risk.any(axis=0), why)


def curve(sums: Floats) -> Floats:
    """S@1 to S@t of the sums of `survival`, (2 t, ...) to (t, ...).

    The estimate stays as it is where nobody is at risk.
    """
    at_risk, failed = np.split(sums, 2)
    some = at_risk > 0.5
    hazard = np.where(some, failed / np.where(some, at_risk, 1.0), 0.0)
    return np.cumprod(1 - hazard, axis=0)


def survives(sums: Floats) -> Any:
    """S@t: the share of dialogues without a failure in their first t retrieval turns."""
    return curve(sums)[-1]


def restricted_mean(sums: Floats) -> Any:
    """S@1 + ... + S@t: retrieval turns before the first failure, of t at most.

    Royston & Parmar, Statistics in Medicine 30, 2011 (there with S(0) as the first term).
    """
    return curve(sums).sum(axis=0)


def at_risk_last(sums: Floats) -> float:
    """Dialogues at risk at the last turn, or at the one at which all of them had failed."""
    at_risk, failed = np.split(sums, 2)
    ends = np.flatnonzero((at_risk > 0) & (failed >= at_risk))
    return float(at_risk[ends[0] if len(ends) else -1])
