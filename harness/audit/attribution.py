"""Sums over turns: the figures at every step, and the exact effect of each defect."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from harness.audit.cases import Case
from harness.audit.steps import BY_TURN, OVERALL, REPAIRS, SOUND, StepJudgement, by_turn, overall
from harness.protocols.judging import figures_of
from harness.replies import candidate_number, span
from harness.replies.published_rules import official_number, official_spans

EXAMPLES = 3  # of each defect, kind of turn and direction
ORDER = tuple(REPAIRS)
LONGEST_TEXT = 300  # characters of a text that an example shows


class Share(NamedTuple):
    """Right answers over turns."""

    right: int
    turns: int

    @property
    def value(self) -> Fraction:
        """The share; 0 over no turns."""
        return Fraction(self.right, self.turns) if self.turns else Fraction(0)


class DefectEffect(NamedTuple):
    """The effect of one defect on a figure.

    `up`: turns that it makes right; `down`: turns that it makes wrong; `added`: turns that it
    counts; `effect`: the figure with it minus the figure without it.
    """

    defect: str
    up: int
    down: int
    added: int
    effect: Fraction


class Attribution(NamedTuple):
    """One figure of one slice: with all defects; sound over all turns; sound over the items."""

    official: Share
    sound: Share
    sound_items: Share
    parts: tuple[DefectEffect, ...]


class AttributionReport(NamedTuple):
    """All figures by slice and name, and examples of turns that a defect changed."""

    figures: dict[str, dict[str, Attribution]]
    examples: list[dict[str, Any]]


def attribute(cases: Iterable[Case], *, examples: bool = True) -> AttributionReport:
    """Explain the official figures ("all" and "turn=N") of all turns."""
    sums: dict[tuple[str, str], _Sums] = {}
    shown = _Examples() if examples else None
    for case in cases:
        for name, order, states in (
            ("all", OVERALL, overall(case)),
            (f"turn={case.key.turn}", BY_TURN, by_turn(case)),
        ):
            for place, figure in enumerate(figures_of(case.source.task)):
                row = sums.setdefault((name, figure), _Sums(order))
                row.add(states, place)
                if shown is not None:
                    shown.add(case, figure, place, order, states)
    figures: dict[str, dict[str, Attribution]] = {}
    for name, figure in sorted(sums, key=_slice_order):
        figures.setdefault(name, {})[figure] = sums[name, figure].attribution()
    rows = [] if shown is None else sorted(shown.rows, key=lambda row: ORDER.index(row["defect"]))
    return AttributionReport(figures, rows)


def _slice_order(key: tuple[str, str]) -> tuple[int, bool, str]:
    name, figure = key
    return int(name.partition("=")[2] or 0), figure != "R@1", figure


class _Sums:
    """Right answers and turns of one figure after each step, and the changes between steps."""

    def __init__(self, order: Sequence[str]) -> None:
        self.order = order
        self.right = [0] * (len(order) + 1)
        self.turns = [0] * (len(order) + 1)
        self.up, self.down, self.added = ([0] * len(order) for _ in range(3))

    def add(self, states: Sequence[StepJudgement], place: int) -> None:
        """Add one turn; `place`: of the figure among those of its task."""
        for step, state in enumerate(states):
            self.right[step] += state.right[place]
            self.turns[step] += state.counted
        for step, (with_it, without) in enumerate(pairwise(states)):
            self.up[step] += with_it.right[place] and not without.right[place]
            self.down[step] += without.right[place] and not with_it.right[place]
            self.added[step] += with_it.counted and not without.counted

    def attribution(self) -> Attribution:
        """The figure after no, some and all steps, and the effect of each defect."""
        shares = [Share(*pair) for pair in zip(self.right, self.turns, strict=True)]
        effects = [one.value - other.value for one, other in pairwise(shares)]
        rows = zip(self.order, self.up, self.down, self.added, effects, strict=True)
        return Attribution(
            shares[0], shares[SOUND], shares[-1], tuple(DefectEffect(*row) for row in rows)
        )


class _Examples:
    """The first turns of each kind that a defect changed."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.counts: defaultdict[tuple[str, str, bool], int] = defaultdict(int)

    def add(
        self,
        case: Case,
        figure: str,
        place: int,
        order: Sequence[str],
        states: Sequence[StepJudgement],
    ) -> None:
        """Keep the turn for each defect that changes it, unless enough of its kind are there."""
        for defect, (with_it, without) in zip(order, pairwise(states), strict=True):
            up = with_it.right[place]
            if up == without.right[place]:
                continue
            kind = (defect, case.source.task, up)
            if self.counts[kind] < EXAMPLES and not self._holds(case, defect):
                self.counts[kind] += 1
                self.rows.append(_example(case, figure, defect, order, up))

    def _holds(self, case: Case, defect: str) -> bool:
        named = (case.key.dialogue_id, case.key.turn, defect)
        return any((row["dialogue_id"], row["turn"], row["defect"]) == named for row in self.rows)


def _example(
    case: Case, figure: str, defect: str, order: Sequence[str], up: bool
) -> dict[str, Any]:
    used = case.by_position if order is OVERALL else case.by_text
    return {
        "defect": defect,
        "figure": figure,
        "slice": "all" if order is OVERALL else f"turn={case.key.turn}",
        "moved": "up" if up else "down",
        "dialogue_id": case.key.dialogue_id,
        "turn": case.key.turn,
        "utterance": case.source.utterance[:LONGEST_TEXT],
        "reference": case.source.answer[:LONGEST_TEXT],
        "judged": None if used is None else used[:LONGEST_TEXT],
        "own": None if case.own is None else case.own[:LONGEST_TEXT],
        "official_reading": None if used is None else _official(case, used),
        "sound_reading": None if case.own is None else _sound(case, case.own),
    }


def _official(case: Case, output: str) -> str:
    if case.source.task == "video":
        return f"video {number}" if (number := official_number(output)) is not None else "none"
    return "{:g} s to {:g} s".format(*official_spans(output))


def _sound(case: Case, output: str) -> str:
    if case.source.task == "video":
        number = candidate_number(output, len(case.source.candidates))
        return f"none: {number.why}" if number.value is None else f"video {number.value}"
    read = span(output)
    if read.value is None:
        return f"none: {read.why}"
    return f"{read.value.start / 1000:g} s to {read.value.end / 1000:g} s"
