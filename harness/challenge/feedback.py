"""What a team is told of a new score while a phase runs: all, what is clearly better, or nothing.

Every figure on hidden labels tells of them: a team that submits often enough reads them off, or
fits the board by chance. `python -m tests.bench.feedback` measures how much each kind of feedback
gives away; docs/organizing.md has the table and the reasons for the default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from harness.challenge.challenge_file import Feedback
from harness.errors import WrongUsageError
from harness.metrics import METRICS, Column
from harness.publication.disclosure import published
from harness.publication.headlines import CHOOSE_VIDEO, FIND_MOMENT, FIND_VIDEO
from harness.statistics import Design, paired_errors

# A new best must beat the old one by more than so many paired clustered standard errors.
STEPS = 2.0
# By a headline's track: the one metric of which a team is told where feedback is "ladder".
RELEASED_METRICS = {
    "video": FIND_VIDEO,
    "choice": CHOOSE_VIDEO,
    "moment": FIND_MOMENT,
    "end-to-end": FIND_MOMENT,
    "dialogue": "success",
}


class ReleasedFigure(NamedTuple):
    """What a team is told of a new score.

    `figure`: of the headline metric, in its unit; None: nothing is told. `best`: whether this run
    is the one with which the team's next run is compared.
    """

    figure: float | None
    best: bool


@dataclass(frozen=True, eq=False)
class LadderFeedback:
    """The Ladder: a run's figure is released if it is clearly better than the best released one.

    Blum & Hardt, The Ladder: a reliable leaderboard for machine learning competitions, ICML 2015,
    in the form without parameters: with d the differences turn by turn between the new run and the
    team's best released one, the figure is released if mean(d) > steps * se(d), else what was
    released before stays. There se is the standard deviation over root n; here turns share
    dialogues and gold videos, so it is the paired standard error that is robust over both
    (harness.statistics). The first run is compared with empty answers. Theirs is one step,
    which a run with two more right turns passes, and in a long dialogue with one: so single guesses
    are tested. With s steps some s^2 turns of different dialogues have to be right at once.

    `metric`: the name of a mean in METRICS; `design`: that of the split.
    """

    metric: str
    design: Design
    steps: float = STEPS

    def release(self, previous_best: Column | None, new: Column) -> float | None:
        """The figure to release, as `published` rounds it; None: the old one stays.

        `previous_best`, `new`: the metric's columns, table (2, turns), of the team's best released
        run (None: none is) and of the new one. None also where the figure is undefined.
        """
        if new.why is not None or new.weights.sum() <= 0:
            return None
        before = np.zeros_like(new.values) if previous_best is None else previous_best.values
        metric, ahead, total = METRICS[self.metric], new.values - before, new.weights.sum()
        (error,) = paired_errors(self.design, ahead, new.weights, whole_units=metric.whole_units)
        # NaN, the error over one dialogue or video, releases nothing.
        if not ahead.sum() / total > self.steps * error:
            return None
        return published(float(new.values.sum() / total), metric.unit)


def released_metric(track: str | None) -> str:
    """The metric of which teams are told under "ladder", by the headline's track (None: video).

    Raises WrongUsageError for a track without a mean over turns or dialogues that all runs share.
    """
    name = "video" if track is None else track
    if name not in RELEASED_METRICS:
        tracks = ", ".join(RELEASED_METRICS)
        raise WrongUsageError(
            f'feedback = "ladder" needs a headline whose track is one of {tracks}, got {name!r}; '
            'choose one of these in challenge.toml, or feedback = "none"'
        )
    return RELEASED_METRICS[name]


def feedback_in_force(declared: Feedback, labels: str) -> Feedback:
    """The feedback of a phase on a split whose `labels` are "public" or "hidden".

    Of public labels there is nothing to withhold: every figure is told.
    """
    return "exact" if labels == "public" else declared


def feedback(
    kind: Feedback, metric: str, previous_best: Column | None, new: Column, design: Design
) -> ReleasedFigure:
    """What a team is told of a new run's headline `metric`, and whether it is its new best.

    `previous_best`, `new`: the metric's columns, table (2, turns); previous_best: of the team's run
    that was the last with `best`, None: there is none. Whatever the feedback, a figure that is told
    is rounded as boards on hidden labels round it.
    """
    if kind == "none" or new.why is not None or new.weights.sum() <= 0:
        return ReleasedFigure(None, best=False)
    if kind == "ladder":
        released = LadderFeedback(metric, design).release(previous_best, new)
        return ReleasedFigure(released, best=released is not None)
    figure, before = (
        -np.inf if column is None else float(column.values.sum() / column.weights.sum())
        for column in (new, previous_best)
    )
    return ReleasedFigure(
        published(float(figure), METRICS[metric].unit), best=bool(figure > before)
    )
