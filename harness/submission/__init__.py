"""Submissions: a folder with a card and one predictions file; how to start and to write one."""

from harness.submission.card_toml import toml_card
from harness.submission.digest import SubmissionDigest
from harness.submission.lines import (
    ANSWERED_BY,
    MOMENT_KEYS,
    PARTS,
    PREDICTION_KEYS,
    PredictionLine,
    line,
)
from harness.submission.starter import EXAMPLE, STARTER, start, template_keys
from harness.submission.writing import CARD, PREDICTIONS, predictions_in, write

__all__ = [
    "ANSWERED_BY",
    "CARD",
    "EXAMPLE",
    "MOMENT_KEYS",
    "PARTS",
    "PREDICTIONS",
    "PREDICTION_KEYS",
    "STARTER",
    "PredictionLine",
    "SubmissionDigest",
    "line",
    "predictions_in",
    "start",
    "template_keys",
    "toml_card",
    "write",
]
