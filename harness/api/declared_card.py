"""What a program declares of a submission: its card. And the error about unanswered turns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.errors import SubmissionError, WrongUsageError
from harness.files import plain
from harness.records import CandidateUse, Card, History, TurnKey

# What a program says by arguments of their own.
_ARGUMENTS = ("schema", "kind", "team", "system", "history", "candidates", "figures", "source")


def made_card(
    further: Mapping[str, Any] | None,
    *,
    team: str,
    system: str,
    history: History,
    candidates: CandidateUse,
) -> Card:
    """The card that is declared. Raises WrongUsageError at what no card may hold."""
    import msgspec

    from harness.validation.reading.card_file import card_findings
    from harness.validation.rules.rule_table import RULES

    further = further or {}
    for name in _ARGUMENTS:
        if name in further:
            raise WrongUsageError(
                f"card: {name}: expected no such field in `card`, found one; give it as an "
                "argument of its own, or leave it out"
            )
    declared = {"team": team, "system": system, "history": history, "candidates": candidates}
    try:
        table = {"schema": 1, "kind": "predictions"} | plain(declared | dict(further))
    except TypeError as error:
        raise WrongUsageError(
            f"card: expected text, numbers, and lists or tables of them, found a value {error}"
        ) from error
    table = {name: value for name, value in table.items() if value is not None}
    for finding in card_findings(table):
        if RULES[finding.code].severity == "error":
            raise WrongUsageError(f"card: {finding.text} [{finding.code}]")
    return msgspec.convert(table, Card)


def missing(keys: list[TurnKey], total: int, split: str, step: str) -> SubmissionError:
    """The error about turns of a split, `keys` of `total`, that have no answer."""
    dialogue_id, turn = keys[0]
    more = f" and {len(keys) - 1:,} more" if len(keys) > 1 else ""
    return SubmissionError(
        f"split {split}: expected an answer to each of {total:,} turns, found none to turn "
        f"{dialogue_id}/{turn}{more}; {step}"
    )
