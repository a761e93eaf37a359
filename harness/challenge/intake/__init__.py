"""Intake: what is new among the submissions is judged, scored and told, one line of ledger each."""

from harness.challenge.intake.decisions import Decision
from harness.challenge.intake.receipts import Receipt, receipt_text
from harness.challenge.intake.rescoring import rescore
from harness.challenge.intake.taking_in import IntakeReport, IntakeSettings, intake
from harness.challenge.intake.telling import BoardRanks, Ladder, Ranks

__all__ = [
    "BoardRanks",
    "Decision",
    "IntakeReport",
    "IntakeSettings",
    "Ladder",
    "Ranks",
    "Receipt",
    "intake",
    "receipt_text",
    "rescore",
]
