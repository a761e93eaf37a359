"""An item analysis for a terminal. Untrusted text is quoted, escaped and cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.files import shown
from harness.items.analysis import SUSPECT, Analysis, FlaggedTurn
from harness.validation.report import seconds


def text_lines(analysis: Analysis, most: int) -> Iterator[str]:
    """The analysis, with the first `most` turns of each list."""
    for each in analysis.systems:
        yield f"{each.label:<3} {shown(each.system)} by {shown(each.team)}; history {each.history}"
    yield from (f"note: {note}" for note in analysis.notes)
    for task in analysis.tasks:
        yield (
            f"{task.task} turns: {task.turns:,}, answered by {', '.join(task.systems)}; right for "
            f"nobody {task.nobody:,}, for all {task.everybody:,}; suspect {task.suspect:,}"
        )
    yield from _listed(
        f"Suspect turns (item-rest correlation of {SUSPECT} or less: weak systems are right, "
        "strong ones wrong)",
        analysis.suspect,
        most,
    )
    yield from _listed("Turns that no system gets right", analysis.nobody, most)


def _listed(title: str, items: Sequence[FlaggedTurn], most: int) -> Iterator[str]:
    yield ""
    yield f"{title}: {len(items):,}"
    for item in items[:most]:
        yield from _item(item)
    if len(items) > most:
        yield f"  ... and {len(items) - most:,} more; --format json holds them all"


def _item(item: FlaggedTurn) -> Iterator[str]:
    span = "" if item.span is None else f" {seconds(item.span[0])} to {seconds(item.span[1])}"
    gold = "" if item.gold is None else f"  gold: {shown(item.gold)}{span}"
    yield f"  {shown(item.dialogue_id)}/{item.turn} {item.task} {shown(item.utterance, 120)}{gold}"
    index = "" if item.index is None else f"index {item.index:+.2f}; "
    yield f"     {index}right: {', '.join(item.right) or 'nobody'}; wrong: {', '.join(item.wrong)}"
    yield from (f"     look: {reason}" for reason in item.reasons)
