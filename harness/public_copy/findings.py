"""What a look into a folder finds: file, line, what, and whether it may then be handed out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from harness.files import shown

SHOWN = 20  # findings of one report


class GoldFinding(NamedTuple):
    """Something in a folder that gives labels away, or might.

    `file`: relative to the folder, with slashes; `line`: from 1, None of a file as a whole;
    `stands_against`: whether the folder may not be handed out because of it, else it is a note.
    """

    file: str
    line: int | None
    what: str
    stands_against: bool = True

    @property
    def text(self) -> str:
        """Place and finding, for a terminal."""
        name = shown(self.file, 200)[1:-1]
        return f"{name}: {self.what}" if self.line is None else f"{name}:{self.line}: {self.what}"


def against(findings: Iterable[GoldFinding]) -> list[GoldFinding]:
    """Those because of which a folder may not be handed out."""
    return [finding for finding in findings if finding.stands_against]


def report(findings: Iterable[GoldFinding]) -> list[str]:
    """A line for each of the first SHOWN, and one that counts the others."""
    lines = [finding.text for finding in findings]
    more = len(lines) - SHOWN
    return lines if more <= 0 else [*lines[:SHOWN], f"and {more:,} more"]
