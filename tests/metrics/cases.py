"""A split as plain rows, by task, by dialogue and by segment: what the oracles count over."""

from fractions import Fraction
from itertools import groupby
from typing import NamedTuple

from harness.records import Gold, Prediction, Turn


def iou(row, place):
    moments = (row.given.moments or ())[place : place + 1]
    if not moments or moments[0].video_id != row.gold.video_id:
        return Fraction(0)
    one, other = moments[0], row.gold.moment
    met = max(0, min(one.end, other.end) - max(one.start, other.start))
    return Fraction(met, one.end - one.start + other.end - other.start - met)


class Row(NamedTuple):
    """One turn; rank is None where the gold video is not among the first hundred."""

    turn: Turn
    gold: Gold
    given: Prediction
    candidates: tuple

    @property
    def rank(self):
        ranks = {name: place for place, name in enumerate(self.videos[:100], start=1)}
        return ranks.get(self.gold.video_id)

    @property
    def videos(self):
        return list(self.given.videos or ())

    @property
    def right(self):
        if self.turn.task == "video":
            return self.videos[:1] == [self.gold.video_id]
        return iou(self, 0) >= Fraction(1, 2)


class Case(NamedTuple):
    """A split as rows, by task, and by dialogue: retrieval turns of those other than type 7."""

    rows: list

    def asks(self, task):
        return [row for row in self.rows if row.turn.task == task]

    @property
    def dialogues(self):
        linked = (row for row in self.rows if row.turn.type != 7 and row.turn.task != "chat")
        return [list(turns) for _, turns in groupby(linked, key=lambda row: row.turn.dialogue_id)]

    @property
    def segments(self):
        """Runs of two and more video turns with one target, from all turns of a dialogue."""
        found = []
        for _, turns in groupby(self.rows, key=lambda row: row.turn.dialogue_id):
            runs = groupby(turns, key=lambda row: (row.turn.task, row.gold.video_id))
            found += [list(run) for (task, _), run in runs if task == "video"]
        return [run for run in found if len(run) > 1 and run[0].turn.type != 7]


def case_of(split, gold, predictions):
    nothing = Prediction("", 0)
    rows = zip(split.turns, gold, predictions, strict=True)
    return Case([Row(turn, answer, given or nothing, split.candidates.get(turn.key, ()))
                 for turn, answer, given in rows])  # fmt: skip


def mean(values):
    values = list(values)
    return float(sum(values) / len(values)) if values else None
