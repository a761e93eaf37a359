"""A comparison for a terminal. Untrusted text is quoted, escaped and cut."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from harness.comparison.compare import Comparison
from harness.comparison.differences import Difference
from harness.comparison.disagreements import DialogueComparison, JudgedAnswer, TurnComparison
from harness.comparison.propagation import Propagation
from harness.files import shown
from harness.records import RANK_LIMIT
from harness.validation.report import seconds

HEADING = (
    f"  {'':<10} {'pair':<8} {'first':>7} {'second':>7} {'diff':>7}  {'95 % interval':<18}"
    f" {'d_z':>6} {'turns':>7} {'dial.':>7} {'p':>7}"
)
EXPLAINED = (
    "Shares times 100. diff: first minus second, with its interval; d_z: difference / standard",
    "deviation of the dialogues' differences; p: two-way test, corrected after Holm over the pairs",
    "of a row's metric and slice.",
)
LEAST_P = 0.0001  # what four decimals can show


def text_lines(comparison: Comparison) -> Iterator[str]:
    """The comparison: who, notes, differences, propagation, dialogues."""
    yield comparison.signature
    for each in comparison.systems:
        yield (
            f"{each.label:<3} {shown(each.system)} by {shown(each.team)}; history {each.history}, "
            f"candidates {each.candidates}; {each.sha256[:12]}"
        )
    yield from (f"note: {note}" for note in comparison.notes)
    yield ""
    yield from EXPLAINED
    for metric, rows in groupby(comparison.differences, key=lambda each: each.metric):
        yield from ("", metric, HEADING)
        yield from map(_row, rows)
    for propagation in comparison.propagation:
        yield from _propagation(propagation)
    if comparison.dialogues is None:
        yield from ("", f"Dialogues are not shown: {comparison.why}.")
    for dialogue in comparison.dialogues or ():
        yield from _dialogue(dialogue)


def percent(value: float | None, sign: str = "") -> str:
    """A fraction times 100 with two decimals; a dash where undefined."""
    # + 0.0: no minus before a zero.
    return "—" if value is None else f"{round(100 * value, 2) + 0.0:{sign}.2f}"


def bracket(row: Difference) -> str:
    """The interval of a difference, or that there is none."""
    if row.low is None or row.high is None:
        return "no interval"
    return f"[{percent(row.low, '+')}, {percent(row.high, '+')}]"


def probability(row: Difference) -> str:
    """The corrected p with four decimals; one that would be 0 with them is said to be less."""
    if row.p_holm is None:
        return "—"
    return f"{row.p_holm:.4f}" if row.p_holm >= LEAST_P else "<.0001"


def effect(row: Difference) -> str:
    """The effect size with two decimals."""
    return "—" if row.effect is None else f"{row.effect:+.2f}"


def _row(row: Difference, name: str | None = None) -> str:
    head = f"  {name or row.slice:<10} {row.first + ' - ' + row.second:<8} "
    if row.why is not None:
        turns = "" if row.turns is None else f" ({row.turns:,} turns)"
        return f"{head}{'—':>7}  {row.why}{turns}"
    return (
        f"{head}{percent(row.first_value):>7} {percent(row.second_value):>7} "
        f"{percent(row.value, '+'):>7}  {bracket(row):<18} {effect(row):>6} "
        f"{row.turns:>7,} {row.dialogues:>7,} {probability(row):>7}"
    )


def _propagation(runs: Propagation) -> Iterator[str]:
    failed = "some or none" if runs.failed is None else f"{runs.failed:,}"
    yield ""
    yield (
        f"Propagation: {runs.reference} (reference history) minus {runs.own} (own history), on "
        "the turns after the own run's first error"
    )
    yield (
        f"  {failed} of {runs.dialogues:,} dialogues have one; on {runs.unlike:,} of "
        f"{runs.first_turns:,} opening video turns, where no history exists, the answers differ"
    )
    yield HEADING
    for row in runs.figures:
        yield _row(row, row.metric.replace("R@1,IoU", "IoU"))


def _dialogue(dialogue: DialogueComparison) -> Iterator[str]:
    first, second = dialogue.first, dialogue.second
    right = f"{dialogue.first_right} against {dialogue.second_right} of {dialogue.turns} right"
    yield ""
    yield (
        f"{first} - {second}: {shown(dialogue.dialogue_id)}, type {dialogue.type}, "
        f"{dialogue.language}: {right}"
    )
    for turn in dialogue.seen:
        yield f"  {turn.turn:>2} {turn.task:<6} {shown(turn.utterance, 120)}{_gold(turn)}"
        if turn.task != "chat":
            yield f"     {first:<3} {_answer(turn.first)}"
            yield f"     {second:<3} {_answer(turn.second)}"


def _gold(turn: TurnComparison) -> str:
    if turn.gold is None:
        return ""
    span = "" if turn.span is None else f" {seconds(turn.span[0])} to {seconds(turn.span[1])}"
    return f"  gold: {shown(turn.gold)}{span}"


def _answer(answer: JudgedAnswer) -> str:
    verdict = {True: "right", False: "wrong", None: "not counted"}[answer.right]
    if answer.moment is not None:
        span = f"{seconds(answer.moment.start)} to {seconds(answer.moment.end)}"
        return f"{verdict}, IoU {answer.iou or 0:.2f}: {shown(answer.moment.video_id)} {span}"
    if answer.video is not None:
        place = f"past {RANK_LIMIT}" if answer.rank is None else f"rank {answer.rank}"
        return f"{verdict}, {place}: {shown(answer.video)} first"
    return f"{verdict}: no answer"
