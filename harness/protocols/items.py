"""The items of the published evaluation: the turns that have an entry, and their order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from harness.protocols.source import SourceDialogue, SourceSplit, SourceTurn
from harness.records import CANDIDATES, CONCATENATION

LONGEST = 7  # turns of an item; longer ones are dropped


class Item(NamedTuple):
    """One question of the result file: the last turn of a prefix of a dialogue."""

    dialogue: SourceDialogue
    turn: int

    @property
    def source_turn(self) -> SourceTurn:
        """The turn that is evaluated."""
        return self.dialogue.turns[self.turn - 1]


def items(source: SourceSplit) -> Iterator[Item]:
    """All items in the order of the result file (OFFICIAL.md, section 2.1)."""
    for dialogue in source.dialogues:
        if exclusion_reason(dialogue) is None:
            for turn in range(1, min(len(dialogue.turns), LONGEST) + 1):
                yield Item(dialogue, turn)


def exclusion_reason(dialogue: SourceDialogue) -> str | None:
    """The defect by which no turn of a dialogue becomes an item: D2, D3 or None."""
    if dialogue.type == CONCATENATION:
        return "D2"
    return None if _passed(dialogue.turns[0]) else "D3"


def _passed(first: SourceTurn) -> bool:
    """Whether the first stage found the first turn's gold."""
    if first.task == "video":
        return first.video_id in first.candidates[:CANDIDATES]
    return first.candidates[:1] == (first.video_id,)
