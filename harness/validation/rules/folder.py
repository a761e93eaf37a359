"""The rules about a submission's folder: which files it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from harness.submission import predictions_in
from harness.validation.report import Severity
from harness.validation.rules.rule import checking, declare

NO_PREDICTIONS = declare(
    "folder",
    "S101",
    "error",
    "there is a predictions file",
    "a folder with predictions.json alone",
)
TWO_PREDICTIONS = declare(
    "folder",
    "S102",
    "error",
    "there is one predictions file",
    "predictions.jsonl and predictions.jsonl.gz",
)


class FileFinding(NamedTuple):
    """A file of the folder by its name, and the text about what is wrong with it."""

    file: str
    text: str


FolderCheck = Callable[[Path, Mapping[str, Any]], Iterator[FileFinding]]


def folder_rule(
    code: str, states: str, bad: str, severity: Severity = "error"
) -> Callable[[FolderCheck], FolderCheck]:
    """Enter the decorated function as the rule `code` about a submission's folder.

    It takes the folder and the card's table, empty where the card cannot be read.
    """
    return checking("folder", code, states, bad, severity)


@folder_rule(
    "S100", "a reported card has no predictions", 'kind = "reported" beside predictions.jsonl'
)
def predictions_of_reported_card(folder: Path, card: Mapping[str, Any]) -> Iterator[FileFinding]:
    """No predictions beside a reported card."""
    if card.get("kind") == "reported":
        for name in predictions_in(folder):
            yield FileFinding(
                name,
                'a card of kind "reported" has no predictions; remove the file, or set '
                'kind = "predictions"',
            )
