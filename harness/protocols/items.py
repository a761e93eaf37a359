"""The items of the published evaluation: which turns are asked, in which order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from harness.protocols.source import Source, SourceDialogue, SourceTurn
from harness.records import CONCATENATION

LONGEST = 7  # turns of an item; longer ones are dropped
FIRST_STAGE = 10  # candidates among which the first turn's gold has to be


class Item(NamedTuple):
    """One question of the result file: the last turn of a prefix of a dialogue."""

    dialogue: SourceDialogue
    turn: int

    @property
    def asked(self) -> SourceTurn:
        """The turn that is evaluated."""
        return self.dialogue.turns[self.turn - 1]


def items(source: Source) -> Iterator[Item]:
    """All items in the order of the result file (OFFICIAL.md, section 2.1)."""
    for dialogue in source.dialogues:
        if why_left_out(dialogue) is None:
            for turn in range(1, min(len(dialogue.turns), LONGEST) + 1):
                yield Item(dialogue, turn)


def why_left_out(dialogue: SourceDialogue) -> str | None:
    """The defect by which no turn of a dialogue becomes an item: D2, D3 or None."""
    if dialogue.type == CONCATENATION:
        return "D2"
    return None if _passed(dialogue.turns[0]) else "D3"


def _passed(first: SourceTurn) -> bool:
    """Whether the first stage found the first turn's gold."""
    if first.task == "video":
        return first.video_id in first.candidates[:FIRST_STAGE]
    return first.candidates[:1] == (first.video_id,)
